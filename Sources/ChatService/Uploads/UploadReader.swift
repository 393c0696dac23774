import HTTPTypes
import Hummingbird
import NIOCore
import Shared
import Synchronization

/// Reads multipart/form-data requests into fields and spooled files.
final class UploadReader: Sendable {
    /// Bodies read at the same time; each takes up to about 1 MiB while its client is fast.
    static let bodiesAtOnce = 256

    private let spool: UploadSpool
    let limits: UploadLimits
    private let reading = Mutex(0)

    init(spool: UploadSpool, limits: UploadLimits = UploadLimits()) {
        self.spool = spool
        self.limits = limits
    }

    /// Reads the request's form and lends it to `body`. The files are removed at the end, however it comes about,
    /// unless `Upload.keepFiles` was called.
    ///
    /// The headers are judged before the body is asked for: a wrong type, a body too large, a full disk. Throws a
    /// `Problem` for everything that is wrong with the upload, and whatever `body` throws. How slowly a body may arrive
    /// is the connection's business (`HTTPLimits`).
    /// - Parameter filesRequired: whether a form without any file is a problem.
    func withUpload<R: Sendable>(
        of request: Request, context: some RequestDescribing, filesRequired: Bool,
        isolation: isolated (any Actor)? = #isolation,
        _ body: (Upload) async throws -> R
    ) async throws -> R {
        try await spool.withFiles { scope in
            let upload: Upload
            do {
                upload = try await read(request, context: context, filesRequired: filesRequired, scope: scope)
            } catch let failure as UploadFailure {
                throw Problem(upload: failure)
            } catch let failure as SpoolFailure {
                throw Problem(spool: failure)
            }
            return try await body(upload)
        }
    }

    private func read(
        _ request: Request, context: some RequestDescribing, filesRequired: Bool, scope: SpoolScope
    ) async throws -> Upload {
        _ = try request.bodyForm(allowing: [.multipart])
        let boundary = try Self.boundary(of: request.headers)
        try enter()
        defer { reading.withLock { $0 -= 1 } }
        let length = request.headers[.contentLength].flatMap { Int($0) } ?? .max
        try await spool.checkRoom(for: min(length, limits.requestBytes))
        try request.admitBody(bytesMax: limits.requestBytes, context: context)
        var intake = try UploadIntake(boundary: boundary, limits: limits, scope: scope)
        for try await buffer in request.body { try await intake.take(buffer) }
        // A cancelled iteration ends like a finished one.
        try Task.checkCancellation()
        return try intake.finish(filesRequired: filesRequired)
    }

    private func enter() throws(UploadFailure) {
        let isFree = reading.withLock { reading in
            guard reading < Self.bodiesAtOnce else { return false }
            reading += 1
            return true
        }
        guard isFree else { throw UploadFailure.busy }
    }

    /// The boundary that the Content-Type names.
    static func boundary(of headers: HTTPFields) throws(UploadFailure) -> String {
        let type = headers[.contentType].flatMap { HeaderParameters($0) }
        guard let boundary = type?["boundary"] else { throw .malformed(.badBoundary) }
        return boundary
    }
}
