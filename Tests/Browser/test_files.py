"""Documents: choosing, sending, the progress of their recognition, and what may go wrong."""

import pytest

from documents import DOCUMENTS, HOSTILE, attach_unsendable, partial_pdf
from model import Reply
from suite import waited

# A page takes less than a second; on a machine that builds at the same time, much longer.
READING_SECONDS = 150

# A script cannot put a file into a person's hand; the event of letting it go is the same.
DROP = """
const data = new DataTransfer();
data.items.add(new File([arguments[1]], arguments[2], { type: "text/plain" }));
for (const name of arguments[3]) {
    const Kind = name === "paste" ? ClipboardEvent : DragEvent;
    const carried = name === "paste" ? { clipboardData: data } : { dataTransfer: data };
    arguments[0].dispatchEvent(new Kind(name, { ...carried, bubbles: true, cancelable: true }));
}
"""

# All that is shown of the reading, also what stands only for a moment.
WATCH_READING = """
[window.linesSeen, window.barsSeen] = [[], []];
const look = () => {
    window.linesSeen.push(...[...document.querySelectorAll(".work")].map((line) => line.textContent));
    window.barsSeen.push(...[...document.querySelectorAll(".file .bar")].map((bar) => bar.value));
};
const all = { childList: true, subtree: true, characterData: true, attributes: true };
new MutationObserver(look).observe(document.querySelector("main"), all);
"""


def test_a_scan_is_read_page_by_page_and_answered(person, model, suite):
    model.script("What is this?", Reply("It is a contract."))
    person.enter()
    person.attach(DOCUMENTS / "contract_en_3pages.tiff")
    person.sees("contract_en_3pages.tiff", ".files-chosen")
    person.question_field().send_keys("What is this?")
    person.run(WATCH_READING)
    person.click("composer.send")
    person.find(".file .bar")
    with suite.reading_held():
        person.find(".file .bar")
    person.sees("It is a contract.", ".answer", READING_SECONDS)
    lines, bars = person.run("return [window.linesSeen, window.barsSeen]")
    # The order of the gaps differs between the languages, the numbers do not.
    words = [person.word("progress.page", page=page, n=3) for page in range(1, 4)]
    assert sum(any(word in line for line in lines) for word in words) >= 2, f"pages seen: {lines}"
    assert len(set(bars)) >= 2, f"bars seen: {bars}"
    assert "AGREEMENT" in person.text(".bubble").upper()
    person.click("question.unfold")
    assert person.find(".bubble-more").get_attribute("aria-expanded") == "true"
    person.driver.refresh()
    person.sees("It is a contract.", ".answer")
    person.sees("contract_en_3pages.tiff", ".file")


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_files_are_dropped_and_pasted(person, way):
    person.enter()
    if way == "drop":
        target, events = person.find(".conversation"), ["dragenter", "dragover"]
        person.run(DROP, target, "dropped text", "note.txt", events)
        person.sees(person.word("composer.drop"), ".drop")
        person.run(DROP, target, "dropped text", "note.txt", ["drop"])
        person.misses(person.word("composer.drop"), ".drop")
    else:
        person.run(DROP, person.question_field(), "pasted text", "note.txt", ["paste"])
    person.sees("note.txt", ".files-chosen")
    person.click("composer.send")
    person.sees("The model has heard you.", ".answer")
    person.sees("pped text" if way == "drop" else "pasted text", ".bubble")


def test_an_upload_shows_how_far_it_is_and_can_be_cancelled(person, tmp_path):
    large = tmp_path / "large.txt"
    large.write_text("A line of text that is sent slowly.\n" * 60_000)
    person.enter()
    person.ask("first")
    person.sees("The model has heard you.", ".answer")
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 100_000}
    person.driver.execute_cdp_cmd("Network.enable", {})
    person.driver.execute_cdp_cmd("Network.emulateNetworkConditions", slow)
    try:
        person.attach(large)
        person.question_field().send_keys("Too slow")
        person.click("composer.send")
        shares = set()

        def grown():
            shares.update(one.get_attribute("value") for one in person.all(".work .bar"))
            return len(shares) >= 3

        person.until(grown, "a bar that grows")
        person.sees(person.word("progress.uploading", percent="x").split("x")[0], ".work")
        person.click("progress.cancel", within=".turn-status")
    finally:
        person.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**slow, "uploadThroughput": -1})
    # What was written is not lost.
    person.until(lambda: person.question_field().get_attribute("value") == "Too slow")
    person.sees("large.txt", ".files-chosen")
    assert len(person.all(".turn")) == 1
    person.until(lambda: person.run("arguments[0].value=''; arguments[0].dispatchEvent(new Event('input')); return 1",
                                    person.question_field()))


