"""The list of conversations."""

import pytest
from selenium.webdriver.common.keys import Keys

from accessibility import look_closely
from model import Reply


def conversation(person, title, question=None):
    token = person.token()
    status, made = person.suite.call("/api/chat/conversations", {"title": title}, token)
    assert status == 201, made
    if question:
        body = {"conversation_id": made["conversation_id"], "message": question}
        status, answer = person.suite.call("/api/chat/chat", body, token)
        assert status == 200, answer
    return made["conversation_id"]


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
    look_closely(person)
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


def test_what_was_said_is_found_and_shown_where_it_was_said(person, model):
    model.script("retention of title", Reply("By retention the goods stay ours until they are paid."))
    person.enter()
    conversation(person, "Flowers", "What of tulips?")
    wanted = conversation(person, "Delivery", "Explain retention of title to me")
    # A message is found about a second after it is final.
    token = person.token()
    path = "/api/chat/search?q=retention"
    person.until(lambda: len(person.suite.call(path, token=token)[1].get("hits", [])) == 2, "the index")
    person.go("/")
    person.open_drawer()
    person.find("#search").send_keys("Deliv")
    person.sees("Delivery", ".results")
    person.find("#search").clear()
    person.find("#search").send_keys("retention")
    person.sees(person.word("search.messages"), ".results")
    person.until(lambda: "retention" in person.text(".results mark").lower(), "the found word marked")
    assert "tulips" not in person.text(".results")
    look_closely(person)
    person.click(selector=".results .result")
    person.sees("the goods stay ours", ".answer")
    assert person.conversation_id_of_path() == wanted
    person.find(".turn-found")
    person.open_drawer()
    person.find("#search").clear()
    person.find("#search").send_keys("quetzalcoatl")
    person.sees(person.word("search.nothing"), ".results")
    look_closely(person)


@pytest.mark.opposite_looks
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


@pytest.mark.opposite_looks
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


@pytest.mark.opposite_looks
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
