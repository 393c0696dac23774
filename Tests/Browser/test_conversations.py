"""The list of conversations."""

import pytest
from selenium.webdriver.common.keys import Keys

from history import about_retention, conversation, fill


def test_conversations_are_renamed_and_described(person):
    person.enter()
    number = conversation(person, "Before")
    person.go(f"/c/{number}")
    person.sees("Before", ".head-title")
    person.click("conversation.actions")
    person.click("conversation.rename")
    person.type("title", " ")
    person.click("dialog.save", within="dialog[open]")
    person.sees(person.word("problem.invalid_title"), "dialog")
    inside = "return document.querySelector('dialog[open]').contains(document.activeElement)"
    assert person.run(inside), "the focus is not lost with the answer"
    person.type("title", "После & <after>")
    person.type("business_context", "A small bakery in Riga.")
    person.click("dialog.save", within="dialog[open]")
    person.sees("После & <after>", ".head-title")
    person.open_drawer()
    person.sees("После & <after>", ".list")
    assert person.suite.sql(f"select business_context from chat.conversations where id = {number}") == (
        "A small bakery in Riga."
    )
    person.expected = (422,)


@pytest.mark.other_path(width="a drawer has the list, and nothing hovers there")
def test_a_conversation_is_deleted_after_a_question(person):
    person.enter()
    kept, gone = conversation(person, "Kept"), conversation(person, "Gone")
    person.go("/")
    person.open_drawer()
    person.sees("Kept", ".list")
    # Also one that is not open: where nothing hovers, its menu is always there.
    person.click("conversation.menu", title="Gone")
    person.press(Keys.ESCAPE)
    person.go(f"/c/{gone}")
    person.open_drawer()
    person.click("conversation.menu", title="Gone")
    person.click("conversation.delete", within=".menu")
    person.find("dialog[open]")
    person.click("dialog.cancel", within="dialog[open]")
    person.sees("Gone", ".list")
    person.click("conversation.menu", title="Gone")
    person.click("conversation.delete", within=".menu")
    person.click("conversation.delete", within="dialog[open]")
    person.misses("Gone", ".list")
    person.until(lambda: person.driver.current_url == person.suite.page + "/")
    person.expected = (404,)
    person.go(f"/c/{gone}")
    person.sees(person.word("thread.gone"))
    person.go(f"/c/{kept}")
    person.sees("Kept", ".head-title")


@pytest.mark.other_path(width="a drawer has the results", language="the search says what it found")
def test_what_was_said_is_found_and_shown_where_it_was_said(person, model):
    person.enter()
    conversation(person, "Flowers", "What of tulips?")
    wanted = about_retention(person, model)
    person.go("/")
    person.open_drawer()
    person.find("#search").send_keys("Deliv")
    person.sees("Delivery", ".results")
    person.find("#search").clear()
    person.find("#search").send_keys("retention")
    person.sees(person.word("search.messages"), ".results")
    person.until(lambda: "retention" in person.text(".results mark").lower(), "the found word marked")
    assert "tulips" not in person.text(".results")
    person.click(selector=".results .result")
    person.sees("the goods stay ours", ".answer")
    assert person.conversation_id_of_path() == wanted
    person.find(".turn-found")
    person.open_drawer()
    person.find("#search").clear()
    person.find("#search").send_keys("quetzalcoatl")
    person.sees(person.word("search.nothing"), ".results")


def test_a_search_goes_on_with_what_it_has_not_shown_yet(person):
    person.enter()
    number = conversation(person, "Lanterns")
    token = person.token()
    for lantern in range(25):
        body = {"conversation_id": number, "message": f"lantern {lantern}"}
        assert person.suite.call("/api/chat/chat", body, token)[0] == 200
    path = "/api/chat/search?q=lantern&limit=50"
    person.until(lambda: len(person.suite.call(path, token=token)[1]["hits"]) == 25, "the index")
    person.open_drawer()
    person.find("#search").send_keys("lantern")
    person.until(lambda: len(person.all(".results .result-text")) == 20, "a page of results")
    person.click("search.more")
    person.until(lambda: len(person.all(".results .result-text")) == 25, "the rest")
    assert person.named(person.word("search.more")) is None
    assert len({one.text for one in person.all(".results .result-text")}) == 25


