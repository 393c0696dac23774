import Foundation

/// A moment with the precision PostgreSQL keeps: whole microseconds since 1970-01-01T00:00:00Z.
///
/// `Date` is a floating number of seconds and loses the last microsecond of today's dates; cursors and entity tags are
/// made of timestamps that must survive the way back into SQL unchanged.
package struct Timestamp: Sendable, Hashable, Comparable {
    /// Microseconds since 1970 in UTC, negative before.
    package var microseconds: Int64

    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    /// This machine's clock.
    package static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000)
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }
}

extension Timestamp {
    /// RFC 3339 in UTC with six digits of fraction: `2026-01-02T03:04:05.678901Z`.
    package var rfc3339: String {
        var bytes: [UInt8] = []
        bytes.append(self)
        return String(decoding: bytes, as: UTF8.self)
    }

    fileprivate static func floorDivide(_ value: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    /// Reads RFC 3339 text in UTC (`Z`) with up to six digits of fraction; nil for anything else.
    package init?(rfc3339 text: String) {
        guard let match = text.wholeMatch(of: /(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?Z/),
            let year = Int64(match.1), let month = Int64(match.2), let day = Int64(match.3),
            let hour = Int64(match.4), let minute = Int64(match.5), let second = Int64(match.6),
            hour < 24, minute < 60, second < 60
        else { return nil }
        let date = CivilDate(year: year, month: month, day: day)
        guard CivilDate(daysSince1970: date.daysSince1970) == date else { return nil }
        let fraction = match.7.map { $0 + String(repeating: "0", count: 6 - $0.count) } ?? "0"
        let seconds = ((date.daysSince1970 * 24 + hour) * 60 + minute) * 60 + second
        self.init(microseconds: seconds * 1_000_000 + (Int64(fraction) ?? 0))
    }
}

extension [UInt8] {
    /// Appends the RFC 3339 text of a time. Years past 9999 get as many digits as they need, those before 0 a minus.
    package mutating func append(_ time: Timestamp) {
        let seconds = Timestamp.floorDivide(time.microseconds, 1_000_000)
        let days = Timestamp.floorDivide(seconds.quotient, 86_400)
        let date = CivilDate(daysSince1970: days.quotient)
        let second = days.remainder
        if date.year < 0 { append(UInt8(ascii: "-")) }
        appendDecimal(UInt(date.year.magnitude), digits: 4)
        append(date.month, after: "-")
        append(date.day, after: "-")
        append(second / 3600, after: "T")
        append(second / 60 % 60, after: ":")
        append(second % 60, after: ":")
        append(UInt8(ascii: "."))
        appendDecimal(UInt(seconds.remainder), digits: 6)
        append(UInt8(ascii: "Z"))
    }

    /// Two digits.
    private mutating func append(_ value: Int64, after separator: Unicode.Scalar) {
        append(UInt8(ascii: separator))
        append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / 10))
        append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10))
    }
}

extension Timestamp: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let timestamp = Timestamp(rfc3339: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not an RFC 3339 time in UTC")
        }
        self = timestamp
    }

    /// Writes the RFC 3339 text.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rfc3339)
    }
}

/// A day of the proleptic Gregorian calendar, computed as in Howard Hinnant's `chrono`-compatible date algorithms.
struct CivilDate: Equatable {
    var year: Int64
    var month: Int64
    var day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        (self.year, self.month, self.day) = (year, month, day)
    }

    init(daysSince1970: Int64) {
        let shifted = daysSince1970 + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    var daysSince1970: Int64 {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }
}
