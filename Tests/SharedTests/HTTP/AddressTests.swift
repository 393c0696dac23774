import NIOCore
import Shared
import Testing

@Suite("Client address")
struct AddressTests {
    @Test(
        "a block contains what its prefix says",
        arguments: [
            ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false),
            ("10.0.0.0/9", "10.127.1.1", true),
            ("10.0.0.0/9", "10.128.0.0", false), ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "::1", false),
            ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1/32", "192.0.2.2", false), ("::1/128", "::1", true),
            ("2001:db8::/33", "2001:db8:7fff::1", true), ("2001:db8::/33", "2001:db8:8000::1", false),
            ("127.0.0.1/32", "::ffff:127.0.0.1", true), ("::ffff:10.0.0.0/104", "10.9.8.7", true),
        ]
    )
    func contains(block: String, address: String, expected: Bool) throws {
        let block = try #require(AddressBlock(block))
        #expect(block.contains(try #require(IPAddress(address))) == expected)
    }

    @Test(
        "what is no block is refused",
        arguments: [
            "", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/+8", "10.0.0/8", "::/129", "localhost",
            "1.2.3.4/8/9",
            "::ffff:10.0.0.0/64", "10.0.0.0/ 8",
        ]
    )
    func badBlock(text: String) {
        #expect(AddressBlock(text) == nil)
    }

    @Test(
        "the client is the first stranger from the right",
        arguments: [
            ("127.0.0.1", [], "127.0.0.1"),
            ("127.0.0.1", ["203.0.113.9"], "203.0.113.9"),
            ("127.0.0.1", ["6.6.6.6, 203.0.113.9"], "203.0.113.9"),
            ("127.0.0.1", ["6.6.6.6, 203.0.113.9, 10.0.0.5"], "203.0.113.9"),
            ("127.0.0.1", ["6.6.6.6", "203.0.113.9", "10.0.0.5,10.0.0.6"], "203.0.113.9"),
            ("127.0.0.1", ["10.0.0.5"], "10.0.0.5"),
            ("198.51.100.7", ["203.0.113.9"], "198.51.100.7"),
            ("127.0.0.1", ["203.0.113.9, garbage"], "127.0.0.1"),
            ("127.0.0.1", ["garbage, 10.0.0.5"], "10.0.0.5"),
            ("127.0.0.1", [""], "127.0.0.1"), ("127.0.0.1", ["203.0.113.9,"], "127.0.0.1"),
            ("127.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"), ("127.0.0.1", ["[2001:db8::1]:443"], "2001:db8::1"),
            ("127.0.0.1", ["2001:DB8:0::1"], "2001:db8::1"), ("127.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
        ] as [(String, [String], String)]
    )
    func client(peer: String, forwardedFor: [String], expected: String) throws {
        let blocks = ["127.0.0.1/32", "10.0.0.0/8"].compactMap { AddressBlock($0) }
        let client = TrustedProxies(blocks).client(peer: try #require(IPAddress(peer)), forwardedFor: forwardedFor)
        #expect(client.description == expected)
    }

    @Test("reads a connection's peer, of both families")
    func peers() throws {
        let four = try SocketAddress(ipAddress: "192.0.2.7", port: 80)
        let six = try SocketAddress(ipAddress: "2001:db8::7", port: 80)
        let mapped = try SocketAddress(ipAddress: "::ffff:192.0.2.7", port: 80)
        #expect(IPAddress(four)?.description == "192.0.2.7")
        #expect(IPAddress(six)?.description == "2001:db8::7")
        #expect(IPAddress(mapped)?.description == "192.0.2.7")
        #expect(IPAddress(try SocketAddress(unixDomainSocketPath: "/tmp/x")) == nil)
    }
}
