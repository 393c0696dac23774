import Foundation
import Shared
import Synchronization
import Testing

@Suite("Access token verifier")
struct AccessTokenVerifierTests {
    private final class Clock: Sendable {
        let now = Mutex(1_800_000_000)
        func advance(_ seconds: Int) { now.withLock { $0 += seconds } }
        var time: Int { now.withLock { $0 } }
        var read: @Sendable () -> Int { { self.now.withLock { $0 } } }
    }

    private let clock = Clock()
    private let key = AccessTokenKey(secret: Secret("0123456789abcdef-0123456789ABCDEF-+/"))
    private let session = UUID()

    private func verifier(_ revoked: RevokedSessions, cacheTokensMax: Int = 10) -> AccessTokenVerifier {
        revoked.isCurrent()
        return AccessTokenVerifier(
            reader: AccessTokenReader(keys: [key]), revoked: revoked, cacheTokensMax: cacheTokensMax, clock: clock.read
        )
    }

    private func token(user: Int = 1) -> String {
        AccessTokenSigner(key: key, lifetimeSeconds: 900)
            .sign(userID: user, email: "a@example.org", sessionID: session, now: clock.time)
    }

    @Test("a cached token still expires")
    func expires() throws {
        let verifier = verifier(RevokedSessions(silenceSecondsMax: 100_000, clock: clock.read))
        let token = token()
        for _ in 0..<3 { #expect(try verifier.identity(in: token).userID == 1) }
        clock.advance(929)
        #expect(throws: Never.self) { try verifier.identity(in: token) }
        clock.advance(1)
        #expect(#expect(throws: Problem.self) { try verifier.identity(in: token) }?.code == .invalidToken)
    }

    @Test("a revoked session ends a cached token at once")
    func revoked() throws {
        let revoked = RevokedSessions(clock: clock.read)
        let verifier = verifier(revoked)
        let token = token()
        #expect(throws: Never.self) { try verifier.identity(in: token) }
        revoked.revoke(session, expiresAt: clock.time + 900)
        #expect(#expect(throws: Problem.self) { try verifier.identity(in: token) }?.code == .invalidToken)
    }

    @Test("when nobody knows what is revoked for longer than a token lives, no token counts")
    func silence() throws {
        let revoked = RevokedSessions(silenceSecondsMax: 900, clock: clock.read)
        #expect(revoked.state(of: session) == .unknown)
        let verifier = verifier(revoked)
        clock.advance(899)
        #expect(throws: Never.self) { try verifier.identity(in: token()) }
        clock.advance(1)
        #expect(#expect(throws: Problem.self) { try verifier.identity(in: token()) }?.code == .databaseUnavailable)
        revoked.isCurrent()
        #expect(throws: Never.self) { try verifier.identity(in: token()) }
    }

    @Test(
        "a token is trusted in silence for as long as it lives, and never for longer than the bound",
        arguments: [(60, 89, 91), (86_400, 899, 901)])
    func silenceByLifetime(lifetime: Int, good: Int, bad: Int) throws {
        let verifier = verifier(RevokedSessions(silenceSecondsMax: 900, clock: clock.read))
        func token() -> String {
            AccessTokenSigner(key: key, lifetimeSeconds: lifetime)
                .sign(userID: 1, email: "a@example.org", sessionID: session, now: clock.time)
        }
        clock.advance(good)
        let fresh = token()
        #expect(throws: Never.self) { try verifier.identity(in: fresh) }
        clock.advance(bad - good)
        for token in [fresh, token()] {
            #expect(#expect(throws: Problem.self) { try verifier.identity(in: token) }?.code == .databaseUnavailable)
        }
    }

    @Test("the cache is bounded, and right also when it is full")
    func bounded() throws {
        let verifier = verifier(RevokedSessions(clock: clock.read), cacheTokensMax: 8)
        let tokens = (1...100).map { token(user: $0) }
        for _ in 0..<2 {
            for (index, token) in tokens.enumerated() { #expect(try verifier.identity(in: token).userID == index + 1) }
        }
    }

    @Test("forgets revocations whose tokens have all expired")
    func forgets() {
        let revoked = RevokedSessions(clock: clock.read)
        for _ in 0..<100 { revoked.revoke(UUID(), expiresAt: clock.time + 900) }
        revoked.isCurrent()
        #expect(revoked.count == 100)
        clock.advance(901)
        revoked.isCurrent()
        #expect(revoked.count == 0)
    }
}
