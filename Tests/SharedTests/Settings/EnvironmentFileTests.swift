import Foundation
import Testing

@testable import Shared

/// Files come from every editor and every system.
@Suite(".env")
struct EnvironmentFileTests {
    private static let lines = [
        "# comment", "", "HOST=0.0.0.0", " PORT = 8080 ", "export NAME=a=b", "=x", "nothing", "LAST=1",
    ]
    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    @Test(arguments: ["\n", "\r\n", "\r"], [true, false])
    func linesMayEndInAnyWayAndAByteOrderMarkMayComeFirst(_ end: String, hasMark: Bool) throws {
        let bytes = Data((hasMark ? Self.mark : []) + Array(Self.lines.joined(separator: end).utf8))
        let expected = ["HOST": "0.0.0.0", "PORT": "8080", "NAME": "a=b", "LAST": "1"]
        #expect(try EnvironmentFile.variables(in: bytes) == expected)
    }

    @Test func theFirstLineIsReadBehindAByteOrderMark() throws {
        let bytes = Data(Self.mark + Array("JWT_SECRET=x\r\nJWT_SECRET=y\r\n".utf8))
        #expect(try EnvironmentFile.variables(in: bytes) == ["JWT_SECRET": "y"])
    }

    /// As Windows' "Unicode" is.
    @Test func aFileInUTF16IsAProblemWithAName() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data([0xFF, 0xFE, 0x41, 0, 0x3D, 0, 0x31, 0]).write(to: URL(filePath: path))
        let reader = SettingsReader(environmentFile: path)
        let error = #expect(throws: SettingsError.self) { try reader.finish() }
        #expect(error?.problems == ["the file \(path) is not a text in UTF-8"])
    }

    @Test func aSettingOfAWindowsFileHasItsValueAndNothingMore() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(Self.mark + Array("PARLEY_TEST_PORT=8080\r\nPARLEY_TEST_NAME=\"a b\"\r\n".utf8)).write(
            to: URL(filePath: path))
        var reader = SettingsReader(environmentFile: path)
        #expect(reader.int("PARLEY_TEST_PORT", default: 1, in: 1...9000) == 8080)
        #expect(reader.optional("PARLEY_TEST_NAME") == "a b")
    }
}
