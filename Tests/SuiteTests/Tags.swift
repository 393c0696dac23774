import Testing

/// Tags that tell `Tests/side-by-side` how to run a test.
extension Tag {
    /// Measures time or memory against a limit, or changes what all tests share: has the machine to itself.
    @Tag static var alone: Self
    /// Takes half a minute or more: starts before the others, so that it is not what all wait for in the end. A test
    /// that has the tag itself, and not from its suite, has a process of its own.
    @Tag static var long: Self
    /// Of a suite whose tests wait nearly all of their time: they run at once.
    @Tag static var waits: Self
    /// Too long for every run: part of `Tests/run --all`, which a release needs.
    @Tag static var release: Self
}
