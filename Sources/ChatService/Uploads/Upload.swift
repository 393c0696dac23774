import NIOCore

/// A file of an upload, on disk.
struct SpooledFile: Equatable, Sendable {
    /// Where it lies; a name of ours.
    let path: String
    /// The client's name for it, cleaned by `FileName`.
    let name: String
    let size: Int
    /// What its first bytes say it is.
    let type: DocumentType
    /// SHA-256 of the content, 32 bytes.
    let sha256: [UInt8]
}

/// A multipart form that was read completely.
struct Upload: Sendable {
    /// The text fields: UTF-8 without NUL, each sent once.
    let fields: [String: String]
    let files: [SpooledFile]
    private let scope: SpoolScope

    init(fields: [String: String], files: [SpooledFile], scope: SpoolScope) {
        self.fields = fields
        self.files = files
        self.scope = scope
    }

    /// Leaves the files to the job that was committed for them; whoever ends the job removes them with
    /// `UploadSpool.remove`. Without this call they are removed when the request ends.
    func keepFiles() { scope.keep() }
}

/// Takes in a body piece by piece: parser, form and disk put together.
struct UploadIntake: ~Copyable {
    private let scope: SpoolScope
    private let requestBytes: Int
    private var parser: MultipartParser
    private var form: UploadForm
    private var received = 0
    private var open: (name: String, type: DocumentType)?
    private var writer: SpoolWriter?
    private var files: [SpooledFile] = []

    init(boundary: String, limits: UploadLimits, scope: SpoolScope) throws(UploadFailure) {
        do {
            parser = try MultipartParser(boundary: boundary, limits: limits.multipart)
        } catch {
            throw .malformed(error)
        }
        form = UploadForm(limits: limits)
        requestBytes = limits.requestBytes
        self.scope = scope
    }

    mutating func take(_ bytes: ByteBuffer) async throws {
        received += bytes.readableBytes
        guard received <= requestBytes else { throw UploadFailure.requestTooLarge }
        parser.append(bytes)
        while let event = try nextEvent() {
            for step in try form.handle(event) { try await perform(step) }
        }
    }

    /// - Parameter filesRequired: whether a form without any file is refused.
    consuming func finish(filesRequired: Bool) throws(UploadFailure) -> Upload {
        do { try parser.finish() } catch { throw .malformed(error) }
        guard !files.isEmpty || !filesRequired else { throw .noFile }
        return Upload(fields: form.fields, files: files, scope: scope)
    }

    private mutating func nextEvent() throws(UploadFailure) -> MultipartEvent? {
        do { return try parser.next() } catch { throw .malformed(error) }
    }

    private mutating func perform(_ step: UploadStep) async throws {
        switch step {
        case .begin(let name, let type):
            open = (name, type)
            writer = try await scope.create()
        case .append(let bytes):
            try await writer?.append(bytes)
        case .end:
            guard let (name, type) = open, let file = try await writer.take()?.finish() else { return }
            files.append(SpooledFile(path: file.path, name: name, size: file.size, type: type, sha256: file.sha256))
        }
    }
}
