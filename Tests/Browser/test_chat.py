"""Asking and being answered."""

import pytest
from selenium.webdriver.common.keys import Keys

from model import Reply

MARKDOWN = """## Deadlines

**Three** of them:

| Clause | Until |
|---|---:|
| 2.1 | 14 days |

- [x] paid
- a [link](https://example.org/law)

```python
def penalty(days):
    return max(0, days - 10)
```
"""


def test_an_answer_grows_while_it_is_made(person, model):
    reply = Reply("The first half ", "and the second.", hold_after=1)
    model.script("grow please", reply)
    person.enter()
    person.ask("grow please")
    person.sees("The first half", ".answer")
    assert "second" not in person.text(".answer")
    assert person.find(".answer").get_attribute("aria-busy") == "true"
    reply.release()
    person.sees("The first half and the second.", ".answer")
    person.sees("scripted", ".answer-model")
    assert person.find(".answer-model").get_attribute("title") == person.word("answer.usage", read=7, written=5)
    person.until(lambda: person.find(".answer").get_attribute("aria-busy") == "false")
    person.until(lambda: "The first half" in person.driver.find_element("id", "announcer").get_attribute("textContent"))
    person.driver.refresh()
    person.sees("The first half and the second.", ".answer")
    assert len(person.all(".turn")) == 1


def test_markdown_is_drawn_and_code_has_colours(person, model):
    model.script("markdown please", Reply(*[MARKDOWN[at : at + 7] for at in range(0, len(MARKDOWN), 7)]))
    person.enter()
    person.ask("markdown please")
    person.find(".prose h4")
    assert person.find(".prose strong").text == "Three"
    assert [cell.text for cell in person.all(".prose td")] == ["2.1", "14 days"]
    assert person.all(".prose td")[1].value_of_css_property("text-align") in ("right", "end")
    link = person.find(".prose a")
    assert link.get_attribute("href") == "https://example.org/law"
    assert "noopener" in link.get_attribute("rel")
    person.until(lambda: [one.text for one in person.all(".code .hljs-keyword")] == ["def", "return"])
    assert person.find(".code figcaption").text == "python"


def test_an_answer_and_its_code_can_be_copied(person, model):
    model.script("copy please", Reply("Before.\n\n```python\nprint(1)\n```\n"))
    person.driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite"]})
    person.enter()
    person.ask("copy please")
    person.click("code.copy")
    person.sees(person.word("code.copied"), "#toasts")
    read = "return navigator.clipboard.readText()"
    assert person.run(read) == "print(1)"
    person.click("answer.copy")
    person.sees(person.word("answer.copied"), "#toasts")
    assert person.run(read) == "Before.\n\n```python\nprint(1)\n```\n"
    person.hover(".bubble")
    person.click("question.copy")
    person.until(lambda: person.run(read) == "copy please", "the question in the clipboard")


def test_a_question_is_changed_and_asked_anew(person):
    person.enter()
    person.ask("What of tulips?")
    person.sees("The model has heard you.", ".answer")
    person.question_field().send_keys("half a thought")
    person.hover(".bubble")
    person.click("question.edit")
    assert person.question_field().get_attribute("value") == "What of tulips?\n\nhalf a thought"
    assert person.driver.switch_to.active_element.get_attribute("id") == "question"
    person.click("composer.send")
    person.until(lambda: len([one for one in person.all(".answer") if "heard" in one.text]) == 2, "the second answer")
    assert [one.text for one in person.all(".bubble-text")] == ["What of tulips?", "What of tulips?\n\nhalf a thought"]


def test_an_answer_is_stopped_and_what_had_come_of_it_stays(person, model):
    reply = Reply("As far as this ", "and no further.", hold_after=1)
    model.script("stop please", reply, Reply("All of it now."))
    person.enter()
    person.ask("stop please")
    person.sees("As far as this", ".answer")
    person.click("composer.stop")
    person.sees(person.word("answer.stopped"))
    reply.release()
    person.until(lambda: person.find(".composer-send").accessible_name == person.word("composer.send"))
    assert "As far as this" in person.text(".answer")
    # Nobody has counted what a stopped answer took.
    estimate = person.word("answer.usageEstimated").split("{")[0]
    person.until(lambda: person.find(".answer-model").get_attribute("title").startswith(estimate), "an estimate")
    person.driver.refresh()
    person.sees("As far as this", ".answer")
    assert "no further" not in person.text(".answer")
    person.click("answer.regenerate")
    person.sees("All of it now.", ".answer")


