import Testing
@Test func placeholderSuite() { #expect(Bool(true)) }
