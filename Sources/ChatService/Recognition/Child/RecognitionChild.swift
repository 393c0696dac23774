import CLeptonica
import CLinux
import Glibc

/// `ChatService recognize`: reads untrusted documents, in a process that can do nothing else.
///
/// It confines itself, then answers the frames that arrive at descriptor 0 until the other end closes. A crash or a
/// hang costs one page of one document: `RecognizerProcess` kills this process and starts another.
enum RecognitionChild {
    /// The first argument that makes `ChatService` this child.
    static let argument = "recognize"
    /// Names the variable that holds the process id of the parent.
    static let parentVariable = "RECOGNIZER_PARENT"

    /// Serves descriptor 0 until it closes, and exits.
    static func run() -> Never {
        if CommandLine.arguments.dropFirst(2).first == CageCheck.argument {
            print(CageCheck.run().joined(separator: "\n"))
            exit(0)
        }
        guard let parent = variable(parentVariable).flatMap({ pid_t($0) }) else {
            print("\(argument) is started by ChatService itself; try: ChatService \(argument) \(CageCheck.argument)")
            exit(64)
        }
        let pageSeconds = variable("OCR_PAGE_SECONDS").flatMap { Int($0) } ?? 60
        Confinement(pageSeconds: pageSeconds).apply(parent: parent)
        setMsgSeverity(Int32(L_SEVERITY_NONE))
        serve(pageSeconds: pageSeconds, languages: variable("OCR_LANGUAGES") ?? "eng+rus")
    }

    private static func serve(pageSeconds: Int, languages: String) -> Never {
        let socket = RecognitionSocket(descriptor: STDIN_FILENO)
        var desk = ReadingDesk(languages: languages)
        while let (question, file) = try? socket.receive(maxBytes: RecognitionFrame.requestBytesMax, deadline: nil) {
            Confinement.renewProcessorTime(seconds: pageSeconds)
            guard (try? socket.send(desk.answer(question, file: file))) != nil else { break }
        }
        // The C libraries' exit handlers have nothing to save.
        _exit(0)
    }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}

/// The document that is open, and the engine that stays warm from one to the next.
struct ReadingDesk {
    private let engine: TesseractSlot
    private var document: (any ReadableDocument)?

    init(languages: String) {
        engine = TesseractSlot(languages: languages)
    }

    /// Answers one question of the parent.
    /// - Parameter file: the document's descriptor, with `open`; closed here.
    mutating func answer(_ question: RecognitionFrame, file: Int32?) -> RecognitionFrame {
        do throws(RecognitionFailure) {
            switch question.tag {
            case .open: return try open(question.payload, file)
            case .page: return RecognitionFrame(try page(question.payload))
            default: throw .unavailable("\(question.tag) is not a question")
            }
        } catch {
            return RecognitionFrame(error)
        }
    }

    private mutating func open(_ name: String, _ file: Int32?) throws(RecognitionFailure) -> RecognitionFrame {
        document = nil
        malloc_trim(0)
        guard let file, let type = DocumentType(rawValue: name) else { throw .unavailable("no file of type \(name)") }
        let opened = try Self.document(of: type, in: try DocumentFile(descriptor: file), engine)
        guard opened.pageCount <= DocumentLimits.pages else { throw .tooManyPages(opened.pageCount) }
        document = opened
        return RecognitionFrame(tag: .pages, payload: String(opened.pageCount))
    }

    private static func document(
        of type: DocumentType, in file: DocumentFile, _ engine: TesseractSlot
    ) throws(RecognitionFailure) -> any ReadableDocument {
        switch type {
        case .png, .jpeg, .webp, .gif, .bmp: try PictureDocument(file, type, engine)
        case .tiff: try TIFFDocument(file, engine)
        case .pdf: try PDFDocument(file, engine)
        case .docx: try WordDocument(file)
        case .text, .markdown: try PlainTextDocument(file)
        }
    }

    private func page(_ number: String) throws(RecognitionFailure) -> RecognizedPage {
        guard let document, let number = Int(number), 1...document.pageCount ~= number else {
            throw .unavailable("there is no page \(number)")
        }
        let page = try document.page(number)
        guard case .text(let text) = page, text.utf8.count > DocumentLimits.textBytes else { return page }
        throw .unreadableFile("The text is longer than \(DocumentLimits.textBytes >> 20) MiB.")
    }
}

/// An open document of any type, of at least one page.
protocol ReadableDocument {
    var pageCount: Int { get }
    /// Reads one page, counted from 1.
    func page(_ number: Int) throws(RecognitionFailure) -> RecognizedPage
}