def test_a_failed_question_is_tried_again(person, model):
    model.script("fail once", Reply(status=400), Reply("Now it worked."))
    person.enter()
    person.ask("fail once")
    person.sees(person.word("problem.llm_failed"))
    person.click("question.retry")
    person.sees("Now it worked.", ".answer")
    person.misses(person.word("problem.llm_failed"))


def test_an_answer_is_made_anew_and_both_can_be_read(person, model):
    model.script("again please", Reply("The first answer."), Reply("The second answer."))
    person.enter()
    person.ask("again please")
    person.sees("The first answer.", ".answer")
    person.click("answer.regenerate")
    person.sees("The second answer.", ".answer")
    person.sees("2 / 2", ".stepper")
    person.click("answer.earlier")
    person.sees("The first answer.", ".answer")
    person.driver.refresh()
    person.sees("The second answer.", ".answer")
    person.sees("2 / 2", ".stepper")


@pytest.mark.other_path(language="the domains have names")
def test_the_domain_is_chosen_and_remembered(person, model):
    person.enter()
    person.until(lambda: len(person.all(".domain option")) == 7)
    names = [person.word(f"domain.{name}") for name in ("legal", "marketing", "finance", "sales", "management", "hr")]
    assert [one.text for one in person.all(".domain option")] == [*names, person.word("domain.general")]
    person.run("arguments[0].value = 'legal'; arguments[0].dispatchEvent(new Event('change'))", person.find(".domain"))
    person.ask("in a domain")
    person.sees("The model has heard you.", ".answer")
    number = person.conversation_id()
    asked = f"conversation_id = {number} and role = 'user'"
    stored = person.suite.sql(f"select domain from chat.messages where {asked}")
    assert stored == "legal"
    person.go("/")
    person.until(lambda: person.find(".domain").get_attribute("value") == "legal")


def test_a_draft_survives_a_reload_and_too_long_a_question_cannot_be_sent(person):
    person.enter()
    person.question_field().send_keys("half a thought")
    person.driver.refresh()
    person.until(lambda: person.question_field().get_attribute("value") == "half a thought")
    script = "arguments[0].value = 'x'.repeat(10001); arguments[0].dispatchEvent(new Event('input'))"
    person.run(script, person.question_field())
    assert person.find(".composer-send").get_attribute("aria-disabled") == "true"
    assert "-1" in person.text(".composer-count").replace("−", "-")
    person.run("arguments[0].value = ''; arguments[0].dispatchEvent(new Event('input'))", person.question_field())


@pytest.mark.other_path(width="a drawer has the search")
def test_a_conversation_is_had_with_the_keyboard_alone(person, model):
    model.script("by keyboard", Reply("Heard from the keyboard."))
    person.enter()
    person.question_field()
    person.until(lambda: person.driver.switch_to.active_element.get_attribute("id") == "question")
    person.press("by keyboard", Keys.SHIFT, Keys.ENTER)
    person.press("second line", Keys.ENTER)
    person.sees("Heard from the keyboard.", ".answer")
    assert person.find(".bubble-text").text == "by keyboard\nsecond line"
    person.press(Keys.CONTROL, "k")
    person.until(lambda: person.driver.switch_to.active_element.get_attribute("id") == "search")
    if person.look.width < 800:
        person.press(Keys.ESCAPE)
        person.until(lambda: person.driver.switch_to.active_element.accessible_name == person.word("sidebar.open"))
        assert person.driver.find_element("id", "sidebar").get_attribute("inert") is not None


def test_what_happens_in_one_tab_is_seen_in_the_other(person, model):
    reply = Reply("Written for ", "both tabs.", hold_after=1)
    model.script("two tabs", Reply("Begun."), reply)
    person.enter()
    person.ask("two tabs")
    person.sees("Begun.", ".answer")
    address = person.driver.current_url
    first = person.driver.current_window_handle
    second = person.new_window(address)
    person.sees("Begun.", ".answer")
    person.driver.switch_to.window(first)
    person.ask("two tabs once more")
    person.sees("Written for", ".answer")
    person.driver.switch_to.window(second)
    person.sees("Written for", ".answer")
    reply.release()
    person.sees("Written for both tabs.", ".answer")
    person.driver.switch_to.window(first)
    person.sees("Written for both tabs.", ".answer")
    assert len(person.all(".turn")) == 2
