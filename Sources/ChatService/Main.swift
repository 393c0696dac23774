import Logging
import Shared

/// The program: the chat service, or, with the argument `recognize`, one of its recognizing children.
@main struct Main {
    static func main() async throws {
        if CommandLine.arguments.dropFirst().first == RecognitionChild.argument { RecognitionChild.run() }
        var reader = try await SettingsReader()
        let settings = ChatSettings(&reader)
        try reader.finish()
        settings.log.bootstrap()
        PrometheusRegistry.bootstrap()
        try await ChatApplication(settings, logger: Logger(label: "ChatService")).run()
    }
}
