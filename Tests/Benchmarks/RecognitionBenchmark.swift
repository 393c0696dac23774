import Foundation
import TestSupport

/// Pages that the pool recognises, beside the `tesseract` program on the same pictures, as many at a time.
enum RecognitionBenchmark {
    private static let pictures = [
        "letter_en_clean.png", "letter_ru_clean.png", "contract_mixed_skew.png", "letter_en_q40.jpg",
        "contract_ru_low_contrast.gif", "invoice_ru_noise.webp", "receipt_ru.png", "notice_en_inverted.bmp",
    ].map { Fixture("documents/\($0)") }

    @Sendable static func run(_ plan: BenchmarkPlan) async throws -> [Figure] {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let pages = plan.isQuick ? Array(pictures.prefix(2)) : (0..<plan.pageRounds).flatMap { _ in pictures }
        return try await BenchmarkSite.run(plan, settings: ["OCR_WORKERS": "\(cores)"]) { site in
            let id = try await site.user.newConversation()
            // The children and their engines are warm, as those of a service that has been up for a minute are.
            for _ in 0..<cores {
                _ = try await site.user.finalMessage(try await site.user.upload([pictures[6]], to: id))
            }
            let clock = ContinuousClock()
            let ours = try await clock.measure {
                var messages: [Int] = []
                for page in pages { messages.append(try await site.user.upload([page], to: id)) }
                for message in messages {
                    let final = try await site.user.finalMessage(message, atMost: .seconds(600))
                    guard final["status"] == "completed" else { throw SuiteFault(description: "\(final)") }
                }
            }
            let theirs = try await clock.measure { try await tesseract(pages, atATime: cores) }
            let count = Double(pages.count)
            return [
                .ratio(
                    "pages recognised by the pool : by the `tesseract` program, \(cores) at a time",
                    count / (ours / .seconds(1)), to: count / (theirs / .seconds(1)), unit: "/s", .atLeast(1.0))
            ]
        }
    }

    private static func tesseract(_ pages: [Fixture], atATime: Int) async throws {
        let files = pages.map { ProjectFolder.root.appending(path: "Tests/Fixtures/\($0.path)").path }
        let command =
            #"at=$1; shift; printf '%s\0' "$@" | xargs -0 -P "$at" -I{} tesseract {} - -l eng+rus >/dev/null 2>&1"#
        _ = try await LoadTools.run(
            "bash", ["-c", command, "bash", "\(atATime)"] + files, environment: ["OMP_THREAD_LIMIT": "1"])
    }
}
