import Synchronization
import Testing

@testable import ChatService

@Suite("Offline model")
struct LanguageModelOfflineTests {
    @Test func itSaysWhatItIsAndHowToReplaceItInTheUsersLanguage() async throws {
        let english = try await ask("How are you?\nFine?").completion.text
        #expect(english.contains("built-in offline model"))
        #expect(english.contains("LLM_BASE_URL"))
        #expect(english.contains("“How are you?”"))
        #expect(english.contains("Words in it: 4."))
        let russian = try await ask("Как дела, как дела?").completion.text
        #expect(russian.contains("встроенная офлайн-модель"))
        #expect(russian.contains("LLM_BASE_URL"))
        #expect(russian.contains("«Как дела, как дела?»"))
        #expect(russian.contains("Слов в нём: 4."))
    }

    @Test func theDeltasJoinedAreTheAnswer() async throws {
        let (completion, deltas) = try await ask("One two three")
        #expect(deltas.count == 3)
        #expect(deltas.joined() == completion.text)
        #expect(completion.model == "offline")
        let usage = try #require(completion.usage)
        #expect(usage.totalTokens == usage.promptTokens + usage.completionTokens)
        #expect(usage.promptTokens > 0)
    }

    @Test func theSameQuestionAlwaysGetsTheSameAnswer() async throws {
        let question =
            "Renta rental rental contract contract tenant tenant landlord landlord deposit deposit notice notice"
        let first = try await ask(question).completion
        for _ in 0..<20 { #expect(try await ask(question).completion == first) }
        #expect(first.text.contains("Most frequent words: contract, deposit, landlord, notice, rental."))
    }

    @Test func aDocumentOfManyPagesIsAnsweredToo() async throws {
        let document =
            "Сводка\n\n" + String(repeating: "Стоимость аренды помещения составляет сто рублей. ", count: 3_000)
        let text = try await ask(document).completion.text
        #expect(text.contains("Слов в нём: 18001."))
        #expect(text.contains("помещения") && text.contains("стоимость"))
    }

    @Test func anEmptyOrOneLinePromptDoesNotTrapIt() async throws {
        for question in ["", "\n\n", "   ", String(repeating: "x", count: 10_000)] {
            #expect(try await ask(question).completion.text.count < 1_000)
        }
        #expect(try await OfflineModel().answer(Prompt(messages: []), onDelta: { _ in }).text.contains("offline"))
    }

    @Test func aCancelledTaskGetsNoAnswer() async {
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await ask("Anything")
        }
        let error = await #expect(throws: LanguageModelFailure.self) { try await task.value }
        #expect(error?.kind == .cancelled)
    }

    private func ask(_ question: String) async throws -> (completion: Completion, deltas: [String]) {
        let deltas = Mutex<[String]>([])
        let prompt = PromptBuilder(domains: .embedded, historyTokens: 6_000)
            .prompt(question: question, history: [], domain: nil, businessContext: nil)
        let completion = try await OfflineModel().answer(prompt) { delta in deltas.withLock { $0.append(delta) } }
        return (completion, deltas.withLock { $0 })
    }
}