def test_what_cannot_be_sent_is_said_before_it_is_sent(person, tmp_path):
    person.enter()
    attach_unsendable(person, tmp_path)
    assert person.find(".composer-send").get_attribute("aria-disabled") == "true"
    person.click("file.remove", name="empty.txt")
    person.click("file.remove", name="large.pdf")
    person.attach(*[DOCUMENTS / "note_utf8.txt"] * 6)
    person.sees(person.word("file.tooMany", n=5), ".files-chosen")


def test_a_refused_file_can_be_changed_and_a_failed_one_says_why(person):
    person.expected = (415, 422)
    person.enter()
    person.attach(HOSTILE / "elf_named.png")
    person.click("composer.send")
    person.sees(person.word("problem.unsupported_file_type"), ".failure")
    person.click("question.drop")
    person.sees("elf_named.png", ".files-chosen")
    assert person.all(".turn") == []
    person.click("file.remove", name="elf_named.png")
    person.attach(HOSTILE / "pdf_encrypted.pdf")
    person.click("composer.send")
    person.sees(person.word("problem.encrypted_file"), ".failure", 40)


def test_a_page_that_cannot_be_read_makes_the_file_partial(person, tmp_path):
    person.enter()
    path = tmp_path / "partial.pdf"
    path.write_bytes(partial_pdf())
    person.attach(path)
    person.click("composer.send")
    person.sees(person.word("file.partial"), ".file", 60)
    person.sees("[page 2 could not be read]", ".bubble")


def test_a_cancelled_file_is_read_again(person, suite):
    person.enter()
    person.attach(DOCUMENTS / "letter_en_clean.png")
    person.click("composer.send")
    person.until(lambda: person.named(person.word("progress.cancel"), ".turn-status"))
    number = person.conversation_id()
    waited(lambda: suite.sql(f"select count(*) from chat.messages where conversation_id = {number}") == "1")
    person.click("progress.cancel", within=".turn-status")
    person.click("question.retry")
    person.sees("The model has heard you.", ".answer", READING_SECONDS)


def test_a_file_whose_answer_failed_is_tried_again(person, model):
    # A question with files is tried three times before it has failed.
    model.script("read and fail", *[Reply(status=400)] * 3, Reply("Read, and answered."))
    person.enter()
    person.attach(DOCUMENTS / "note_utf8.txt")
    person.question_field().send_keys("read and fail")
    person.click("composer.send")
    person.sees(person.word("problem.llm_failed"), ".failure")
    person.click("question.retry")
    person.sees("Read, and answered.", ".answer")
    person.misses(person.word("problem.llm_failed"))
    assert person.find(".file-name").text == "note_utf8.txt"


def test_stop_ends_what_is_written_and_not_what_is_read(person, model, suite):
    reply = Reply("As far as this ", "and no further.", hold_after=1)
    model.script("older please", Reply("An older answer."), reply)
    person.enter()
    person.ask("older please")
    person.sees("An older answer.", ".answer")
    person.attach(DOCUMENTS / "contract_en_3pages.tiff")
    person.click("composer.send")
    person.find(".file .bar")
    with suite.reading_held():
        person.click("answer.regenerate")
        person.sees("As far as this", ".answer")
        person.click("composer.stop")
        person.sees(person.word("answer.stopped"), ".answer")
        reply.release()
        person.find(".file .bar")
    person.sees("The model has heard you.", ".turn:last-child .answer", READING_SECONDS)
