import Foundation
import Shared
import Testing

@Suite("Settings")
struct SettingsTests {
    private static let good = [
        "DATABASE_URL": "postgresql://parley:s3cret-pa55@db/parley", "JWT_SECRET": "kX9v!mQ2-rT7w_zB4n.pL6h+cF3j=dS8",
    ]

    private func read(_ values: [String: String]) throws -> (HTTPSettings, LogSettings, DatabaseSettings, TokenSettings)
    {
        var reader = SettingsReader(values: values)
        let settings = (
            HTTPSettings(&reader, defaultPort: 8080), LogSettings(&reader), DatabaseSettings(&reader),
            TokenSettings(&reader)
        )
        try reader.finish()
        return settings
    }

    @Test("has the defaults of the contract")
    func defaults() throws {
        let (http, log, database, token) = try read(Self.good)
        #expect(http.host == "127.0.0.1" && http.port == 8080 && http.shutdownGraceSeconds == 20)
        #expect(http.corsOrigins == ["http://localhost:3000"])
        for text in ["127.0.0.1", "::1"] { #expect(http.trustedProxies.contains(try #require(IPAddress(text)))) }
        #expect(!http.trustedProxies.contains(try #require(IPAddress("127.0.0.2"))))
        #expect(log.level == .info && log.format == .text)
        #expect(database.connections == 8 && token.previousSecret == nil)
        #expect(token.keys.count == 1)
    }

    @Test("names every problem at once, and no secret")
    func allProblems() throws {
        let values = [
            "JWT_SECRET": "too-short-s3cret", "PORT": "70000", "CORS_ORIGINS": "*", "TRUSTED_PROXIES": "10.0.0.0/99",
            "LOG_LEVEL": "loud", "LOG_FORMAT": "xml", "SHUTDOWN_GRACE_SECONDS": "0", "DATABASE_CONNECTIONS": "x",
            "JWT_SECRET_PREVIOUS": "also-short-s3cret",
            "DATABASE_URL": "postgresql://me:s3cret@db:543x/parley?nonsense=s3cret",
        ]
        let error = #expect(throws: SettingsError.self) { try read(values) }
        let text = "\(try #require(error))"
        for key in values.keys { #expect(text.contains("  - \(key) "), "\(key)") }
        #expect(!text.contains("s3cret"))
        #expect(error?.problems.count == 10)
    }

    @Test(
        "refuses secrets that are too short, repeated or known",
        arguments: [
            String(repeating: "a", count: 64), String(repeating: "ab", count: 32),
            "changeme-changeme-changeme-1234567890",
            "your-secret-key-your-secret-key-12345", String(repeating: "x1", count: 15) + "z",
            "super-SECRET-password-placeholder-1",
        ]
    )
    func weakSecrets(secret: String) {
        var values = Self.good
        values["JWT_SECRET"] = secret
        let error = #expect(throws: SettingsError.self) { try read(values) }
        #expect(error?.problems.count == 1)
    }

    @Test("a known word in a long random secret does no harm")
    func knownWordInStrongSecret() throws {
        var values = Self.good
        values["JWT_SECRET"] = "integration-test-secret-key-0123456789abcdef"
        _ = try read(values)
    }

    @Test("an empty value counts as not set, quotation marks and blanks are no part of a value")
    func emptyAndQuoted() throws {
        var values = Self.good
        values["HOST"] = ""
        values["PORT"] = "  "
        values["LOG_LEVEL"] = "\"debug\""
        values["CORS_ORIGINS"] = "'https://a.example , http://b.example:8080'"
        let (http, log, _, _) = try read(values)
        #expect(http.host == "127.0.0.1" && http.port == 8080 && log.level == .debug)
        #expect(http.corsOrigins == ["https://a.example", "http://b.example:8080"])
    }

    @Test(
        "refuses origins that a browser never sends",
        arguments: ["https://a.example/", "a.example", "https://A.example", "null", "https://"])
    func origins(text: String) {
        var values = Self.good
        values["CORS_ORIGINS"] = text
        #expect(throws: SettingsError.self) { try read(values) }
    }

    @Test("a secret shows itself nowhere: interpolated, described, dumped, in a struct around it")
    func redaction() throws {
        let (_, _, database, token) = try read(Self.good)
        var dumped = ""
        dump(token, to: &dumped)
        dump(database, to: &dumped)
        for text in ["\(token)", String(reflecting: database), "\(database)", dumped, "\(token.secret)"] {
            #expect(!text.contains("s3cret") && !text.contains("kX9v"))
        }
    }

    @Test("records the keys that were read")
    func keysRead() {
        var reader = SettingsReader(values: Self.good)
        _ = HTTPSettings(&reader, defaultPort: 1)
        _ = LogSettings(&reader)
        _ = DatabaseSettings(&reader)
        _ = TokenSettings(&reader)
        #expect(
            Set(reader.keysRead) == [
                "HOST", "PORT", "CORS_ORIGINS", "TRUSTED_PROXIES", "SHUTDOWN_GRACE_SECONDS", "LOG_LEVEL", "LOG_FORMAT",
                "DATABASE_URL", "DATABASE_CONNECTIONS", "JWT_SECRET", "JWT_SECRET_PREVIOUS",
            ]
        )
    }

    @Test("reads the file where the environment is silent, and lives without one")
    func environmentFile() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let file = directory.appending(path: ".env")
        try Data("# comment\nPARLEY_TEST_ONLY = value=1\nPATH=/nowhere\n".utf8).write(to: file)
        var reader = SettingsReader(environmentFile: file.path)
        #expect(reader.optional("PARLEY_TEST_ONLY") == "value=1")
        #expect(reader.optional("PATH") != "/nowhere")
        var without = SettingsReader(environmentFile: directory.appending(path: "none").path)
        #expect(without.optional("PARLEY_TEST_ONLY") == nil)
    }
}
