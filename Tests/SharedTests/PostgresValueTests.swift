import Foundation
import Shared
import TestSupport
import Testing

/// Each value goes to the server and comes back; the server's own text of it proves that it arrived as meant.
@Suite struct PostgresValueTests {
    private func roundTrip<Value: PostgresCodable & Equatable>(
        _ values: [Value], _ db: PostgresDatabase, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        for value in values {
            for rows in [try await db.read("select \(value)"), try await db.query("select \(value)")] {
                let back = try rows[0].decode(Value.self)
                #expect(back == value, sourceLocation: sourceLocation)
            }
        }
    }

    private func text(_ sql: SQL, _ db: PostgresDatabase) async throws -> String {
        try await db.read(sql)[0].decode(String.self)
    }

    @Test func integersKeepTheirExtremes() async throws {
        try await withTestDatabase { db, _ in
            try await roundTrip([Int.min, -1, 0, 1, Int.max], db)
            try await roundTrip([Int64.min, Int64.max], db)
            try await roundTrip([Int32.min, -1, 0, Int32.max], db)
            try await roundTrip([Int16.min, -1, 0, Int16.max], db)
            let served = try await text("select \(Int64.min)::text || ' ' || \(Int16.max)::text", db)
            #expect(served == "-9223372036854775808 32767")
        }
    }

    @Test func anIntegerIsReadFromEveryWidthThatItFits() async throws {
        try await withTestDatabase { db, _ in
            let rows = try await db.read("select 7::int2, -7::int4, 7::int8, 70000::int4")
            let (small, medium, large, _) = try rows[0].decode(Int.self, Int.self, Int16.self, Int32.self)
            #expect((small, medium, large) == (7, -7, 7))
            #expect(throws: PostgresError.self) { try rows[0].decode(Int16.self, Int16.self, Int16.self, Int16.self) }
        }
    }

    @Test func doublesKeepEveryBit() async throws {
        try await withTestDatabase { db, _ in
            let extremes = [
                0.1, -0.0, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude, 1.0.nextUp,
            ]
            for value in extremes {
                let back = try await db.read("select \(value)")[0].decode(Double.self)
                #expect(back.bitPattern == value.bitPattern)
            }
            let (nan, single) = try await db.read("select \(Double.nan), 1.5::float4")[0].decode(
                Double.self, Double.self)
            #expect(nan.isNaN)
            #expect(single == 1.5)
        }
    }

    @Test func textOfAnyLengthAndScriptComesBack() async throws {
        try await withTestDatabase { db, _ in
            let long = String(repeating: "длинный 👩‍👩‍👧‍👦 text ", count: 100_000)
            try await roundTrip(
                ["", " ", "'; drop table x; --", "\u{1}\u{7f}\n\r\t\\", "é", "e\u{301}", "🏴", long], db)
            #expect(try await db.value("select length(\(long))", Int.self) == long.unicodeScalars.count)
        }
    }

    @Test func textIsReadFromEveryKindOfTextColumn() async throws {
        try await withTestDatabase { db, _ in
            let rows = try await db.read(
                "select 'a'::varchar(3), 'b'::char(2), 'c'::name, '{\"d\":1}'::json, '{\"e\":1}'::jsonb")
            let values = try rows[0].decode(String.self, String.self, String.self, String.self, String.self)
            #expect(values == ("a", "b ", "c", "{\"d\":1}", "{\"e\": 1}"))
        }
    }

