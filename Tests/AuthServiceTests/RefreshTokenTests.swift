import Testing

@testable import AuthService

@Suite("Refresh tokens")
struct RefreshTokenTests {
    let key = RefreshKey(secret: "0123456789abcdef0123456789abcdef".utf8)

    @Test("a token survives its text form, of 64 characters")
    func text() throws {
        let token = RefreshToken()
        #expect(token.text.count == RefreshToken.characters)
        #expect(RefreshToken(token.text) == token)
    }

    @Test("two tokens share nothing")
    func fresh() {
        let (one, other) = (RefreshToken(), RefreshToken())
        #expect(one.text != other.text && one.hash != other.hash && one.selectorHash != other.selectorHash)
    }

    @Test("the successor is the same each time, has the selector of its predecessor, and another secret")
    func successor() {
        let token = RefreshToken()
        let successor = token.successor(under: key)
        #expect(token.successor(under: key) == successor)
        #expect(successor.selectorHash == token.selectorHash)
        #expect(successor.hash != token.hash)
        #expect(successor.successor(under: key) != token)
    }

    @Test("another secret makes another successor")
    func keys() {
        let token = RefreshToken()
        let other = RefreshKey(secret: "fedcba9876543210fedcba9876543210".utf8)
        #expect(token.successor(under: key) != token.successor(under: other))
    }

    /// Both sides were made with swift-crypto, which this service used before libcrypto.
    @Test("the successor is the one that replicas of earlier versions make")
    func earlier() throws {
        let key = RefreshKey(secret: "Kp7wZ2nXv9QbT4rL6mYc8HdJ3sGf5aEu".utf8)
        let token = try #require(RefreshToken("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"))
        #expect(token.successor(under: key).text == "AAECAwQFBgcICQoLDA0OD1xJJURHkvX8iKhPy19lXvtRzlCqKxbpCgx1zy0-CQu4")
    }

    @Test("what cannot be a token is none", arguments: ["", "x", "=", String(repeating: "A", count: 63), "bad"])
    func malformed(_ text: String) {
        #expect(RefreshToken(text) == nil)
        let valid = RefreshToken().text
        #expect(RefreshToken(valid + text + "A") == nil)
        #expect(RefreshToken("+" + valid.dropFirst()) == nil)
        #expect(RefreshToken("é" + valid.dropFirst(2)) == nil)
    }

    @Test("a token does not print")
    func doesNotPrint() {
        let token = RefreshToken()
        var dumped = ""
        dump(token, to: &dumped)
        #expect(!"\(token) \(String(reflecting: token)) \([token]) \(dumped)".contains(token.text))
    }
}
