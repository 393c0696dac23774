import Testing
@Test func placeholderShared() { #expect(Bool(true)) }
