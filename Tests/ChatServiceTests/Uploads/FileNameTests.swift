import Testing

@testable import ChatService

@Suite struct FileNameTests {
    @Test(arguments: [
        ("scan.png", "scan.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\договор.docx", "договор.docx"),
        ("\\\\server\\share\\x.pdf", "x.pdf"),
        ("a\u{0}b\r\n\u{7F}c\u{85}.txt", "abc.txt"),
        ("photo\u{202E}gnp.exe", "photognp.exe"),
        ("  name with  blanks .md ", "name with  blanks .md"),
        ("", "file"), ("..", "file"), (".", "file"), ("/", "file"), ("a/..", "file"), ("\u{0}", "file"), (" ", "file"),
        (".hidden", ".hidden"),
        ("naïve 文書 👩‍👩‍👧.txt", "naïve 文書 👩‍👩‍👧.txt"),
    ])
    func aNameIsCleaned(sent: String, kept: String) {
        #expect(FileName.clean(sent) == kept)
    }

    @Test func aLongNameIsCutBeforeItsExtension() {
        let cut = FileName.clean(String(repeating: "ж", count: 400) + ".docx")
        #expect(cut.unicodeScalars.count == 255)
        #expect(cut.hasSuffix("ж.docx"))
        #expect(FileName.clean("a" + String(repeating: "\u{301}", count: 1000)).unicodeScalars.count == 255)
        #expect(FileName.clean("." + String(repeating: "x", count: 1000)).count == 255)
    }

    @Test(arguments: [
        (#"form-data; name="file"; filename="a.png""#, "a.png"),
        (#"form-data; name=file; filename=a.png"#, "a.png"),
        (#"Form-Data;NAME="file" ; FileName = "a.png" ;"#, "a.png"),
        (#"form-data; name="file"; filename="a \"b\" \\c.png""#, #"a "b" \c.png"#),
        (#"form-data; name="file"; filename="C:\temp\new.png""#, #"C:\temp\new.png"#),
        (#"form-data; name="file"; filename="a%22b%0D%0A.png""#, "a\"b\r\n.png"),
        (#"form-data; name="file"; filename="100%.png""#, "100%.png"),
        (#"form-data; name="file"; filename="счёт;1.png""#, "счёт;1.png"),
        (#"form-data; name="file"; filename="x"; filename*=UTF-8''na%C3%AFve%20file.txt"#, "naïve file.txt"),
        (#"form-data; name="file"; filename*=iso-8859-1'en'%A3%20rates"#, "£ rates"),
        (#"form-data; name="file"; filename="plain"; filename*=UTF-8''%FF"#, "plain"),
        (#"form-data; name="file"; filename="plain"; filename*=KOI8-R''%C1"#, "plain"),
        (#"form-data; name="file"; filename="plain"; filename*=UTF-8''%4"#, "plain"),
        (#"form-data; name="file"; filename="""#, ""),
    ])
    func theFileNameIsReadFromTheDisposition(disposition: String, name: String) throws {
        let headers = try PartHeaders(block: Array("Content-Disposition: \(disposition)".utf8), maximumCount: 1)
        #expect(headers == PartHeaders(name: "file", fileName: name))
    }

    @Test(arguments: [
        "form-data; name=\"a\"x", "form-data; name", "form-data; =a", "form-data; name=", "form-data, x; name=a",
        "form-data; name=\"a", "; name=a", "form-data; na\"me=a",
    ])
    func malformedParametersAreRefused(disposition: String) {
        #expect(throws: MultipartFailure.badDisposition) {
            try PartHeaders(block: Array("Content-Disposition: \(disposition)".utf8), maximumCount: 1)
        }
    }

    @Test func theBoundaryMayBeQuoted() throws {
        let parameters = try #require(HeaderParameters("Multipart/Form-Data; charset=utf-8; boundary=\"a b:c\""))
        #expect(parameters.value == "multipart/form-data")
        #expect(parameters["boundary"] == "a b:c")
    }
}
