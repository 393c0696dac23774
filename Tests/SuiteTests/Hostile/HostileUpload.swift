import Foundation
import TestSupport

/// One file sent to see what becomes of it.
struct HostileUpload: Sendable {
    /// What became of it: `completed`, `refused`, a terminal code, or `wrong`; and what was seen.
    struct End: Sendable, CustomStringConvertible {
        let code: String
        let evidence: String

        var description: String { "\(code): \(evidence.prefix(600))" }
    }

    let name: String
    let bytes: Data
    /// Three tries of a page that may take 20 seconds each, and some time in the queue.
    private static let limit: Duration = .seconds(150)

    func end(_ user: SignedInUser, conversation: Int) async throws -> End {
        var form = MultipartForm(fields: [("conversation_id", "\(conversation)")])
        form.add(file: name, bytes: bytes)
        let reply = try await user.chat.post("/chat/file", form)
        switch reply.status {
        case 413, 415, 422: return End(code: "refused", evidence: "\(reply)")
        case 202:
            let message = try reply.json["message_id"].int.orThrow("message_id")
            let final = try await user.finalMessage(message, atMost: Self.limit)
            if final["status"] == "completed" { return End(code: "completed", evidence: "") }
            return End(code: final["error"]["code"].string ?? "wrong", evidence: "\(final)")
        default: return End(code: "wrong", evidence: "\(reply)")
        }
    }
}
