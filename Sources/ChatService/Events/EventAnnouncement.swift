/// The payload of a notification about conversations: the sender's name, a blank, and ids with a comma between them,
/// each with `d` behind it for deltas, `m` for changes, or both. Ids only: what happened is in the rows.
enum EventAnnouncement {
    /// - Parameter bytesMax: of one payload.
    static func payloads(of signals: [Int: EventSignals], by sender: String, bytesMax: Int) -> [String] {
        var payloads: [String] = []
        var payload = ""
        for (id, signals) in signals {
            var entry = String(id)
            if signals.contains(.changes) { entry += "m" }
            if signals.contains(.deltas) { entry += "d" }
            if !payload.isEmpty, payload.utf8.count + 1 + entry.utf8.count <= bytesMax {
                payload += "," + entry
                continue
            }
            if !payload.isEmpty { payloads.append(payload) }
            payload = sender + " " + entry
        }
        return payload.isEmpty ? [] : payloads + [payload]
    }

    /// What a payload says; nothing for one that `receiver` sent itself or that is none of ours.
    static func read(_ payload: String, except receiver: String) -> [(conversationID: Int, signals: EventSignals)] {
        let parts = payload.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0] != receiver else { return [] }
        return parts[1].split(separator: ",").compactMap { entry in
            let digits = entry.prefix { $0.isASCII && $0.isNumber }
            guard let id = Int(digits) else { return nil }
            var signals: EventSignals = []
            if entry.dropFirst(digits.count).contains("m") { signals.insert(.changes) }
            if entry.dropFirst(digits.count).contains("d") { signals.insert(.deltas) }
            return (id, signals)
        }
    }
}
