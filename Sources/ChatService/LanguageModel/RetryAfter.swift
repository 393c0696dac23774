/// Reads the `Retry-After` header field (RFC 9110, section 10.2.3): seconds, or a date.
package enum RetryAfter {
    /// Longer waits are cut to this; nobody means more.
    package static let secondsMax = 24 * 60 * 60

    /// How long to wait, or nil if the value is neither form. A date in the past is no wait.
    ///
    /// - Parameter now: seconds since 1970 UTC.
    package static func duration(from value: String, now: Int) -> Duration? {
        let value = value.drop { $0 == " " }
        if !value.isEmpty, value.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return .seconds(min(Int(value) ?? secondsMax, secondsMax))
        }
        return secondsSince1970(ofDate: value).map { .seconds(min(max($0 - now, 0), secondsMax)) }
    }

    /// The date in the one form that senders may generate (IMF-fixdate): `Sun, 06 Nov 1994 08:49:37 GMT`. The two
    /// obsolete forms are not read: no server of this kind is that old, and without the field the waits are sensible.
    static func secondsSince1970(ofDate value: Substring) -> Int? {
        let words = value.split(whereSeparator: { " ,:".contains($0) })
        guard words.count == 8, words[7] == "GMT" else { return nil }
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard let month = months.firstIndex(where: { $0 == words[2] }),
            let day = number(words[1], 1...31), let year = number(words[3], 1970...9999),
            let hour = number(words[4], 0...23), let minute = number(words[5], 0...59),
            let second = number(words[6], 0...60)
        else { return nil }
        return ((days(year: year, month: month + 1, day: day) * 24 + hour) * 60 + minute) * 60 + second
    }

    private static func number(_ word: Substring, _ range: ClosedRange<Int>) -> Int? {
        Int(word).flatMap { range.contains($0) ? $0 : nil }
    }

    /// Days from 1970-01-01 to a date of the Gregorian calendar. The year is counted from March, so that the leap day
    /// is its last; then the days before a month follow one linear formula.
    private static func days(year: Int, month: Int, day: Int) -> Int {
        let yearFromMarch = month > 2 ? year : year - 1
        let monthFromMarch = (month + 9) % 12
        let leapDays = yearFromMarch / 4 - yearFromMarch / 100 + yearFromMarch / 400
        let daysBeforeMonth = (153 * monthFromMarch + 2) / 5
        return 365 * yearFromMarch + leapDays + daysBeforeMonth + day - 1 - 719_468
    }
}
