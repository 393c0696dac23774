import Foundation
import Shared

/// Everything ChatService is told at its start, checked once.
struct ChatSettings: Sendable {
    var http: HTTPSettings
    var log: LogSettings
    var database: DatabaseSettings
    var tokens: TokenSettings
    var model: ModelSettings
    /// Tokens of earlier messages in a prompt.
    var historyTokens: Int
    /// Embedded, or read from `PROMPTS_DIR`.
    var domains = Domains.embedded
    var recognizers: Int
    var recognition: RecognitionSettings
    /// Nil: a private directory below the system's temporary one.
    var uploadDirectory: String?
    var queueJobsMax: Int
    var queueJobsPerUser: Int
    var leaseSeconds: Int

    /// Reads every key of ChatService; problems are collected in the reader.
    init(_ reader: inout SettingsReader) {
        http = HTTPSettings(&reader, defaultPort: 8000)
        log = LogSettings(&reader)
        database = DatabaseSettings(&reader)
        tokens = TokenSettings(&reader)
        model = ModelSettings(&reader)
        historyTokens = reader.int("HISTORY_TOKENS", default: 6000, in: 0...1_000_000)
        if let directory = reader.optional("PROMPTS_DIR") {
            do throws(DomainsError) { domains = try Domains(directory: directory) } catch {
                reader.report("PROMPTS_DIR", "cannot be used: \(error.problems.joined(separator: "; "))")
            }
        }
        recognizers = reader.int("OCR_WORKERS", default: ProcessInfo.processInfo.activeProcessorCount, in: 1...256)
        recognition = RecognitionSettings(
            languages: reader.string("OCR_LANGUAGES", default: "eng+rus"),
            pageSeconds: reader.int("OCR_PAGE_SECONDS", default: 60, in: 1...3600),
            tessdataPrefix: reader.optional("TESSDATA_PREFIX"))
        let languages = recognition.languages.split(separator: "+", omittingEmptySubsequences: false)
        if !languages.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Self.isLanguageByte) }) {
            reader.report("OCR_LANGUAGES", "must be Tesseract's language names joined by +, such as eng+rus")
        } else if case let missing = recognition.missingLanguages, !missing.isEmpty {
            reader.report("OCR_LANGUAGES", "names what Tesseract has no data for: \(missing.joined(separator: ", "))")
        }
        uploadDirectory = reader.optional("UPLOAD_DIR")
        if let uploadDirectory, let fault = SpoolDirectory.fault(ofRoot: uploadDirectory) {
            reader.report("UPLOAD_DIR", "cannot be used: \(fault)")
        }
        queueJobsMax = reader.int("QUEUE_JOBS_MAX", default: 1000, in: 1...1_000_000)
        queueJobsPerUser = reader.int("QUEUE_JOBS_PER_USER", default: 100, in: 1...1_000_000)
        leaseSeconds = reader.int("LEASE_SECONDS", default: 30, in: 3...3600)
    }

    private static func isLanguageByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x5F
            || byte == 0x2F
    }
}

/// Where the language model is, if there is one.
struct ModelSettings: Sendable {
    /// An OpenAI-compatible base such as `http://localhost:11434/v1`; nil: the built-in offline model.
    var baseURL: String?
    var apiKey: Secret?
    /// The model's name, as its server knows it; servers of one model take any.
    var name: String
    var connectSeconds: Int
    var firstTokenSeconds: Int
    var idleSeconds: Int
    /// Calls at once.
    var concurrency: Int

    init(_ reader: inout SettingsReader) {
        baseURL = reader.optional("LLM_BASE_URL")
        apiKey = reader.optionalSecret("LLM_API_KEY")
        name = reader.string("LLM_MODEL", default: "default")
        connectSeconds = reader.int("LLM_CONNECT_SECONDS", default: 5, in: 1...600)
        firstTokenSeconds = reader.int("LLM_FIRST_TOKEN_SECONDS", default: 120, in: 1...3600)
        idleSeconds = reader.int("LLM_IDLE_SECONDS", default: 60, in: 1...3600)
        concurrency = reader.int("LLM_CONCURRENCY", default: 256, in: 1...10_000)
        guard let baseURL else { return }
        if !Self.isBase(baseURL) {
            reader.report("LLM_BASE_URL", "must be an http or https address such as http://localhost:11434/v1")
        }
        if let apiKey, !apiKey.value.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) {
            reader.report("LLM_API_KEY", "must be visible ASCII characters only")
        }
    }

    /// Scheme, host, perhaps port and path: a name with password, a query or a fragment has no place in a base.
    private static func isBase(_ text: String) -> Bool {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased() else { return false }
        return ["http", "https"].contains(scheme) && parts.host?.isEmpty == false && parts.user == nil
            && parts.query == nil && parts.fragment == nil
    }
}
