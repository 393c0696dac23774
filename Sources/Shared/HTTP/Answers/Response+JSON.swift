import Foundation
package import HTTPTypes
package import Hummingbird
package import NIOCore

extension Response {
    /// An answer whose body is a JSON document that was written into `body`. Never stored by a cache.
    package static func json(
        _ body: ByteBuffer, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) -> Response {
        var headers = headers
        headers[.contentType] = "application/json; charset=utf-8"
        headers[.cacheControl] = "no-store"
        return Response(status: status, headers: headers, body: .init(byteBuffer: body))
    }

    /// As `json(_:status:headers:)`, with a strong ETag of the body; 304 without one when the request's If-None-Match
    /// names it.
    package static func conditionalJSON(_ body: ByteBuffer, for request: Request) -> Response {
        let tag = EntityTag(strongFor: body)
        var response = json(body, headers: [.eTag: tag.text])
        if let condition = EntityTag.Condition(ifNoneMatch: request.headers), condition.includes(tag) {
            response = Response(status: .notModified, headers: [.eTag: tag.text, .cacheControl: "no-store"])
        }
        return response
    }

    /// An answer that encodes `value`: for answers that are not hot. Dates are written as the contract wants times.
    package init(
        json value: some Encodable, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            try container.encode(date.rfc3339Microseconds)
        }
        self = .json(ByteBuffer(bytes: try encoder.encode(value)), status: status, headers: headers)
    }

    /// 204, with nothing in it.
    package static var noContent: Response { Response(status: .noContent, headers: [.cacheControl: "no-store"]) }
}

extension Date {
    /// RFC 3339, UTC, microseconds, `Z`.
    fileprivate var rfc3339Microseconds: String {
        let micros = Int((timeIntervalSince1970 * 1_000_000).rounded())
        let seconds = Int((Double(micros) / 1_000_000).rounded(.down))
        let fraction = micros - seconds * 1_000_000
        let whole = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
        let digits = String(fraction + 1_000_000).dropFirst()
        return "\(whole.dropLast()).\(digits)Z"
    }
}
