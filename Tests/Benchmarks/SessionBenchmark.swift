import Foundation
import Shared
import TestSupport

/// What AuthService does besides hashing: reading a profile, renewing a session, and both while others sign in.
enum SessionBenchmark {
    /// More than a load uses up: each refresh has a token that was never used before.
    private static let sessions = 60_000

    @Sendable static func profile(_ plan: BenchmarkPlan) async throws -> [Figure] {
        try await BenchmarkSite.run(plan) { site in
            let base = try site.suite.auth.client.base
            let plain = try await LoadTools.wrk(
                base + "/livez", connections: plan.connections, plan: plan, folder: site.folder)
            let ours = try await LoadTools.wrk(
                base + "/api/profile", token: site.user.token, connections: plan.connections, plan: plan,
                folder: site.folder)
            guard ours.errors + plain.errors == 0 else { throw SuiteFault(description: "errors: \(ours) \(plain)") }
            return [
                .ratio(
                    "`GET /api/profile` : a plain-text route of the same server", ours.perSecond, to: plain.perSecond,
                    unit: "/s", .atLeast(0.7))
            ]
        }
    }

    @Sendable static func flood(_ plan: BenchmarkPlan) async throws -> [Figure] {
        try await BenchmarkSite.run(plan, settings: ["HASH_WORKERS": "1"]) { site in
            let base = try site.suite.auth.client.base
            let profile: @Sendable () async throws -> LoadResult = {
                try await LoadTools.wrk(
                    base + "/api/profile", token: site.user.token, connections: 4, plan: plan, folder: site.folder)
            }
            // Of another user: a user's sessions are bounded, and the one whose profile is read must not end.
            let other = try await site.suite.register("Bob")
            let idle = try await profile()
            var long = plan
            long.seconds = plan.seconds + plan.warmUpSeconds + 1
            long.warmUpSeconds = 1
            let script = """
                wrk.method = "POST"
                wrk.headers["Content-Type"] = "application/json"
                wrk.body = '{"email":"\(other.email)","password":"\(SignedInUser.password)"}'
                """
            async let logins = LoadTools.wrk(
                base + "/login", script: script, connections: 64, plan: long, folder: site.folder)
            let busy = try await profile()
            let others = try await logins
            guard idle.errors + busy.errors + others.errors == 0 else {
                throw SuiteFault(description: "errors: \(idle) \(busy) \(others)")
            }
            return [
                .ratio(
                    "99th percentile of `GET /api/profile`, sign-ins waiting in a queue : idle", busy.percentile99,
                    to: idle.percentile99, unit: "ms", .atMost(3))
            ]
        }
    }

    @Sendable static func refresh(_ plan: BenchmarkPlan) async throws -> [Figure] {
        try await BenchmarkSite.run(plan) { site in
            let auth = try site.suite.auth.client
            let body: JSON = ["refresh_token": .string(site.user.refreshToken)]
            let statements = try await StatementCapture.during(
                site, of: "parley-auth", containing: ["update auth.sessions"]
            ) {
                guard try await auth.post("/refresh", body).status == 200 else {
                    throw SuiteFault(description: "/refresh")
                }
            }
            guard let statement = statements.first, statements.count == 1 else {
                throw SuiteFault(description: "a refresh should cost one statement, not \(statements.count)")
            }
            let tokens = try await makeSessions(site)
            let theirs = try await LoadTools.pgbench(
                pgbenchScript(statement), url: site.suite.databaseURL, plan: plan, folder: site.folder)
            let ours = try await LoadTools.wrk(
                auth.base + "/refresh", script: wrkScript(tokens), connections: plan.connections, plan: plan,
                folder: site.folder)
            guard ours.errors == 0 else { throw SuiteFault(description: "\(ours.errors) errors while refreshing") }
            return [
                .ratio(
                    "`POST /refresh` : the same statement in `pgbench`", ours.perSecond, to: theirs, unit: "/s",
                    .atLeast(0.4))
            ]
        }
    }

    /// Sessions of the user. The token of the n-th is 48 bytes made of n; sessions 1 to 64 are for `pgbench`.
    /// - Returns: a file with a token a line.
    private static func makeSessions(_ site: BenchmarkSite) async throws -> URL {
        let token: SQL = "decode(md5('s' || n), 'hex') || sha256(convert_to('t' || n, 'UTF8'))"
        try await site.database.query(
            """
            insert into auth.sessions (user_id, selector_hash, refresh_hash, expires_at, absolute_expires_at,
                access_until, ip, user_agent)
            select \(site.user.id), sha256(decode(md5('s' || n), 'hex')),
                case when n <= 64 then sha256('') else sha256(\(sql: token)) end,
                now() + interval '1 day', now() + interval '2 days', now() + interval '1 hour', '', ''
            from generate_series(1, \(sessions)) as n
            """)
        try await site.database.query("vacuum analyze auth.sessions")
        let rows = try await site.database.query(
            """
            select string_agg(translate(replace(encode(\(sql: token), 'base64'), E'\\n', ''), '+/', '-_'), E'\\n')
            from generate_series(65, \(sessions)) as n
            """)
        let file = site.folder.url.appending(path: "tokens")
        try rows[0].decode(String.self).write(to: file, atomically: true, encoding: .utf8)
        return file
    }

    /// Every hash is that of nothing, the present one and its successor: each run of the statement rotates.
    private static func pgbenchScript(_ statement: StatementCapture.Statement) -> String {
        let isSelector = { (number: Int) in statement.text.contains("selector_hash = $\(number)") }
        let script = statement.script { number, value in
            if isSelector(number) { return "sha256(decode(md5('s' || :n), 'hex'))" }
            return value.hasPrefix("'\\x") ? "sha256('')" : nil
        }
        return "\\set n random(1, 64)\n" + script + ";\n"
    }

    /// The threads take turns; the load that is counted begins where the one before it cannot have come.
    private static func wrkScript(_ tokens: URL) -> String {
        """
        wrk.method = "POST"
        wrk.headers["Content-Type"] = "application/json"
        local threads = 0
        function setup(thread)
            thread:set("id", threads)
            threads = threads + 1
        end
        function init(args)
            tokens = {}
            for line in io.lines("\(tokens.path)") do tokens[#tokens + 1] = line end
            place = id + (args[1] == "counted" and \(sessions / 5) or 0)
        end
        function request()
            place = place + 2
            return wrk.format(nil, nil, nil, '{"refresh_token":"' .. tokens[place % #tokens + 1] .. '"}')
        end
        """
    }
}
