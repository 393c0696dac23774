import Foundation
import Synchronization

/// Tells who sends a request: an `AccessTokenReader` behind a bounded cache, and the revoked sessions before every use,
/// also of a cached token.
package final class AccessTokenVerifier: Sendable {
    private let reader: AccessTokenReader
    private let revoked: RevokedSessions
    private let cache: VerifiedTokens
    private let clock: @Sendable () -> Int

    /// - Parameters:
    ///   - revoked: the sessions that ended before their tokens do.
    ///   - cacheTokensMax: how many verified tokens are remembered.
    ///   - clock: seconds since 1970.
    package init(
        reader: AccessTokenReader, revoked: RevokedSessions, cacheTokensMax: Int = 10_000,
        clock: @escaping @Sendable () -> Int = { Int(Date().timeIntervalSince1970) }
    ) {
        self.reader = reader
        self.revoked = revoked
        self.clock = clock
        cache = VerifiedTokens(tokensMax: cacheTokensMax)
    }

    /// The identity in a token: `invalidToken` for whatever is wrong with it, 503 when this replica has not known for
    /// too long which sessions are revoked.
    package func identity(in token: String) throws -> AccessIdentity {
        let now = clock()
        let identity: AccessIdentity
        if let known = cache.identity(of: token), known.expiresAt > now - AccessTokenRules.leewaySeconds {
            identity = known
        } else {
            identity = try read(token, now: now)
            cache.remember(identity, of: token)
        }
        switch revoked.state(of: identity.sessionID, lifetimeSeconds: identity.lifetimeSeconds) {
        case .alive: return identity
        case .revoked: throw Problem(.invalidToken, cause: "session revoked")
        case .unknown:
            throw Problem(
                .databaseUnavailable,
                cause: "which sessions are revoked is not known: no RevokedSessionsFeed has read them in time")
        }
    }

    private func read(_ token: String, now: Int) throws -> AccessIdentity {
        do throws(AccessTokenReader.Refusal) {
            return try reader.identity(in: token, now: now)
        } catch {
            throw Problem(.invalidToken, cause: "token refused: \(error.rawValue)")
        }
    }
}

/// Tokens whose signature was checked, by their text, in two generations: when the young one is full it becomes the
/// old one, and the old one is forgotten. So every operation is O(1), and a token in use survives.
///
/// The whole token is the key: a hash alone would let a collision stand for a signature. Four locks, because every
/// request of both services comes by here.
private final class VerifiedTokens: Sendable {
    private final class Shard: Sendable {
        let generations = Mutex((young: [String: AccessIdentity](), old: [String: AccessIdentity]()))
    }

    private let shards: [Shard]
    private let generationMax: Int

    init(tokensMax: Int, shardCount: Int = 4) {
        shards = (0..<shardCount).map { _ in Shard() }
        generationMax = max(1, tokensMax / (2 * shardCount))
    }

    func identity(of token: String) -> AccessIdentity? {
        shard(of: token).generations.withLock { generations in
            if let identity = generations.young[token] { return identity }
            guard let identity = generations.old.removeValue(forKey: token) else { return nil }
            insert(identity, token, into: &generations)
            return identity
        }
    }

    func remember(_ identity: AccessIdentity, of token: String) {
        shard(of: token).generations.withLock { insert(identity, token, into: &$0) }
    }

    private func insert(
        _ identity: AccessIdentity, _ token: String,
        into generations: inout (young: [String: AccessIdentity], old: [String: AccessIdentity])
    ) {
        if generations.young.count >= generationMax {
            generations.old = generations.young
            generations.young = [:]
        }
        generations.young[token] = identity
    }

    /// By the token's last bytes, which belong to its signature and so are spread evenly.
    private func shard(of token: String) -> Shard {
        let spread = token.utf8.suffix(4).reduce(0) { $0 &* 31 &+ Int($1) }
        return shards[spread % shards.count]
    }
}
