import Testing
@Test func placeholderAuthService() { #expect(Bool(true)) }
