/// Makes of a file name sent by a client one that can be shown and stored. It never becomes part of a path of ours.
enum FileName {
    /// Length of a name in Unicode scalars, and therefore at most in characters.
    static let maximumLength = 255
    /// What a file without a usable name is called.
    static let unnamed = "file"

    /// The last component of `text` (of a Unix or Windows path), without control and direction characters, cut to
    /// `maximumLength` before its extension.
    static func clean(_ text: String) -> String {
        let last = text.unicodeScalars.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last ?? "".unicodeScalars[...]
        let visible = String(String.UnicodeScalarView(last.filter { !isHidden($0) }))
        let trimmed = visible.drop(while: \.isWhitespace)
        let name = String(
            trimmed[..<(trimmed.lastIndex { !$0.isWhitespace }.map(trimmed.index(after:)) ?? trimmed.startIndex)])
        guard !name.isEmpty, name != ".", name != ".." else { return unnamed }
        return cut(name)
    }

    /// Control characters, line and paragraph separators, and the marks that turn the direction of text around, with
    /// which `gpj.exe` is made to look like `exe.jpg`.
    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .surrogate: true
        default: (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
        }
    }

    private static func cut(_ name: String) -> String {
        let scalars = name.unicodeScalars
        guard scalars.count > maximumLength else { return name }
        let dot = scalars.lastIndex(of: ".") ?? scalars.endIndex
        let ending = scalars[dot...].count <= 16 ? scalars[dot...] : scalars[scalars.endIndex...]
        return String(scalars.prefix(maximumLength - ending.count)) + String(ending)
    }
}
