import HTTPTypes
import NIOCore

/// One line a request. Neither queries nor header fields are in it: they may carry secrets.
package struct RequestLog: Sendable {
    private let format: LogSettings.Format?
    private let label: String
    private let write: @Sendable ([UInt8]) -> Void

    /// - Parameter write: takes each line with its line feed.
    package init(
        label: String, settings: LogSettings,
        write: @escaping @Sendable ([UInt8]) -> Void = { LogSink.standardError.write($0) }
    ) {
        format = settings.level <= .info ? settings.format : nil
        self.label = label
        self.write = write
    }

    /// What one line says.
    struct Entry {
        let requestID: String
        let method: HTTPRequest.Method
        let route: String
        let status: Int
        let duration: TimeAmount
        let bytes: Int
        let userID: Int
        let problem: ProblemCode?
    }

    func note(_ entry: Entry) {
        guard let format else { return }
        var fields: [(StaticString, LogLine.Field)] = [
            ("request_id", .text(entry.requestID)),
            ("method", .text(entry.method.label)),
            ("route", .text(entry.route)),
            ("status", .number(entry.status)),
            ("ms", .thousandths(Int(entry.duration.nanoseconds / 1000))),
            ("bytes", .number(entry.bytes)),
        ]
        if entry.userID > 0 { fields.append(("user_id", .number(entry.userID))) }
        if let problem = entry.problem { fields.append(("code", .text(problem.rawValue))) }
        write(LogLine.make(format, level: .info, message: "request", label: label, fields: fields))
    }
}

extension LogLine {
    /// A value of a line that is made without swift-log's dictionary, because every request makes one.
    enum Field {
        case text(String)
        case number(Int)
        /// A number with three decimals, given in thousandths.
        case thousandths(Int)
    }
}
