"""Every main view, in both languages and themes, at both widths: measured against WCAG 2.2 AA as far as can be. What
comes in between, problems and waits, is in test_appearance.py."""

import pytest
from selenium.webdriver.common.keys import Keys

from accessibility import look_closely
from model import Reply
from suite import FIXTURES

pytestmark = pytest.mark.looks("contrast", "layout", "accessibility")

MARKDOWN = "## Heading\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> said\n\n- one\n\n```python\ndef f(): # why\n    return \"a\"\n```\n"


def test_the_entrance(person):
    for path, key in (("/sign-in", "signIn.title"), ("/register", "register.title"), ("/forgotten", "forgotten.title")):
        person.go(path)
        person.sees(person.word(key), "h1")
        look_closely(person)
    person.click("forgotten.submit")
    person.sees(person.word("form.required"))
    look_closely(person)


def test_a_conversation_with_everything_in_it(person, model):
    model.script("everything please", Reply(MARKDOWN))
    # The title of the conversation, which no narrow screen has room for.
    question = "everything please, with a heading, a table, what somebody said, a list, and code in it"
    person.enter()
    look_closely(person)
    person.ask(question)
    person.find(".code .hljs-keyword")
    person.find(".actions")
    look_closely(person)
    person.attach(FIXTURES / "documents" / "note_utf8.txt")
    person.find(".files-chosen .file")
    look_closely(person)
    person.click("conversation.actions")
    look_closely(person)
    person.click("conversation.rename")
    person.find("dialog[open]")
    look_closely(person)
    person.press(Keys.ESCAPE)
    person.until(lambda: not person.all("dialog"))
    person.open_drawer()
    look_closely(person)


def test_the_account(person):
    person.enter(path="/account")
    person.sees(person.word("sessions.current"))
    person.until(lambda: not person.all(".panel .bone"))
    look_closely(person)


def test_the_documentation(person):
    person.go("/docs")
    person.sees(person.word("docs.title"), "h1")
    # A few of the many that are alike.
    person.run("for (const one of [...document.querySelectorAll('details')].slice(0, 12)) one.open = true")
    look_closely(person)


def test_the_focus_goes_in_order_is_always_seen_and_is_never_caught(person, model):
    model.script("tabbing along", Reply("An answer with [a link](https://example.org)."))
    person.enter()
    person.ask("tabbing along")
    person.find(".actions")
    # Colours that are still on their way to the new ones would be taken for the old ones.
    features = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    person.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    # The first stop of a page that was just opened.
    person.run("document.querySelector('.skip-link').focus()")
    stops = []
    for _ in range(60):
        person.press(Keys.TAB)
        stop = person.run("""
            const { activeElement } = document;
            if (activeElement === document.body) return null;
            const style = getComputedStyle(activeElement);
            const frame = getComputedStyle(activeElement.closest(".composer") ?? activeElement);
            const isSeen = (style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 2)
                || frame.boxShadow.includes("1px");
            const before = window.lastStop;
            window.lastStop = activeElement;
            const isAfter = !before?.isConnected
                || Boolean(before.compareDocumentPosition(activeElement) & Node.DOCUMENT_POSITION_FOLLOWING);
            return [activeElement.outerHTML.slice(0, 80), isSeen, isAfter];
        """)
        if stop is None:
            break
        stops.append(stop)
    assert 6 <= len(stops) < 60, f"the keyboard is caught: {stops}"
    assert [one for one in stops if not one[1]] == [], "a focus that is not seen"
    assert [one for one in stops if not one[2]] == [], "a focus that jumps back"


def focused(person):
    return person.driver.switch_to.active_element.get_attribute("textContent")


def test_menus_and_dialogs_give_the_focus_back(person):
    person.enter()
    person.ask("anything")
    person.find(".actions")
    # The head is built again when the conversation gets its title from the first question.
    person.sees("anything", ".head-title")
    button = person.until(lambda: person.named(person.word("conversation.actions")), "the menu's button")
    person.run("arguments[0].focus()", button)
    person.press(Keys.ENTER)
    person.until(lambda: person.driver.switch_to.active_element.get_attribute("role") == "menuitem")
    first = focused(person)
    person.press(Keys.ARROW_DOWN)
    assert focused(person) != first
    person.press(Keys.HOME)
    assert focused(person) == first
    person.press(Keys.ESCAPE)
    person.until(lambda: person.driver.switch_to.active_element == button)
    person.press(Keys.ARROW_UP)
    person.press(Keys.ENTER)
    person.find("dialog[open]")
    for _ in range(6):
        person.press(Keys.TAB)
        inside = person.run("return document.activeElement === document.body || !!document.activeElement.closest('dialog')")
        assert inside, "the focus leaves a modal dialog"
    person.press(Keys.ESCAPE)
    person.until(lambda: person.driver.switch_to.active_element == button)


def test_nothing_moves_for_those_who_ask_for_that(person):
    person.enter()
    features = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    person.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    longest = person.run("""
        const seconds = (text) => Math.max(...text.split(",").map(Number.parseFloat));
        return Math.max(...[...document.querySelectorAll("*")].flatMap((element) => {
            const style = getComputedStyle(element);
            return [seconds(style.animationDuration), seconds(style.transitionDuration)];
        }));
    """)
    assert longest <= 0.001
