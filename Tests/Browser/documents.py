"""Files that people send."""

from suite import FIXTURES

DOCUMENTS = FIXTURES / "documents"
HOSTILE = FIXTURES / "hostile"


def attach_unsendable(person, folder):
    """Attaches an empty file and one that is too large, and sees the page say so."""
    empty, large = folder / "empty.txt", folder / "large.pdf"
    empty.write_text("")
    with open(large, "wb") as file:
        file.truncate(21 << 20)
    person.attach(empty, large)
    person.sees(person.word("file.empty"), ".files-chosen")
    person.sees(person.word("file.tooLarge"), ".files-chosen")


def partial_pdf():
    """Two pages: one with a line of text, one of 200 by 200 inches without, which is too large to be drawn."""
    text = b"BT /F1 24 Tf 72 700 Td (The first page can be read.) Tj ET"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 5 0 R "
        b"/Resources << /Font << /F1 6 0 R >> >> >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 14400 14400] >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start)
