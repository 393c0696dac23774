extension Migration {
    /// The files of `Sources/Shared/Migrations`, compiled into the program by SwiftPM's `embedInCode`.
    ///
    /// A new file is listed here; a test holds this list against the folder.
    package static let embedded: [Migration] = []
}
