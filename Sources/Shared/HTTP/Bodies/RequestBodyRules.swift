import HTTPTypes
package import Hummingbird
package import NIOCore

/// The form of a request body, by its Content-Type.
package enum BodyForm: Sendable, CaseIterable {
    case json, form, multipart

    private var mediaType: String {
        switch self {
        case .json: "application/json"
        case .form: "application/x-www-form-urlencoded"
        case .multipart: "multipart/form-data"
        }
    }

    /// The form that a Content-Type names, if it is one of `allowed` and its charset (if it names one) is UTF-8.
    package init?(contentType: String, allowing allowed: [BodyForm]) {
        let parts = contentType.split(separator: ";", omittingEmptySubsequences: false)
        let name = parts[0].trimmedBlanks.lowercased()
        guard let form = allowed.first(where: { $0.mediaType == name }) else { return nil }
        for parameter in parts.dropFirst() {
            let pair = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, pair[0].trimmedBlanks.lowercased() == "charset" else { continue }
            let charset = pair[1].trimmedBlanks.trimmedQuotes.lowercased()
            guard charset == "utf-8" || charset == "utf8" else { return nil }
        }
        self = form
    }
}

extension Substring {
    /// Without blanks and tabs at either end.
    package var trimmedBlanks: Substring {
        var text = self.drop { $0 == " " || $0 == "\t" }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }

    fileprivate var trimmedQuotes: Substring {
        count >= 2 && first == "\"" && last == "\"" ? dropFirst().dropLast() : self
    }
}

extension Request {
    /// The form of the body by its header, for a call that takes `allowed`: 415 for any other Content-Type and for any
    /// Content-Encoding.
    package func bodyForm(allowing allowed: [BodyForm]) throws -> BodyForm {
        guard headers[values: .contentEncoding].isEmpty else { throw Problem(.contentEncodingNotSupported) }
        let types = headers[values: .contentType]
        guard types.count == 1, let form = BodyForm(contentType: types[0], allowing: allowed) else {
            throw Problem(.unsupportedMediaType)
        }
        return form
    }

    /// Refuses with 413 a body that says it is larger than `bytesMax`, before any of it is read; else tells a client
    /// that waits for it (`Expect: 100-continue`, RFC 9110, section 10.1.1) to go on.
    package func admitBody(bytesMax: Int, context: some RequestDescribing) throws {
        if let text = headers[.contentLength] {
            guard let length = Int(text), length <= bytesMax else { throw Problem(.payloadTooLarge) }
        }
        guard let expectation = headers[.expect] else { return }
        guard expectation.lowercased() == "100-continue" else { throw Problem(.expectationFailed) }
        context.channel.continueRequest()
    }

    /// The whole body, at most `bytesMax` bytes: 413 as soon as there are more.
    package func wholeBody(bytesMax: Int, context: some RequestDescribing) async throws -> ByteBuffer {
        try admitBody(bytesMax: bytesMax, context: context)
        var whole: ByteBuffer?
        for try await part in body {
            if whole == nil { whole = part } else { whole?.writeImmutableBuffer(part) }
            if let count = whole?.readableBytes, count > bytesMax { throw Problem(.payloadTooLarge) }
        }
        return whole ?? ByteBuffer()
    }

    /// The members of a JSON (or form) body.
    /// - Parameters:
    ///   - bytesMax: a larger body is 413. A message of 10,000 characters fits into the default, escaped or not.
    ///   - allowed: what the call takes besides JSON; multipart bodies are read elsewhere.
    package func bodyFields(
        _ context: some RequestDescribing, maxBytes bytesMax: Int = 256 * 1024, allowing allowed: [BodyForm] = [.json]
    ) async throws -> BodyFields {
        let form = try bodyForm(allowing: allowed)
        let bytes = try await wholeBody(bytesMax: bytesMax, context: context)
        switch form {
        case .json: return try BodyFields(json: bytes)
        case .form: return try BodyFields(form: bytes)
        case .multipart: throw Problem(.unsupportedMediaType)
        }
    }
}
