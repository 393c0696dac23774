import Testing

@testable import ChatService

@Suite("Letters of two scripts")
struct LookalikeRepairTests {
    /// Words of a line, all as high as capitals, or those named as high as small letters.
    private func repaired(_ text: String, small: Set<String> = []) -> String {
        let words = text.split(separator: " ").enumerated().map { index, word in
            let top = small.contains(String(word)) ? 109 : 100
            return ReadWord(
                text: String(word), confidence: 90,
                box: PixelBox(left: index * 100, top: top, right: index * 100 + 80, bottom: 130))
        }
        let line = LookalikeRepair.repaired(ReadLine(startsParagraph: false, words: words))
        return line.words.map(\.text).joined(separator: " ")
    }

    @Test(arguments: [
        // Latin on the left, Cyrillic on the right.
        ("Покупатель: OOO «Точная линия»", "Покупатель: ООО «Точная линия»"),
        ("Лаптева O. H.", "Лаптева О. Н."), ("Tema: Об изменении", "Тема: Об изменении"),
        ("Бумага писчая A4 37", "Бумага писчая А4 37"), ("вмещает Ha складе", "вмещает На складе"),
        ("оплатить по CЧЕТУ 5", "оплатить по СЧЕТУ 5"), ("наш CEPBEP занят", "наш СЕРВЕР занят"),
    ])
    func latinLettersAmongCyrillicWordsBecomeCyrillic(_ read: String, _ true_: String) {
        #expect(repaired(read) == true_)
    }

    @Test(arguments: [
        "Ноутбук HP для офиса", "чайник HOME для кухни", "адрес HTTP сервера", "программа Word для писем",
        "ножницы 16 x 603.02", "Windows XP and the rest", "The TOP of it", "OOO", "12 345 A", "цвет RAL и номер",
    ])
    func latinWordsStay(_ line: String) {
        #expect(repaired(line) == line)
    }

    @Test func cyrillicLettersAmongLatinWordsBecomeLatin() {
        #expect(repaired("is needed. \u{410} copy of this") == "is needed. A copy of this")
        #expect(repaired("the \u{421}ustomer pays") == "the Customer pays")
    }

    @Test func betweenWordsOfBothScriptsNothingIsTouched() {
        #expect(repaired("слово A word") == "слово A word")
    }

    @Test func smallLettersReadAsCapitalsBecomeSmall() {
        #expect(repaired("лишь в TOM случае", small: ["TOM"]) == "лишь в том случае")
        #expect(repaired("Лампа 3 X 430", small: ["X"]) == "Лампа 3 x 430")
    }
}
