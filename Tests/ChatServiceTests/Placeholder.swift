import Testing
@Test func placeholderChatService() { #expect(Bool(true)) }
