package import Foundation

/// PostgreSQL counts microseconds from 2000-01-01T00:00:00Z (`POSTGRES_EPOCH_JDATE`), Unix from 1970.
private let postgresEpochMicroseconds: Int64 = 946_684_800_000_000

extension Timestamp: PostgresCodable {
    package static var postgresType: PostgresType { .timestamptz }

    /// `Int64.max` and `.min` are PostgreSQL's `infinity` and `-infinity`, both ways.
    package func encode(into writer: inout PostgresWriter) -> PostgresNullness {
        let (shifted, overflow) = microseconds.subtractingReportingOverflow(postgresEpochMicroseconds)
        writer.write(microseconds == .max || overflow ? microseconds : shifted)
        return .value
    }

    package init(from cell: PostgresCell) throws {
        let value = try cell.required(.timestamptz, as: Timestamp.self).integer(Int64.self)
        let isInfinite = value == .max || value == .min
        self.init(
            microseconds: isInfinite ? value : value.addingReportingOverflow(postgresEpochMicroseconds).partialValue)
    }
}

extension Date: PostgresCodable {
    package static var postgresType: PostgresType { .timestamptz }

    /// Rounded to the nearest microsecond; a date that is not a number or outside PostgreSQL's range is refused.
    package func encode(into writer: inout PostgresWriter) -> PostgresNullness {
        let microseconds = (timeIntervalSinceReferenceDate * 1_000_000).rounded()
        guard let exact = Int64(exactly: microseconds), exact.magnitude < 1 << 62 else {
            writer.refuse("is a date that PostgreSQL cannot hold")
            return .value
        }
        writer.write(exact + Self.referenceDateMicroseconds)
        return .value
    }

    package init(from cell: PostgresCell) throws {
        let value = try cell.required(.timestamptz, as: Date.self).integer(Int64.self)
        guard value != .max && value != .min else { throw PostgresError.decoding("infinity is not a Date") }
        let microseconds = value.subtractingReportingOverflow(Self.referenceDateMicroseconds).partialValue
        self.init(timeIntervalSinceReferenceDate: Double(microseconds) / 1_000_000)
    }

    /// Foundation's reference date, 2001-01-01, in microseconds since PostgreSQL's epoch: 2000 was a leap year.
    private static let referenceDateMicroseconds: Int64 = 366 * 86_400 * 1_000_000
}
