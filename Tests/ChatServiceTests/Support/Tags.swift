import Testing

/// What `Tests/side-by-side` has to know of a test.
extension Tag {
    /// Measures time: has the machine to itself.
    @Tag static var alone: Self
    /// Takes half a minute or more: starts before the others, so that it is not what all wait for in the end.
    @Tag static var long: Self
}
