/// The secrets that access tokens are signed with.
package struct TokenSettings: Sendable {
    /// Signs, and is accepted.
    package var secret: Secret
    /// Accepted until the tokens of before a rotation have expired.
    package var previousSecret: Secret?

    package init(secret: Secret, previousSecret: Secret? = nil) {
        self.secret = secret
        self.previousSecret = previousSecret
    }

    /// Reads `JWT_SECRET` and `JWT_SECRET_PREVIOUS`.
    package init(_ reader: inout SettingsReader) {
        secret = reader.secret("JWT_SECRET")
        previousSecret = reader.optionalSecret("JWT_SECRET_PREVIOUS")
        if !secret.value.isEmpty, let reason = Self.weakness(of: secret) { reader.report("JWT_SECRET", reason) }
        if let previousSecret, let reason = Self.weakness(of: previousSecret) {
            reader.report("JWT_SECRET_PREVIOUS", reason)
        }
    }

    /// The signing key first.
    package var keys: [AccessTokenKey] {
        [AccessTokenKey(secret: secret)] + (previousSecret.map { [AccessTokenKey(secret: $0)] } ?? [])
    }

    /// HS256 wants a key of at least the hash's size (RFC 7518, section 3.2). What examples and tutorials use is known
    /// to everybody; what repeats a few characters is soon guessed.
    private static func weakness(of secret: Secret) -> String? {
        let bytes = secret.value.utf8
        guard bytes.count >= 32 else { return "must have 32 bytes or more; make one with: openssl rand -base64 48" }
        guard Set(bytes).count >= 8 else { return "must not be made of a few repeated characters" }
        var rest = secret.value.lowercased()
        let wellKnown = [
            "changeme", "change-me", "change_me", "your-secret", "your_secret", "yoursecret", "secret-key",
            "secret_key", "supersecret", "super-secret", "super_secret", "example", "placeholder", "password",
        ]
        // A known word in a long random text does no harm; what counts is what is left without it.
        for word in wellKnown { rest = rest.replacing(word, with: "") }
        guard rest.utf8.count >= 16, Set(rest.utf8).count >= 8 else { return "must not be a text from an example" }
        return nil
    }
}
