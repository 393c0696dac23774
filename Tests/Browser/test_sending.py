"""Questions on their way: what becomes of them when their view is left, and when they are called back."""

import pytest

from history import conversation
from suite import FIXTURES, PASSWORD

NOT_A_PICTURE = FIXTURES / "hostile" / "elf_named.png"
CURRENT = ".list-link[aria-current]"


def open_conversation(person, number):
    person.open_drawer()
    person.click(selector=f".list-link[href='/c/{number}']")
    person.until(lambda: person.driver.current_url.endswith(f"/c/{number}"), "another conversation")


def newest_conversation(person):
    return int(person.suite.sql(f"select max(id) from chat.conversations where user_id = {person.user['user']['id']}"))


@pytest.mark.other_path(width="a drawer has the list")
def test_a_new_conversation_that_was_left_stays_where_it_is(person):
    person.enter()
    other = conversation(person, "Elsewhere")
    person.go("/")
    person.hold("POST", "/api/chat/conversations")
    person.ask("Who goes there?")
    person.until(person.holds, "a conversation on its way")
    open_conversation(person, other)
    person.release()
    person.until(lambda: len(person.driver.find_elements("css selector", ".list-link")) == 2, "the new conversation")
    made = newest_conversation(person)
    answered = f"select count(*) from chat.messages where conversation_id = {made} and role = 'assistant'"
    person.until(lambda: person.suite.sql(answered) == "1", "its answer")
    titles = "return [...document.querySelectorAll('.list-link')].map((link) => link.textContent).join('\\n')"
    person.until(lambda: "Who goes there?" in person.run(titles), "the title that the question gave it")
    assert person.conversation_id_of_path() == other
    assert "Elsewhere" in person.text(".head-title")
    current = person.driver.find_elements("css selector", CURRENT)
    assert [one.get_attribute("href") for one in current] == [f"{person.suite.page}/c/{other}"]
    assert person.all(".turn") == []
    open_conversation(person, made)
    person.sees("The model has heard you.", ".answer")
    assert person.text(".bubble") == "Who goes there?"


POLLS_OF = """
const { follow } = await import("/scripts/chat/live.js");
const closing = new AbortController();
const nothing = () => {};
const listeners = { onMessages: nothing, onDelta: nothing, onConversation: nothing, onGone: nothing };
const { poll } = follow(arguments[0], { ...listeners, processing: () => [] }, closing.signal);
window.polled = Promise.all([poll(), poll(), poll()]).finally(() => closing.abort());
"""
ASKED = "return performance.getEntriesByType('resource').filter(({ name }) => name.includes('limit=20')).length"


def test_who_asks_how_things_stand_while_an_earlier_call_is_on_its_way_hears_of_a_later_state(person):
    person.enter()
    number = conversation(person, "Twice", "Who goes there?")
    person.driver.execute_cdp_cmd("Network.enable", {})
    person.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/events"]})
    try:
        person.expected = ("blocked",)
        person.run(POLLS_OF, number)
        person.run("return window.polled")
    finally:
        person.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    assert person.run(ASKED) == 2


def test_what_somebody_wrote_is_gone_with_the_session_and_never_sent_for_another(person):
    person.expected = ("blocked", 401)
    person.enter()
    person.hold("POST", "/api/chat/conversations")
    person.ask("What only I may know")
    person.until(person.holds, "a conversation on its way")
    person.question_field().send_keys("And what I only think")
    person.open_user_menu()
    person.click("user.signOut")
    person.sees(person.word("signIn.title"), "h1")
    other = person.suite.register("Bea Example")
    person.type("email", other["user"]["email"])
    person.type("password", PASSWORD)
    person.click("signIn.submit")
    person.sees(person.word("greeting.lead"))
    person.release()
    assert person.question_field().get_attribute("value") == ""
    assert person.run("return Object.keys(sessionStorage).filter((key) => key.startsWith('parley.draft'))") == []
    person.ask("Mine")
    person.sees("The model has heard you.", ".answer")
    assert person.suite.sql("select count(*) from chat.messages where content = 'What only I may know'") == "0"


def test_a_question_that_is_refused_after_its_view_was_left_is_kept_as_a_draft(person):
    person.expected = (415,)
    person.enter()
    other = conversation(person, "Elsewhere")
    person.go("/")
    person.hold("POST", "/api/chat/conversations")
    person.attach(NOT_A_PICTURE)
    person.ask("What does it show?")
    person.until(person.holds, "a conversation on its way")
    open_conversation(person, other)
    assert person.is_leaving_asked_for(), "a question that is still being sent is lost with the page"
    person.release()
    person.sees(person.word("question.unsentText"), "#toasts")
    said = person.text("#toasts")
    assert person.word("problem.unsupported_file_type") in said and person.word("question.unsentFiles") in said
    assert not person.is_leaving_asked_for()
    assert person.question_field().get_attribute("value") == "", "another conversation's draft"
    open_conversation(person, newest_conversation(person))
    person.until(lambda: person.question_field().get_attribute("value") == "What does it show?", "the draft")


def test_a_refused_question_is_kept_as_a_draft_when_its_view_is_left(person):
    person.expected = (415,)
    person.enter()
    other = conversation(person, "Elsewhere")
    person.go("/")
    person.attach(NOT_A_PICTURE)
    person.ask("What does it show?")
    person.sees(person.word("problem.unsupported_file_type"), ".failure")
    person.question_field().send_keys("A later thought")
    made = person.conversation_id()
    open_conversation(person, other)
    person.sees(person.word("question.unsentText"), "#toasts")
    open_conversation(person, made)
    both = "What does it show?\n\nA later thought"
    person.until(lambda: person.question_field().get_attribute("value") == both, "the question above the draft")


def test_an_upload_that_was_cancelled_before_it_began_is_not_sent(person):
    person.enter()
    person.hold("POST", "/api/chat/conversations")
    person.attach(FIXTURES / "documents" / "note_utf8.txt")
    person.ask("Never mind")
    person.until(person.holds, "a conversation on its way")
    person.click("progress.cancel", within=".turn-status")
    person.release()
    person.until(lambda: person.question_field().get_attribute("value") == "Never mind", "the question taken back")
    person.sees("note_utf8.txt", ".files-chosen")
    assert person.all(".turn") == []
    number = person.conversation_id()
    assert person.suite.sql(f"select count(*) from chat.messages where conversation_id = {number}") == "0"
