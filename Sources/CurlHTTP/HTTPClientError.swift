/// The reason a transfer failed. Descriptions contain no secret and may be logged.
package enum HTTPClientError: Error, Equatable, CustomStringConvertible {
    /// The reading task was cancelled.
    case cancelled
    /// The deadline that the reader set has passed.
    case timedOut
    /// No place among the transfers that may run at once became free within the time for connecting.
    case busy
    /// The client was shut down.
    case shutDown
    /// The request cannot be sent: a line break in a header field, say.
    case invalidRequest
    /// libcurl gave up: its code (libcurl-errors(3)) and what it says about it.
    case failed(code: Int, reason: String)

    package var description: String {
        switch self {
        case .cancelled: "the request was cancelled"
        case .timedOut: "the deadline passed"
        case .busy: "too many requests are running; none ended in time"
        case .shutDown: "the HTTP client was shut down"
        case .invalidRequest: "the request has a line break or a NUL in a field"
        case .failed(let code, let reason): "\(reason) (libcurl \(code))"
        }
    }
}
