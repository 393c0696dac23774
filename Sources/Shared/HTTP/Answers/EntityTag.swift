import Foundation
package import HTTPTypes
package import NIOCore

/// A strong validator of an answer (RFC 9110, section 8.8.3).
package struct EntityTag: Sendable, Equatable {
    /// With its quotation marks, as it stands in the field.
    package let text: String

    /// The tag of a body: its SHA-256, so that equal tags mean equal bytes on every replica.
    package init(strongFor body: ByteBuffer) {
        let digest = body.withUnsafeReadableBytes { SHA256.hash(data: $0) }
        text = "\"\(Base64URL.encode(digest))\""
    }

    /// What If-None-Match lets pass.
    package enum Condition: Sendable, Equatable {
        case any
        /// The opaque parts, with quotation marks and without `W/`: the comparison is weak (RFC 9110, 13.1.2).
        case list([String])

        /// Reads the If-None-Match fields of a request; nil when there is none or it cannot be read, which means
        /// that the condition is ignored.
        package init?(ifNoneMatch headers: HTTPFields) {
            let value = headers[values: .ifNoneMatch].joined(separator: ",")[...].trimmedBlanks
            guard !value.isEmpty else { return nil }
            if value == "*" {
                self = .any
            } else if let tags = Self.tags(value) {
                self = .list(tags)
            } else {
                return nil
            }
        }

        /// Whether the client has what `tag` stands for.
        package func includes(_ tag: EntityTag) -> Bool {
            switch self {
            case .any: true
            case .list(let tags): tags.contains(tag.text)
            }
        }

        /// A list of entity tags; commas inside a tag are part of it. nil when it is no such list.
        private static func tags(_ value: Substring) -> [String]? {
            var rest = value
            var tags: [String] = []
            while true {
                rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," }
                guard !rest.isEmpty else { return tags }
                if rest.hasPrefix("W/") { rest = rest.dropFirst(2) }
                guard rest.first == "\"", let end = rest.dropFirst().firstIndex(of: "\"") else { return nil }
                tags.append(String(rest[...end]))
                rest = rest[rest.index(after: end)...].trimmedBlanks
                guard rest.isEmpty || rest.first == "," else { return nil }
            }
        }
    }
}