def test_the_list_goes_on_when_it_is_scrolled(person):
    person.enter()
    user = person.user["user"]["id"]
    person.suite.sql(
        "insert into chat.conversations (user_id, title, updated_at) "
        f"select {user}, 'Number ' || n, clock_timestamp() - n * interval '1 day' from generate_series(1, 120) n"
    )
    person.go("/")
    person.open_drawer()
    person.sees("Number 1", ".list")
    person.sees(person.word("list.yesterday"), ".list")
    person.sees(person.word("list.week"), ".list")
    assert len(person.all(".list-link")) < 120
    person.until(
        lambda: person.run(
            "const list = document.querySelector('.list:not(.results)'); list.scrollTop = list.scrollHeight;"
            "return list.querySelectorAll('.list-link').length"
        )
        == 120
    )


def test_a_title_is_found_that_the_list_has_not_reached_yet(person):
    person.enter()
    user = person.user["user"]["id"]
    person.suite.sql(
        "insert into chat.conversations (user_id, title, updated_at) "
        f"select {user}, 'Number ' || n, clock_timestamp() - n * interval '1 day' from generate_series(1, 200) n"
    )
    person.go("/")
    person.open_drawer()
    person.sees("Number 1", ".list")
    assert len(person.all(".list-link")) < 200
    person.find("#search").send_keys("number 197")
    person.until(lambda: [one.text for one in person.all(".results .result-title")] == ["Number 197"], "the title")


OLDEST = "select min(id) from chat.messages where conversation_id = {}"
# A link that somebody clicks in this window: what was done to the window stays done.
OPEN = "history.pushState(null, '', arguments[0]); dispatchEvent(new PopStateEvent('popstate'))"
IN_VIEW = """
const { top, bottom } = document.querySelector(`[data-message="${arguments[0]}"]`)?.getBoundingClientRect() ?? {};
return top >= 0 && bottom <= innerHeight;
"""
COUNT_AT_BEGINNING = """
document.querySelector(".thread").scrollTop = 0;
return document.querySelectorAll(".turn").length;
"""


def test_a_message_several_pages_back_is_reached_though_the_service_goes_away_on_the_way(person, suite):
    person.expected = (503, 502, "broken off")
    person.enter()
    number = fill(person, 600)
    oldest = suite.sql(OLDEST.format(number))
    person.hold("GET", "limit=200")
    person.run(OPEN, f"/c/{number}?message={oldest}")
    person.until(person.holds, "the second page on its way")
    with suite.replicas_away():
        person.release()
        person.find("#banner .button-link")
        assert len(person.all(".turn")) == 25
    person.until(lambda: person.run(IN_VIEW, oldest), "the oldest message", 120)
    assert len(person.all(".turn")) == 300
    person.until(lambda: len(suite.replicas()) == 2, "both replicas", 120)


def test_what_is_loaded_stays_when_the_way_to_a_found_message_fails(person):
    person.expected = ("blocked",)
    person.enter()
    number = fill(person, 600)
    oldest = person.suite.sql(OLDEST.format(number))
    person.driver.execute_cdp_cmd("Network.enable", {})
    person.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*limit=200*"]})
    try:
        person.go(f"/c/{number}?message={oldest}")
        person.sees(person.word("problem.offline"), "#toasts")
        assert len(person.all(".turn")) == 25
    finally:
        person.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    person.until(lambda: person.run(COUNT_AT_BEGINNING) == 300, "all older messages")
    numbers = person.run("return [...document.querySelectorAll('.bubble-text')].map((one) => one.textContent)")
    assert numbers == [f"Question {one}" for one in range(1, 301)]
    person.ask("Still there?")
    person.sees("The model has heard you.", ".turn:last-child .answer")


def test_a_question_asked_while_the_history_is_missing_is_answered_and_the_history_comes_later(person):
    person.expected = ("blocked",)
    person.enter()
    number = fill(person, 6)
    person.driver.execute_cdp_cmd("Network.enable", {})
    person.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*limit=50*"]})
    try:
        person.go(f"/c/{number}")
        person.sees(person.word("thread.failed"))
        person.ask("And now?")
        person.sees("The model has heard you.", ".turn:last-child .answer")
        person.sees(person.word("thread.failed"))
    finally:
        person.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    person.click("banner.try", within=".thread")
    person.misses(person.word("thread.failed"))
    asked = "return [...document.querySelectorAll('.bubble-text')].map((one) => one.textContent)"
    assert person.run(asked) == ["Question 1", "Question 2", "Question 3", "And now?"]