    @Test func bytesOfManyMegabytesComeBack() async throws {
        try await withTestDatabase { db, _ in
            var state: UInt64 = 1
            let large = (0..<5_000_000).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1
                return UInt8(truncatingIfNeeded: state >> 33)
            }
            try await roundTrip([[], [0], [UInt8](0...255), large], db)
            #expect(try await text("select md5(\(large))", db).count == 32)
        }
    }

    @Test func booleansUuidsAndNullsComeBack() async throws {
        try await withTestDatabase { db, _ in
            try await roundTrip([true, false], db)
            try await roundTrip([UUID(), UUID(uuidString: "00000000-0000-0000-0000-000000000000")!], db)
            try await roundTrip([nil, 5] as [Int?], db)
            try await roundTrip([nil, ""] as [String?], db)
            try await roundTrip([nil, []] as [[UInt8]?], db)
            try await roundTrip([nil, UUID()] as [UUID?], db)
            let isNull = try await db.read("select \(nil as Double?) is null, \("") is null")[0].decode(
                Bool.self, Bool.self)
            #expect(isNull == (true, false))
        }
    }

    @Test func timestampsKeepTheirMicrosecondsOverAllOfHistory() async throws {
        try await withTestDatabase { db, _ in
            let moments = [
                "0001-01-01T00:00:00.000001Z", "1969-12-31T23:59:59.999999Z", "2026-01-02T03:04:05.678901Z",
                "9999-12-31T23:59:59.999999Z",
            ]
            for moment in moments {
                let timestamp = try #require(Timestamp(rfc3339: moment))
                try await roundTrip([timestamp], db)
                let format = "YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\""
                #expect(try await text("select to_char(\(timestamp) at time zone 'utc', \(format))", db) == moment)
            }
            try await roundTrip([Timestamp(microseconds: .max), Timestamp(microseconds: .min), .now], db)
            #expect(try await text("select \(Timestamp(microseconds: .max))::text", db) == "infinity")
        }
    }

    @Test func datesKeepTheirMicroseconds() async throws {
        try await withTestDatabase { db, _ in
            for microseconds in [0, 1, -1, 1_767_323_045_678_901, -62_135_596_799_999_999] as [Int64] {
                let date = Date(timeIntervalSince1970: Double(microseconds) / 1_000_000)
                let back = try await db.read("select \(date), \(date)")[0].decode(Date.self, Timestamp.self)
                #expect(abs(back.0.timeIntervalSince(date)) < 0.000_001)
                #expect(abs(back.1.microseconds - microseconds) <= (abs(microseconds) > 1 << 53 ? 8 : 0))
            }
            await #expect(throws: PostgresError.self) {
                try await db.read("select \(Date(timeIntervalSince1970: .nan))")
            }
            await #expect(throws: PostgresError.self) {
                try await db.read("select \(Date(timeIntervalSince1970: 1e30))")
            }
        }
    }

    @Test func arraysComeBackWithTheirNullsAndEmptyOnesToo() async throws {
        try await withTestDatabase { db, _ in
            try await roundTrip([[], [Int.min, 0, Int.max]], db)
            try await roundTrip([[nil, 1, nil], [nil], []] as [[Int?]], db)
            try await roundTrip([["", "ü", "{a,b}", "\"quoted\""]], db)
            try await roundTrip([["x", nil]] as [[String?]], db)
            try await roundTrip([[[], [1, 2, 255]]] as [[[UInt8]]], db)
            try await roundTrip([[true, false]], db)
            try await roundTrip([[1.5, -.infinity]], db)
            try await roundTrip([[UUID(), UUID()]], db)
            try await roundTrip([[Timestamp.now]], db)
            try await roundTrip([nil, [1]] as [[Int]?], db)
            let several = try await db.read("select n from unnest(\([3, 4])) n where n = any(\([4, 5]))")
            #expect(try several[0].decode(Int.self) == 4)
        }
    }

    @Test func whatDoesNotFitIsAnErrorThatNamesTheColumn() async throws {
        try await withTestDatabase { db, _ in
            let row = try await db.read("select 1::int8, 'x', null::int8, array[[1,2]]")[0]
            for message in [
                #expect(throws: PostgresError.self) { try row.decode(Int.self, Int.self, Int?.self, [Int].self) },
                #expect(throws: PostgresError.self) { try row.decode(Int.self, String.self, Int.self, [Int].self) },
                #expect(throws: PostgresError.self) { try row.decode(Int.self, String.self, Int?.self, [Int].self) },
            ] {
                #expect(message?.kind == .decoding)
                #expect(message?.message.hasPrefix("column ") == true)
            }
            #expect(throws: PostgresError.self) { try row.decode(Int.self) }
            #expect(throws: PostgresError.self) {
                try row.decode(Int.self, String.self, Int?.self, Bool.self, Bool.self)
            }
        }
    }

    @Test func aNulInATextIsRefusedBeforeItIsSent() async throws {
        try await withTestDatabase { db, _ in
            let error = await #expect(throws: PostgresError.self) { try await db.query("select \("secret\0")") }
            #expect(error?.kind == .encoding)
            #expect(error?.message.contains("NUL") == true)
            #expect(error?.description.contains("secret") == false)
            let array = await #expect(throws: PostgresError.self) { try await db.query("select \(["a", "\0"])") }
            #expect(array?.kind == .encoding)
            #expect(db.statistics.open == 0)
        }
    }

    @Test func aSplicedStatementIsRenumbered() async throws {
        try await withTestDatabase { db, _ in
            let inner: SQL = "n > \(1) and n < \(12) and '$1' <> \("$2")"
            let rows = try await db.read(
                """
                select n from generate_series(\(0), \(20)) n
                where \(sql: inner) and n % \(5) = 0 \(unsafeRaw: "order by n")
                """
            )
            let numbers = try rows.map { try $0.decode(Int32.self) }
            #expect(numbers == [5, 10])
        }
    }
}
