import Foundation
import Shared
import TestSupport

/// When jobs were claimed, written down by a trigger in the benchmark's own database.
struct ClaimTimes: Sendable {
    private let database: PostgresDatabase

    /// Begins to write them down.
    static func record(_ database: PostgresDatabase) async throws -> ClaimTimes {
        try await database.query("create table chat.claims (question_id bigint, attempt int, at timestamptz)")
        try await database.query(
            """
            create function chat.note_claim() returns trigger language plpgsql as $$ begin
                insert into chat.claims values (new.question_id, new.attempt, clock_timestamp());
                return new;
            end $$
            """)
        try await database.query(
            """
            create trigger note_claim before update on chat.jobs for each row
            when (new.attempt > old.attempt) execute function chat.note_claim()
            """)
        return ClaimTimes(database: database)
    }

    /// Seconds since 1970 at which a question's job was claimed after `time` for the first time; waits for it.
    func claim(of question: Int, after time: Double = 0, atMost limit: Duration = .seconds(60)) async throws -> Double {
        try await polling(for: "the claim of \(question)", atMost: limit) {
            let rows = try await database.query(
                """
                select extract(epoch from min(at))::float8 from chat.claims
                where question_id = \(question) and at > to_timestamp(\(time))
                """)
            return try rows.first?.decode(Double?.self) ?? nil
        }
    }
}

/// Times of many equal things.
struct Percentiles {
    private let sorted: [Double]

    init(_ values: [Double]) { sorted = values.sorted() }

    /// The value that this share of the others does not exceed (nearest rank).
    func at(_ share: Double) -> Double {
        guard !sorted.isEmpty else { return 0 }
        return sorted[min(sorted.count - 1, max(0, Int((share * Double(sorted.count)).rounded(.up)) - 1))]
    }
}
