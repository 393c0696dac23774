import Foundation
import Shared
import Testing

@testable import AuthService

@Suite("Login throttle", .serialized)
struct LoginThrottleTests {
    @Test("five failures are free, then each costs 1, 2, 4 … 60 seconds")
    func pauses() {
        #expect(LoginThrottle.pauseSeconds == [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60])
    }

    @Test("after five failures the right password is refused too, until the pause is over")
    func throttled() async throws {
        try await AuthSite.run { site in
            _ = try await site.register()
            for _ in 0..<5 { #expect(try await site.login(password: "wrong password").status == 401) }
            #expect(try await site.pauseSeconds() == 1)
            try await site.stretchPauses()
            let refused = try await site.login()
            #expect(refused.status == 429 && refused.code == "too_many_attempts")
            #expect((3_500...3_600).contains(Int(refused.headers[.retryAfter] ?? "") ?? 0))
            try await site.endPauses()
            #expect(try await site.login().status == 200)
            #expect(try await site.count("select count(*) from auth.login_attempts") == 0)
            let events = try await site.auditEvents()
            #expect(
                events == ["registered"] + Array(repeating: "login_failed", count: 5)
                    + ["login_throttled", "login_succeeded"])
        }
    }

    @Test("each further failure doubles the pause, up to a minute; the sixtieth is no longer")
    func backoff() async throws {
        try await AuthSite.run { site in
            _ = try await site.register()
            for _ in 0..<4 { _ = try await site.login(password: "wrong password") }
            for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
                #expect(try await site.login(password: "wrong password").status == 401)
                #expect(try await site.pauseSeconds() == seconds)
                try await site.endPauses()
            }
        }
    }

    @Test("whether somebody is registered does not show in a pause")
    func unknownAccounts() async throws {
        try await AuthSite.run { site in
            _ = try await site.register()
            for email in ["ann@example.com", "nobody@example.com"] {
                for _ in 0..<5 { #expect(try await site.login(email, password: "wrong password").status == 401) }
            }
            try await site.stretchPauses()
            let known = try await site.login("ann@example.com", password: "wrong password")
            let unknown = try await site.login("nobody@example.com", password: "wrong password")
            #expect(known.status == 429 && unknown.status == 429 && known.problem == unknown.problem)
        }
    }

    @Test("of many guesses sent at once, one is answered when the free ones are used up")
    func burst() async throws {
        try await AuthSite.run { site in
            _ = try await site.register()
            _ = try await site.login(password: "wrong password")
            try await site.database.query("update auth.login_attempts set failures = 10")
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<30 { group.addTask { try await site.login(password: "wrong password").status } }
                return try await group.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
            }
            #expect(statuses == [401: 1, 429: 29])
        }
    }

    @Test("a stranger's failures do not lock the owner out")
    func elsewhere() async throws {
        try await AuthSite.run(over: .live) { site in
            _ = try await site.register()
            for _ in 0..<5 { _ = try await site.login(password: "wrong password", from: "192.0.2.1") }
            try await site.stretchPauses()
            #expect(try await site.login(from: "192.0.2.1").status == 429)
            #expect(try await site.login(from: "192.0.2.2").status == 200)
            #expect(try await site.login(from: "192.0.2.1").status == 429)
        }
    }

    @Test("an address has thirty failures a minute over all accounts; one IPv6 customer is one address")
    func perAddress() async throws {
        try await AuthSite.run(over: .live) { site in
            _ = try await site.register()
            for number in 0..<30 {
                let status = try await site.login("no\(number)@example.com", from: "2001:db8:1:2::\(number)").status
                #expect(status == 401)
            }
            let refused = try await site.login("no30@example.com", from: "2001:db8:1:2:ffff::1")
            #expect(refused.status == 429)
            #expect((1...60).contains(Int(refused.headers[.retryAfter] ?? "") ?? 0))
            #expect(try await site.login(from: "2001:db8:1:2::1").status == 429)
            #expect(try await site.login(from: "2001:db8:1:3::1").status == 200)
            try await site.database.query(
                "update auth.address_windows set started_at = started_at - interval '1 minute'")
            #expect(try await site.login(from: "2001:db8:1:2::1").status == 200)
        }
    }

    @Test("failures are forgotten after a quarter of an hour, and swept")
    func forgotten() async throws {
        try await AuthSite.run { site in
            _ = try await site.register()
            for _ in 0..<4 { _ = try await site.login(password: "wrong password") }
            try await site.database.query(
                "update auth.login_attempts set last_at = last_at - interval '16 minutes'")
            for _ in 0..<4 { #expect(try await site.login(password: "wrong password").status == 401) }
            #expect(try await site.login().status == 200)

            _ = try await site.login(password: "wrong password")
            try await site.database.query(
                "update auth.login_attempts set last_at = last_at - interval '16 minutes'")
            try await site.database.deleteExpired()
            #expect(try await site.count("select count(*) from auth.login_attempts") == 0)
        }
    }
}

extension AuthSite {
    /// The pause that began with the last failure.
    func pauseSeconds() async throws -> Int {
        try await count("select round(extract(epoch from blocked_until - last_at))::bigint from auth.login_attempts")
    }

    /// Makes every pause an hour, which no test takes.
    func stretchPauses() async throws {
        try await database.query("update auth.login_attempts set blocked_until = clock_timestamp() + interval '1 hour'")
    }

    /// As if everybody had waited.
    func endPauses() async throws {
        try await database.query("update auth.login_attempts set blocked_until = clock_timestamp()")
    }
}
