import Foundation
import TestSupport

/// The campaign: services under load while their parts are killed, put to sleep, cut off and filled up, and an oracle
/// at the end. Its launcher is Tests/chaos.
@main struct Main {
    static func main() async throws {
        guard let options = ChaosOptions(Array(CommandLine.arguments.dropFirst())) else {
            print(ChaosOptions.usage)
            exit(64)
        }
        let own = options.logs == nil ? try TemporaryFolder() : nil
        let folder = try options.logs ?? own.orThrow("folder").url
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        do {
            let summary = try await Campaign.run(options, folder: folder.absoluteURL)
            print(summary.text)
            if summary.findings.isEmpty {
                own?.remove()
                exit(0)
            }
        } catch { print("The campaign broke off: \(error)") }
        print("Logs: \(folder.path)")
        exit(1)
    }
}
