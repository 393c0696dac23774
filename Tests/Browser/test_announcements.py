"""What screen readers are told: everything that matters, and each of it once."""

import itertools

from history import conversation
from model import Reply
from network import offline
from suite import FIXTURES

HEARD = "The model has heard you."
# What is announced and what the banner shows, in the order in which it comes.
LISTEN_TO_BANNER = """
const banner = document.getElementById("banner");
const announcer = document.getElementById("announcer");
window.told = [];
const listener = new MutationObserver((changes) => {
    for (const place of new Set(changes.map(({ target }) => banner.contains(target) ? banner : announcer))) {
        const text = (place === banner ? place.querySelector("span") : place)?.textContent ?? "";
        if (text || place === banner) window.told.push([place.id, text]);
    }
});
const all = { childList: true, characterData: true, subtree: true };
for (const place of [banner, announcer]) listener.observe(place, all);
"""
# Two calls at once that the service asks to wait with: one shortly, one long.
TWO_WAITS = """
const { patiently } = await import("/scripts/notices/banner.js");
const { Problem } = await import("/scripts/network/problem.js");
const begun = (seconds) => {
    const refusals = [new Problem(503, {}, new Headers({ "Retry-After": seconds }))];
    return patiently(async () => {
        if (refusals.length > 0) throw refusals.pop();
    });
};
[window.short, window.long] = [begun("1"), begun("60")];
"""
SECONDS_SHOWN = "return Number(document.querySelector('#banner span')?.textContent.match(/[0-9]+/)?.[0] ?? 0)"


def assert_heard(person, *texts):
    """What is asked last is told last: whatever would be told twice has been by then."""
    person.ask("And the last one?")
    last = person.word("announce.answer", text=HEARD)
    person.until(lambda: last in person.heard(), "the last announcement")
    assert person.heard() == [*texts, last]


def test_a_failure_and_the_answer_after_it_are_read_out_once_each(person, model):
    model.script("fail aloud", Reply(status=400), Reply("Then it worked."))
    person.enter()
    person.listen()
    person.ask("fail aloud")
    person.sees(person.word("problem.llm_failed"))
    person.click("question.retry")
    person.sees("Then it worked.", ".answer")
    answer = person.word("announce.answer", text="Then it worked.")
    person.until(lambda: answer in person.heard(), "the answer")
    assert_heard(person, person.word("problem.llm_failed"), answer)


def test_a_refusal_is_read_out_once(person):
    person.expected = (415,)
    person.enter()
    person.attach(FIXTURES / "hostile" / "elf_named.png")
    announcer = person.driver.find_element("id", "announcer")
    added = person.until(lambda: announcer.get_attribute("textContent"), "the file's announcement")
    person.listen()
    person.click("composer.send")
    refusal = person.word("problem.unsupported_file_type")
    person.sees(refusal, ".failure")
    person.until(lambda: refusal in person.heard(), "the refusal")
    person.click("question.drop")
    person.click("file.remove", name="elf_named.png")
    assert_heard(person, refusal, added)


def test_a_stop_is_read_out_once(person, model):
    reply = Reply("As far as this ", "and no further.", hold_after=1)
    model.script("stop aloud", reply)
    person.enter()
    person.listen()
    person.ask("stop aloud")
    person.sees("As far as this", ".answer")
    person.click("composer.stop")
    person.sees(person.word("answer.stopped"))
    reply.release()
    person.until(lambda: person.find(".composer-send").accessible_name == person.word("composer.send"))
    assert_heard(person, person.word("problem.cancelled"))


def test_an_answer_anew_that_fails_or_is_stopped_is_read_out_once(person, model):
    stopped = Reply("As far as this ", "and no further.", hold_after=1)
    model.script("anew aloud", Reply("The first answer."), stopped, Reply(status=400))
    person.enter()
    person.listen()
    person.ask("anew aloud")
    person.sees("The first answer.", ".answer")
    person.click("answer.regenerate")
    person.sees("As far as this", ".answer")
    person.click("composer.stop")
    person.sees(person.word("answer.stopped"))
    stopped.release()
    person.until(lambda: person.word("problem.cancelled") in person.heard(), "the stop")
    person.click("answer.regenerate")
    person.sees(person.word("problem.llm_failed"))
    person.until(lambda: person.word("problem.llm_failed") in person.heard(), "the failure")
    first = person.word("announce.answer", text="The first answer.")
    assert_heard(person, first, person.word("problem.cancelled"), person.word("problem.llm_failed"))


def test_a_question_sent_again_after_it_was_given_up_is_stopped_and_told_of_as_any_other(person, model):
    person.expected = ("blocked",)
    reply = Reply("Sent again, ", "and answered.", hold_after=1)
    model.script("send again aloud", reply)
    person.enter()
    person.driver.execute_cdp_cmd("Network.enable", {})
    person.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/api/chat/chat"]})
    try:
        person.ask("send again aloud")

        def given_up():
            person.run("document.querySelector('#banner:not([hidden]) .button-link')?.click()")
            return person.named(person.word("question.send"))

        person.until(given_up, "the end of its attempts", 60)
    finally:
        person.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    person.until(lambda: not person.driver.find_element("id", "banner").is_displayed(), "the banner's end")
    person.listen()
    person.click("question.send")
    person.sees("Sent again,", ".answer")
    person.until(lambda: person.find(".composer-send").accessible_name == person.word("composer.stop"))
    reply.release()
    answer = person.word("announce.answer", text="Sent again, and answered.")
    person.until(lambda: answer in person.heard(), "the answer")
    assert_heard(person, answer)


def test_a_lost_connection_is_read_out_once(person):
    person.expected = ("offline",)
    person.enter()
    person.listen()
    with offline(person):
        pass
    banner = person.driver.find_element("id", "banner")
    assert banner.get_attribute("role") is None and banner.get_attribute("aria-live") is None
    assert_heard(person, person.word("banner.offline"))


def test_a_wait_is_read_out_when_it_begins_and_not_while_it_is_counted_down(person, suite):
    person.expected = (503, 502, "broken off")
    person.enter()
    number = conversation(person, "Far away")
    person.go("/")
    person.open_drawer()
    person.find(f".list-link[href='/c/{number}']")
    person.run(LISTEN_TO_BANNER)
    with suite.replicas_away():
        person.click(selector=f".list-link[href='/c/{number}']")

        def counted():
            """What the banner showed in its first wait, and what was read out first."""
            told = person.run("return window.told")
            shown = list(itertools.takewhile(bool, (text for place, text in told if place == "banner")))
            heard = next((text for place, text in told if place == "announcer"), None)
            return (shown, heard) if len(shown) >= 2 and heard else None

        shown, heard = person.until(counted, "seconds counted down")
        assert heard == shown[0]
        assert len(shown) == len(set(shown)), f"written without a change: {shown}"
    person.until(lambda: len(suite.replicas()) == 2, "both replicas", 120)
    person.sees(person.word("greeting.lead"), seconds=60)


def test_of_two_waits_the_longer_is_shown_and_outlives_the_shorter(person):
    person.enter()
    person.listen()
    person.run(TWO_WAITS)
    person.until(lambda: person.run(SECONDS_SHOWN) > 30, "the longer wait")
    person.run("return window.short")
    assert person.run(SECONDS_SHOWN) > 30
    person.click("banner.try", within="#banner")
    person.run("return window.long")
    person.until(lambda: not person.driver.find_element("id", "banner").is_displayed(), "the banner's end")
    person.until(lambda: len(person.heard()) == 2, "both announcements")
    assert "60" in person.heard()[1]
