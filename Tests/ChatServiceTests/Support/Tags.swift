import Testing

/// Tags that tell `Tests/side-by-side` how to run a test.
extension Tag {
    /// Measures time: has the machine to itself.
    @Tag static var alone: Self
    /// Takes half a minute or more: starts before the others, so that it is not what all wait for in the end.
    @Tag static var long: Self
}
