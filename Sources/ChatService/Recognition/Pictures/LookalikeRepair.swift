/// Puts letters back into the script they were printed in.
///
/// With two languages loaded the fast models now and then write a Latin letter for a Cyrillic one of the same shape
/// (OOO for ООО), or the other way round. Nobody sees it, but no search finds the word again. Only words of which every
/// letter could be either are touched, and only as their neighbours in the line say; a word with one letter of its own
/// script keeps it.
struct LookalikeRepair {
    /// The line with each word in its script.
    static func repaired(_ line: ReadLine) -> ReadLine {
        var line = line
        let scripts = line.words.map { Script(of: $0.text) }
        let top = line.words.map(\.box.top).min() ?? 0
        for index in line.words.indices {
            let isSmall = line.words[index].box.isSmall(belowTop: top)
            switch scripts[index] {
            case .mixed(let owner): line.words[index].text = line.words[index].text.spelled(in: owner)
            case .either:
                guard let context = context(of: index, scripts) else { continue }
                line.words[index].text = respelled(line.words[index].text, context, isSmall: isSmall)
            case .cyrillic, .latin, .none: continue
            }
        }
        return line
    }

    /// The script of the nearest words on both sides that show one; nil if they disagree or there are none.
    private static func context(of index: Int, _ scripts: [Script]) -> Script? {
        let before = scripts[..<index].last { $0.isCertain }
        let after = scripts[(index + 1)...].first { $0.isCertain }
        guard let one = before ?? after, let other = after ?? before else { return nil }
        return one.owner == other.owner ? one.owner : nil
    }

    private static func respelled(_ word: String, _ script: Script, isSmall: Bool) -> String {
        guard script == .cyrillic else { return word.spelled(in: .latin) }
        let letters = word.letters
        // A sign of multiplication, not the letter.
        if ["x", "X", "х", "Х"].contains(letters) { return isSmall ? word.lowercased() : word }
        guard letters.unicodeScalars.count > 1, letters == letters.uppercased() else {
            return word.spelled(in: .cyrillic)
        }
        let cyrillic = word.spelled(in: .cyrillic)
        if isSmall, cyrillic.hasSmallCapitals { return cyrillic.lowercased() }
        let isCyrillic = letters.unicodeScalars.count >= lettersNoLatinWordHas
        return isCyrillic || abbreviations.contains(cyrillic.letters) ? cyrillic : word
    }

    /// HOME, TEXT and HTTP stay as they are; no Latin word in capitals has five letters and all of them Cyrillic too.
    private static let lettersNoLatinWordHas = 5

    /// Short Russian words in capitals of which every letter has a Latin twin: forms of companies, codes of law,
    /// authorities.
    private static let abbreviations: Set<String> = [
        "ООО", "ОАО", "АО", "НАО", "ТОО", "СРО", "АНО", "ТСН", "СНТ", "СТ", "НК", "ТК", "СК", "АПК", "РК", "ВС", "КС",
        "ЕС", "ВТО", "СССР", "НТВ", "МТС", "МСК", "ОКВЭД", "ОКТМО", "ОКАТО", "КРС", "МРТ", "МРОТ", "ОТК", "СМР", "ТНК",
        "НА", "НЕ", "ТО", "ОТ", "ВО", "СО", "ОН", "МЫ", "ВЫ", "КАК", "ЭТО", "АКТ", "СЧЕТ", "АВТОР",
    ]
}

/// What the letters of a word say about its script.
enum Script: Equatable, Sendable {
    case cyrillic, latin
    /// Every letter exists in both.
    case either
    /// Letters that exist in one script only, beside lookalikes from the other.
    indirect case mixed(Script)
    /// No letter, or letters of both scripts (or of a third) that exist in one only.
    case none

    init(of word: String) {
        var onlyLatin = false
        var onlyCyrillic = false
        var latinTwin = false
        var cyrillicTwin = false
        for scalar in word.unicodeScalars where scalar.properties.isAlphabetic {
            switch scalar.value {
            case 0x41...0x7a:
                if Twins.cyrillic[scalar] != nil { latinTwin = true } else { onlyLatin = true }
            case 0x400...0x4ff:
                if Twins.latin[scalar] != nil { cyrillicTwin = true } else { onlyCyrillic = true }
            default:
                self = .none
                return
            }
        }
        switch (onlyLatin, onlyCyrillic) {
        case (true, true): self = .none
        case (true, false): self = cyrillicTwin ? .mixed(.latin) : .latin
        case (false, true): self = latinTwin ? .mixed(.cyrillic) : .cyrillic
        case (false, false): self = latinTwin || cyrillicTwin ? .either : .none
        }
    }

    /// Whether the word shows which script it is in.
    fileprivate var isCertain: Bool { self == .cyrillic || self == .latin || owner != self }

    fileprivate var owner: Script {
        if case .mixed(let owner) = self { return owner }
        return self
    }
}

/// Letters of the same shape in both scripts.
private enum Twins {
    private static let pairs: [(Unicode.Scalar, Unicode.Scalar)] = Array(
        zip("ABCEHKMOPTXYaceopxykmt".unicodeScalars, "АВСЕНКМОРТХУасеорхукмт".unicodeScalars))
    static let cyrillic = Dictionary(uniqueKeysWithValues: pairs)
    static let latin = Dictionary(uniqueKeysWithValues: pairs.map { ($1, $0) })
}

extension String {
    fileprivate func spelled(in script: Script) -> String {
        let twins = script == .cyrillic ? Twins.cyrillic : Twins.latin
        return String(String.UnicodeScalarView(unicodeScalars.map { twins[$0] ?? $0 }))
    }

    fileprivate var letters: String {
        String(String.UnicodeScalarView(unicodeScalars.filter(\.properties.isAlphabetic)))
    }

    /// Whether every letter has a small form that differs from the capital in size alone.
    fileprivate var hasSmallCapitals: Bool {
        unicodeScalars.allSatisfy { !$0.properties.isAlphabetic || "КМНОТСВХ".unicodeScalars.contains($0) }
    }
}

extension PixelBox {
    /// Whether what is in here has the height of small letters, in a line whose highest letters reach up to `top`.
    /// Small letters are 0.7 times as high as capitals.
    fileprivate func isSmall(belowTop top: Int) -> Bool {
        Double(self.top - top) > 0.18 * Double(bottom - top)
    }
}
