import Foundation
import Logging
import Shared

/// The program: the chat service, or, with the argument `recognize`, one of its recognizing children.
@main
struct Main {
    static func main() async {
        if CommandLine.arguments.dropFirst().first == RecognitionChild.argument { RecognitionChild.run() }
        do {
            try await serve()
        } catch {
            FileHandle.standardError.write(Data("ChatService: \(error)\n".utf8))
            // sysexits.h: 78 tells a supervisor that starting again will not help.
            exit(isLasting(error) ? 78 : 1)
        }
    }

    private static func isLasting(_ error: any Error) -> Bool {
        if case SpoolFailure.unusable = error { return true }
        return error is SettingsError
    }

    private static func serve() async throws {
        var reader = SettingsReader()
        let settings = ChatSettings(&reader)
        try reader.finish()
        settings.log.bootstrap()
        PrometheusRegistry.bootstrap()
        // A write beyond a limit on the size of files (setrlimit(2)) is to fail like one to a full disk.
        signal(SIGXFSZ, SIG_IGN)
        try await ChatApplication(settings, logger: Logger(label: "ChatService")).run()
    }
}
