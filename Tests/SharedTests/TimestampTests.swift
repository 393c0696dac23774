import Foundation
import Shared
import Testing

@Suite struct TimestampTests {
    @Test func theTextIsRfc3339InUtcWithSixDigits() {
        #expect(Timestamp(microseconds: 0).rfc3339 == "1970-01-01T00:00:00.000000Z")
        #expect(Timestamp(microseconds: -1).rfc3339 == "1969-12-31T23:59:59.999999Z")
        #expect(Timestamp(microseconds: 1_767_323_045_678_901).rfc3339 == "2026-01-02T03:04:05.678901Z")
        #expect(Timestamp(microseconds: 951_782_400_000_000).rfc3339 == "2000-02-29T00:00:00.000000Z")
    }

    @Test func everyTextIsReadBackAsTheMomentItCameFrom() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let moment = Timestamp(
                microseconds: .random(in: -62_135_596_800_000_000..<253_402_300_800_000_000, using: &generator))
            #expect(Timestamp(rfc3339: moment.rfc3339) == moment)
            let json = try JSONEncoder().encode([moment])
            #expect(try JSONDecoder().decode([Timestamp].self, from: json) == [moment])
        }
    }

    /// From 1583 on; before that Foundation has the Julian calendar, PostgreSQL (and this) the proleptic Gregorian one.
    @Test func theCalendarAgreesWithFoundation() throws {
        for day in stride(from: -141_000, to: 2_900_000, by: 997) {
            let seconds = Int64(day) * 86_400
            let text = Date(timeIntervalSince1970: Double(seconds)).formatted(.iso8601)
            #expect(Timestamp(microseconds: seconds * 1_000_000).rfc3339 == text.replacing("Z", with: ".000000Z"))
        }
    }

    @Test(arguments: [
        "", "2026-01-02", "2026-02-30T00:00:00Z", "2026-01-02T24:00:00Z", "2026-01-02T03:04:05+01:00",
        "2026-01-02T03:04:05.1234567Z",
    ])
    func otherTextsAreRefused(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test func theExtremesDoNotTrap() {
        for moment in [Timestamp(microseconds: .min), Timestamp(microseconds: .max)] {
            #expect(moment.rfc3339.hasSuffix("Z"))
        }
    }
}
