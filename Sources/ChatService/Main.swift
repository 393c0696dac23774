/// The program: the chat service, or, with the argument `recognize`, one of its recognizing children.
@main struct Main {
    static func main() async throws {
        if CommandLine.arguments.dropFirst().first == RecognitionChild.argument { RecognitionChild.run() }
    }
}
