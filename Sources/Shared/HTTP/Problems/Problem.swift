package import HTTPTypes
package import Hummingbird
import NIOCore

/// A problem that a request ends with, as RFC 9457 describes it. Thrown anywhere below a route; the frame writes it.
package struct Problem: Error, Sendable {
    /// What kind of problem it is; decides status, title and the sentence.
    package let code: ProblemCode
    /// Replaces the fixed sentence of the code: plain English, safe for the caller to read.
    package var detail: String?
    /// The members of the body that are not right.
    package var errors: [FieldError]
    /// Seconds for `Retry-After`; nil: the default of the code.
    package var retryAfter: Int?
    /// Further members of the answer (RFC 9457, section 3.2), for example `user_message_id`.
    package var extensions: [String: JSONValue]
    /// Further header fields of the answer, for example `Allow`.
    package var headers: HTTPFields
    /// For the log only, never for the caller.
    package var cause: String?

    /// One member of the body that is not right.
    package struct FieldError: Error, Sendable, Equatable {
        package let field: String
        package let detail: String

        package init(_ field: String, _ detail: String) {
            self.field = field
            self.detail = detail
        }
    }

    package init(
        _ code: ProblemCode, detail: String? = nil, errors: [FieldError] = [], retryAfter: Int? = nil,
        extensions: [String: JSONValue] = [:], headers: HTTPFields = [:], cause: String? = nil
    ) {
        self.code = code
        self.detail = detail
        self.errors = errors
        self.retryAfter = retryAfter
        self.extensions = extensions
        self.headers = headers
        self.cause = cause
    }
}

extension Problem {
    /// A problem with one member of the body, of which the sentence of the code says everything.
    package init(_ code: ProblemCode, field: String) {
        self.init(code, errors: [FieldError(field, code.detail)])
    }

    /// The problem as the bytes of an `application/problem+json` document.
    package func body(requestID: String) -> ByteBuffer {
        var json = JSONWriter(capacity: 384)
        json.object { json in
            json.member("type", code.type)
            json.member("title", code.title)
            json.member("status", code.status)
            json.member("detail", detail ?? code.detail)
            json.member("code", code.rawValue)
            json.member("request_id", requestID)
            if !errors.isEmpty { json.member("errors", array: errors) { $0.write($1) } }
            for (name, value) in extensions.sorted(by: { $0.key < $1.key }) {
                json.key(text: name)
                json.value(value)
            }
        }
        return json.buffer
    }

    /// The problem as an answer, with `Retry-After` and `WWW-Authenticate` where the rules ask for them.
    package func response(requestID: String) -> Response {
        var headers = self.headers
        headers[.contentType] = "application/problem+json"
        headers[.cacheControl] = "no-store"
        if let seconds = retryAfter ?? code.retryAfterSeconds { headers[.retryAfter] = String(max(1, seconds)) }
        if let challenge { headers[.wwwAuthenticate] = challenge }
        return Response(
            status: .init(code: code.status),
            headers: headers,
            body: .init(byteBuffer: body(requestID: requestID))
        )
    }

    /// RFC 6750, section 3: a request without a token gets no error code in a strict reading, but the contract wants
    /// the same challenge with every 401, and RFC 9110, section 15.5.2 wants one with each.
    private var challenge: String? {
        code.status == 401 ? #"Bearer error="invalid_token""# : nil
    }
}

extension JSONWriter {
    fileprivate mutating func write(_ error: Problem.FieldError) {
        object { json in
            json.member("field", error.field)
            json.member("detail", error.detail)
        }
    }
}
