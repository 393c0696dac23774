import Glibc
package import Logging

/// What both services are told about HTTP.
package struct HTTPSettings: Sendable {
    package var host: String
    /// 0: any free one.
    package var port: Int
    /// Origins of pages that may call us from a browser, as browsers send them (`https://example.org`).
    package var corsOrigins: [String]
    package var trustedProxies: TrustedProxies
    /// How long a stopping service may take; after that it ends whatever still runs.
    package var shutdownGraceSeconds: Int

    package init(
        host: String = "127.0.0.1", port: Int = 0, corsOrigins: [String] = ["http://localhost:3000"],
        trustedProxies: [AddressBlock] = [], shutdownGraceSeconds: Int = 20
    ) {
        self.host = host
        self.port = port
        self.corsOrigins = corsOrigins
        self.trustedProxies = TrustedProxies(trustedProxies)
        self.shutdownGraceSeconds = shutdownGraceSeconds
    }

    /// Reads `HOST`, `PORT`, `CORS_ORIGINS`, `TRUSTED_PROXIES` and `SHUTDOWN_GRACE_SECONDS`.
    package init(_ reader: inout SettingsReader, defaultPort: Int) {
        host = reader.string("HOST", default: "127.0.0.1")
        if !Self.isKnown(host) { reader.report("HOST", "must be an address, or a name that this machine knows") }
        port = reader.int("PORT", default: defaultPort, in: 0...65535)
        corsOrigins = reader.list("CORS_ORIGINS", default: ["http://localhost:3000"])
        for origin in corsOrigins where !Self.isOrigin(origin) {
            reader.report("CORS_ORIGINS", "must list origins such as https://example.org, without path and without *")
        }
        var blocks: [AddressBlock] = []
        for text in reader.list("TRUSTED_PROXIES", default: ["127.0.0.1/32", "::1/128"]) {
            if let block = AddressBlock(text) {
                blocks.append(block)
            } else {
                reader.report("TRUSTED_PROXIES", "must list addresses or blocks such as 10.0.0.0/8")
            }
        }
        trustedProxies = TrustedProxies(blocks)
        shutdownGraceSeconds = reader.int("SHUTDOWN_GRACE_SECONDS", default: 20, in: 1...3600)
    }

    /// Asks the resolver, and may wait for it: to be called while starting.
    private static func isKnown(_ host: String) -> Bool {
        var found: UnsafeMutablePointer<addrinfo>?
        defer { freeaddrinfo(found) }
        return getaddrinfo(host, nil, nil, &found) == 0
    }

    /// Scheme, host and perhaps port, in the lower case that browsers send (RFC 6454, section 6.2).
    private static func isOrigin(_ text: String) -> Bool {
        let scheme = text.hasPrefix("https://") ? 8 : text.hasPrefix("http://") ? 7 : 0
        let rest = text.dropFirst(scheme)
        let allowed: (UInt8) -> Bool = { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || ".-:[]_".utf8.contains(byte)
        }
        return scheme > 0 && !rest.isEmpty && rest.utf8.allSatisfy(allowed)
    }
}

/// What both services are told about logging.
package struct LogSettings: Sendable {
    /// How a log line looks.
    package enum Format: String, CaseIterable, Sendable {
        case text, json
    }

    package var level: Logger.Level
    package var format: Format

    package init(level: Logger.Level = .info, format: Format = .text) {
        self.level = level
        self.format = format
    }

    /// Reads `LOG_LEVEL` and `LOG_FORMAT`.
    package init(_ reader: inout SettingsReader) {
        level = reader.choice("LOG_LEVEL", default: .info)
        format = reader.choice("LOG_FORMAT", default: .text)
    }
}

/// What both services are told about their database.
package struct DatabaseSettings: Sendable {
    /// Anything that libpq takes; has the password in it.
    package var url: Secret
    /// Connections at most, a replica.
    package var connections: Int

    package init(url: Secret, connections: Int = 8) {
        self.url = url
        self.connections = connections
    }

    /// Reads `DATABASE_URL` and `DATABASE_CONNECTIONS`.
    package init(_ reader: inout SettingsReader) {
        url = reader.secret("DATABASE_URL")
        if !url.value.isEmpty, let fault = PostgresSettings.fault(ofURL: url.value) {
            reader.report("DATABASE_URL", fault)
        }
        connections = reader.int("DATABASE_CONNECTIONS", default: 8, in: 2...500)
    }
}
