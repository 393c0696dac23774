import Foundation
import TestSupport
import Testing

/// What may lie about, and what may not.
@Suite("Hygiene")
struct HygieneTests {
    /// The janitor of a replica that starts looks at what others have in the same spool.
    @Test func theFilesOfALiveReplicaAreNobodyElsesBusiness() async throws {
        try await KillSite.with { site in
            let stop = DatabaseStop("before insert", on: "chat.upload_chunks")
            let uploaded = try await stop.hold(site.database) {
                let uploading = Task {
                    try await site.user.upload([Fixture("documents/note_utf8.txt")], to: site.conversation)
                }
                try await DatabaseStop.reached(site.database)
                let before = site.spooledFiles
                #expect(before.count == 1)
                _ = try await site.suite.start(.chat)
                #expect(site.spooledFiles == before)
                return uploading
            }
            let message = try await uploaded.value
            #expect(try await site.user.finalMessage(message)["status"] == "completed")
            try await site.expectNothingLeft()
        }
    }

    @Test func aHundredPiecesOfWorkLeaveNoDescriptorAndNoChildMoreThanTen() async throws {
        try await KillSite.with { site in
            try await work(10, site)
            let (descriptors, children) = counts(site)
            try await work(100, site)
            _ = try await polling(for: "no more descriptors than \(descriptors): \(counts(site))", atMost: .seconds(30))
            {
                let now = counts(site)
                return now.descriptors <= descriptors + 4 && now.children <= children ? true : nil
            }
            try await site.expectNothingLeft()
        }
    }

    private func counts(_ site: KillSite) -> (descriptors: Int, children: Int) {
        let id = site.victim.process.id
        return (ProcessTree.descriptors(of: id), ProcessTree.children(of: id).count)
    }

    /// Files that end well, files that end badly, cancelled ones, and questions; four at a time.
    private func work(_ count: Int, _ site: KillSite) async throws {
        let files = ["documents/note_utf8.txt", "hostile/pdf_encrypted.pdf", "documents/notes_en.md"]
        for start in stride(from: 0, to: count, by: 4) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in start..<min(start + 4, count) {
                    group.addTask {
                        guard number % 4 < files.count else { return try await site.ask() }
                        let message = try await site.user.upload([Fixture(files[number % 4])], to: site.conversation)
                        _ = try await site.user.finalMessage(message)
                    }
                }
                try await group.waitForAll()
            }
        }
    }
}
