import Foundation
import TestSupport
import Testing

@testable import Chaos

/// A replica that has heard nothing of ended sessions for as long as a token lives cannot tell any more which tokens
/// are good: it refuses all of them, and goes on by itself when it sees the database again.
@Suite("A replica that does not see the database", .tags(.long, .waits))
struct BlindReplicaTests {
    private static let tokenSeconds = 1
    /// How long such a token counts: clocks may be 30 s apart.
    private static let lifetime = Duration.seconds(tokenSeconds + 30)

    /// The tokens that a client holds at the moment.
    private struct Session: Sendable {
        var token: String
        var refreshToken: String

        init(_ user: SignedInUser) { (token, refreshToken) = (user.token, user.refreshToken) }

        /// Gets the next ones, as every client does before the first is over.
        mutating func renew(at auth: ServiceClient) async throws {
            let reply = try await auth.post("/refresh", ["refresh_token": .string(refreshToken)])
            token = try reply.json["token"].string.orThrow("token in \(reply)")
            refreshToken = try reply.json["refresh_token"].string.orThrow("refresh token in \(reply)")
        }
    }

    /// What a replica says to a token; the list of domains is in its memory, so nothing else can be in the way.
    private func answer(to session: Session, at replica: SpawnedService) async throws -> Reply {
        try await replica.client.with(token: session.token).get("/domains")
    }

    /// Its way to the database swallows everything, or breaks off first. AuthService and another replica see on.
    @Test(arguments: [false, true])
    func refusesAlsoFreshTokensWhenItsSilenceIsLongerThanTheyLiveAndRecovers(isCut: Bool) async throws {
        try await withReplicaBehindProxy { suite, blind, proxy in
            let auth = try suite.auth.client
            var staying = Session(try await suite.register("Ann"))
            var leaving = Session(try await suite.register("Bob"))
            #expect(try await answer(to: staying, at: blind).status == 200)

            proxy.hold()
            if isCut { proxy.cut() }
            let start = ContinuousClock.now
            try await staying.renew(at: auth)
            #expect(try await answer(to: staying, at: blind).status == 200, "it has not been silent for long")
            let refusal = try await firstRefusal(of: &staying, by: blind, auth)
            let silence = start.duration(to: .now)
            #expect(refusal.status == 503 && refusal.code == "database_unavailable", "\(refusal)")
            #expect(refusal.headers.first(name: "Retry-After").flatMap { Int($0) } != nil)
            // What a busy machine adds.
            #expect(silence < Self.lifetime + .seconds(5))
            #expect(try await answer(to: staying, at: suite.chats[0]).status == 200, "the other one knows more")

            try await leaving.renew(at: auth)
            #expect(try await auth.with(token: leaving.token).post("/logout").status == 204)
            #expect(try await answer(to: leaving, at: blind).status == 503)
            try await staying.renew(at: auth)
            proxy.resume()
            let fresh = staying
            _ = try await polling(for: "the replica to see again", atMost: .seconds(20)) {
                try await answer(to: fresh, at: blind).status == 200 ? true : nil
            }
            #expect(try await answer(to: leaving, at: blind).code == "invalid_token", "heard of before it spoke again")
            try await blind.waitUntilReady()
            #expect(try await blind.client.with(token: fresh.token).get("/conversations").status == 200)
        }
    }

    /// Nobody sees the database: no new token can be had, and the old ones end with their life.
    @Test func noTokenIsTrustedForLongerThanItLivesWhileTheDatabaseIsStopped() async throws {
        let postgres = try await PrivatePostgres.make()
        let result: Result<Void, any Error>
        do {
            let settings = ["ACCESS_TOKEN_SECONDS": "\(Self.tokenSeconds)"]
            try await withSuite(databaseURL: postgres.url, settings: settings) { suite in
                let (auth, chat) = (try suite.auth, suite.chats[0])
                let session = Session(try await suite.register())
                try await postgres.stop(immediately: true)
                #expect(try await answer(to: session, at: chat).status == 200, "it has not been silent for long")
                let refusal = try await polling(for: "the refusal", atMost: Self.lifetime + .seconds(5)) {
                    let reply = try await answer(to: session, at: chat)
                    return reply.status == 200 ? nil : reply
                }
                #expect([401, 503].contains(refusal.status), "\(refusal)")
                #expect(try await auth.client.with(token: session.token).get("/api/profile").status != 200)

                try await postgres.start()
                for service in [auth, chat] { try await service.waitUntilReady() }
                // The silence may have been too long a moment before the token was too old.
                _ = try await polling(for: "the end of the token", atMost: Self.lifetime + .seconds(5)) {
                    try await answer(to: session, at: chat).code == "invalid_token" ? true : nil
                }
                var renewed = session
                try await renewed.renew(at: auth.client)
                // Ready comes first, and up to a second later the next look at the ended sessions.
                let fresh = renewed
                _ = try await polling(for: "both services to trust again", atMost: .seconds(10)) {
                    let profile = try await auth.client.with(token: fresh.token).get("/api/profile").status
                    return try await (profile, answer(to: fresh, at: chat).status) == (200, 200) ? true : nil
                }
            }
            result = .success(())
        } catch { result = .failure(error) }
        try await postgres.remove()
        try result.get()
    }

    /// Asks with a token that is never older than a few moments.
    private func firstRefusal(
        of session: inout Session, by replica: SpawnedService, _ auth: ServiceClient
    ) async throws -> Reply {
        let end = ContinuousClock.now + Self.lifetime * 2
        while ContinuousClock.now < end {
            try await session.renew(at: auth)
            let reply = try await answer(to: session, at: replica)
            if reply.status != 200 { return reply }
            try await Task.sleep(for: .milliseconds(200))
        }
        throw SuiteFault(description: "a replica without a database goes on trusting tokens")
    }

    /// One replica reaches the database through a proxy, everybody else directly.
    private func withReplicaBehindProxy(
        _ body: @escaping @Sendable (Suite, SpawnedService, DatabaseProxy) async throws -> Void
    ) async throws {
        try await withProxiedDatabase { url, through, proxy in
            let settings = ["ACCESS_TOKEN_SECONDS": "\(Self.tokenSeconds)"]
            try await withSuite(databaseURL: url, settings: settings) { suite in
                let blind = try await suite.start(.chat, through)
                defer { proxy.resume() }
                try await body(suite, blind, proxy)
            }
        }
    }
}
