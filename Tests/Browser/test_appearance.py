"""Problems, waits and questions of the page, in both languages and themes, at both widths: measured as its main views
are in test_accessibility.py. What a person does about them is in the tests of each part."""

import pytest

from accessibility import look_closely
from documents import DOCUMENTS, HOSTILE, attach_unsendable, partial_pdf
from history import about_retention, conversation
from model import Reply
from network import question_without_network
from suite import PASSWORD
from test_account import press
from totp import code

pytestmark = pytest.mark.looks("contrast", "layout", "wording", "accessibility")


def test_the_deletion_of_the_account_that_was_refused(person):
    person.expected = (401,)
    person.enter(path="/account")
    press(person, "account.deletion", "account.delete")
    person.find("dialog[open]")
    person.type("password", "wrong")
    person.click("account.delete", within="dialog[open]")
    person.sees(person.word("problem.invalid_password"), "dialog")
    look_closely(person)


def test_the_second_factor_and_its_codes(person):
    person.expected = (401,)
    person.enter(path="/account")
    person.click("secondFactor.turnOn")
    person.find("dialog[open]").find_element("name", "password").send_keys(PASSWORD)
    person.click("dialog.next", within="dialog[open]")
    secret = person.find(".secret code").text.replace(" ", "")
    person.type("totp", "000000")
    person.click("secondFactor.submit", within="dialog[open]")
    person.sees(person.word("problem.invalid_totp"))
    look_closely(person)
    person.type("totp", code(secret))
    person.click("secondFactor.submit", within="dialog[open]")
    person.until(lambda: person.all(".codes code") and all(one.text for one in person.all(".codes code")), "all codes")
    look_closely(person)


def test_a_session_that_was_ended_elsewhere(person):
    person.expected = (401,)
    person.enter()
    token = person.token()
    _, answer = person.suite.call("/api/auth/api/sessions", token=token)
    (session,) = [one["id"] for one in answer["sessions"] if not one["current"]]
    person.suite.call(f"/api/auth/api/sessions/{session}", token=token, method="DELETE")
    person.driver.refresh()
    person.sees(person.word("signIn.lost"))
    look_closely(person)


def test_a_question_that_failed(person, model):
    model.script("fail before my eyes", Reply(status=400))
    person.enter()
    person.ask("fail before my eyes")
    person.sees(person.word("problem.llm_failed"))
    look_closely(person)


def test_the_deletion_of_a_conversation_and_its_menu_in_the_list(person):
    person.enter()
    number = conversation(person, "Gone")
    person.go(f"/c/{number}")
    person.open_drawer()
    person.click("conversation.menu", title="Gone")
    person.find(".menu")
    look_closely(person)
    person.click("conversation.delete", within=".menu")
    person.find("dialog[open]")
    look_closely(person)


def test_what_the_search_finds_and_that_it_finds_nothing(person, model):
    person.enter()
    about_retention(person, model)
    person.go("/")
    person.open_drawer()
    person.find("#search").send_keys("retention")
    person.sees(person.word("search.messages"), ".results")
    person.until(lambda: "retention" in person.text(".results mark").lower(), "the found word marked")
    look_closely(person)
    person.find("#search").clear()
    person.find("#search").send_keys("quetzalcoatl")
    person.sees(person.word("search.nothing"), ".results")
    look_closely(person)


def test_a_file_that_is_being_read(person, suite):
    person.enter()
    person.attach(DOCUMENTS / "contract_en_3pages.tiff")
    person.click("composer.send")
    person.find(".file .bar")
    with suite.reading_held():
        look_closely(person)
        person.find(".file .bar")
        person.click("progress.cancel", within=".turn-status")


def test_files_that_cannot_be_sent(person, tmp_path):
    person.enter()
    attach_unsendable(person, tmp_path)
    look_closely(person)


def test_files_that_are_refused_fail_or_are_read_in_part(person, tmp_path):
    person.expected = (415, 422)
    person.enter()
    person.attach(HOSTILE / "elf_named.png")
    person.click("composer.send")
    person.sees(person.word("problem.unsupported_file_type"), ".failure")
    look_closely(person)
    person.click("question.drop")
    person.click("file.remove", name="elf_named.png")
    person.attach(HOSTILE / "pdf_encrypted.pdf")
    person.click("composer.send")
    person.sees(person.word("problem.encrypted_file"), ".failure")
    look_closely(person)
    person.go("/")
    path = tmp_path / "partial.pdf"
    path.write_bytes(partial_pdf())
    person.attach(path)
    person.click("composer.send")
    person.sees(person.word("file.partial"), ".file", 60)
    person.sees("[page 2 could not be read]", ".bubble")
    look_closely(person)


def test_a_question_that_waits_for_the_network(person):
    with question_without_network(person):
        look_closely(person)


SECONDS = 30


def counted(person, key, place):
    """Whether a word is shown with one of the seconds, in the form that goes with it."""
    return any(person.word(key, n=n) in person.text(place) for n in range(1, SECONDS + 1))


def test_a_question_and_a_view_that_a_busy_service_asks_to_wait(person):
    person.enter()
    number = conversation(person, "Far away", "Is somebody there?")
    person.go(f"/c/{number}")
    person.sees("The model has heard you.", ".answer")
    person.refuse("/api/chat/", 503, SECONDS)
    person.ask("Who goes there?")
    person.until(lambda: counted(person, "progress.waiting", ".work"), "the seconds")
    look_closely(person)
    # Nothing is loaded yet, neither the list nor the conversation.
    with person.refused_from_the_start("/api/chat/", 503, SECONDS):
        person.go(f"/c/{number}")
    person.until(lambda: counted(person, "banner.busy", "#banner"), "the seconds")
    look_closely(person)
