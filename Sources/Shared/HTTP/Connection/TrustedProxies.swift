/// Decides who the client is when a request came through proxies.
package struct TrustedProxies: Sendable {
    private let blocks: [AddressBlock]

    package init(_ blocks: [AddressBlock]) {
        self.blocks = blocks
    }

    /// Whether the address is one of our proxies.
    package func contains(_ address: IPAddress) -> Bool {
        blocks.contains { $0.contains(address) }
    }

    /// The client's address: from the right of X-Forwarded-For, the first one that is not one of our proxies; each
    /// proxy appends the address it saw, and whatever is left of the first stranger is that stranger's own claim. The
    /// header of a peer that is no proxy of ours counts for nothing.
    package func client(peer: IPAddress, forwardedFor: [String]) -> IPAddress {
        guard !forwardedFor.isEmpty, contains(peer) else { return peer }
        var client = peer
        for value in forwardedFor.reversed() {
            for element in value.split(separator: ",", omittingEmptySubsequences: false).reversed() {
                guard let address = IPAddress(forwarded: element) else { return client }
                client = address
                guard contains(address) else { return client }
            }
        }
        return client
    }
}
