"""When things are not as they should be: no network, too much work, a service that is away, a token that has run out."""

import re
import threading

from model import Reply
from network import offline, question_without_network
from suite import waited

def test_without_a_network_a_question_waits_and_is_sent_once(person):
    with question_without_network(person):
        assert person.is_leaving_asked_for(), "a question that waits is lost with the page"
    person.until(lambda: len([one for one in person.all(".answer") if "heard" in one.text]) == 2)
    assert not person.is_leaving_asked_for()
    number = person.conversation_id()
    assert person.suite.sql(f"select count(*) from chat.messages where conversation_id = {number}") == "4"


# Makes a call and holds its answer back until the test lets it arrive.
ANSWER_LATE = """
const { chat } = await import("/scripts/network/request.js");
const send = window.fetch;
window.fetch = async (address, options) => {
    const answer = await send(address, options);
    if (address.includes("limit=1")) await new Promise((resolve) => { window.arrive = resolve; });
    return answer;
};
window.answered = chat("/conversations?limit=1");
"""


def test_an_answer_that_was_on_its_way_when_the_network_went_does_not_bring_it_back(person):
    person.expected = ("offline",)
    person.enter()
    person.run(ANSWER_LATE)
    person.until(lambda: person.run("return Boolean(window.arrive)"), "an answer on its way")
    with offline(person):
        person.run("window.arrive(); return window.answered.then(() => true)")
        assert person.word("banner.offline") in person.text("#banner")


def test_too_much_work_is_waited_for_with_the_seconds_counted(person, model):
    person.expected = (429,)
    # Three for each of the two replicas.
    held = [Reply("Done.", hold_after=0) for _ in range(6)]
    model.script("hold this", *held)
    person.enter()
    person.ask("first")
    person.sees("The model has heard you.", ".answer")
    token = person.token()
    number = person.conversation_id()
    body = {"conversation_id": number, "message": "hold this"}
    threads = []
    for reply in held:
        # A replica that has its three refuses; the next try comes to the other.
        for _ in range(20):
            thread = threading.Thread(target=person.suite.call, args=("/api/chat/chat", body, token))
            thread.start()
            threads.append(thread)
            waited(lambda: reply.asked.is_set() or not thread.is_alive(), 60, "the model or a refusal")
            if reply.asked.is_set():
                break
        assert reply.asked.is_set()
    # The page shows that work is going on, so its button stops; another conversation has its own.
    person.go("/")
    person.ask("one too many")
    seen = set()

    def counted():
        seen.update(line for line in person.text(".work").splitlines() if any(sign.isdigit() for sign in line))
        return len(seen) >= 2

    person.until(counted, "seconds counted down")
    # It has waited all the while.
    person.find(".work")
    for line in seen:
        assert person.word("progress.waiting", n=int(re.search(r"\d+", line).group())) in line
    for reply in held:
        reply.release()
    for thread in threads:
        thread.join()
    person.sees("The model has heard you.", ".answer", 40)


def test_a_service_that_is_away_is_waited_for(person, suite):
    person.expected = (503, 502, "broken off")
    person.enter()
    person.ask("something")
    person.sees("The model has heard you.", ".answer")
    address = person.driver.current_url
    with suite.replicas_away():
        person.driver.get(address)
        person.find("#banner .button-link")
        assert person.word("banner.offline") not in person.text("#banner"), "nginx answers"
    person.sees("The model has heard you.", ".answer", 60)
    person.until(lambda: len(suite.replicas()) == 2, "both replicas", 120)


def test_two_tabs_renew_their_tokens_one_after_the_other(person):
    person.enter()
    address = person.driver.current_url
    first = person.driver.current_window_handle
    renew = """
        const { authority } = await import("/scripts/session/session.js");
        const before = await authority.token();
        return [before, await authority.renewed(before)];
    """
    person.new_window(address)
    person.find(".shell")
    for _ in range(3):
        before, after = person.run(renew)
        assert before != after
    person.driver.switch_to.window(first)
    _, after = person.run(renew)
    # Both tabs are still signed in, and what one got the other uses.
    person.until(lambda: person.run("""
        const { authority } = await import("/scripts/session/session.js");
        return (await authority.token()) === arguments[0];
    """, after))
    person.driver.refresh()
    person.sees(person.word("greeting.lead"))


# A renewal that is sent is counted, and answered only when the test says so.
HOLDS_RENEWALS = """
const send = window.fetch;
const isReleased = new Promise((resolve) => { window.releaseRenewals = resolve; });
window.renewalsSent = 0;
window.fetch = async (address, options) => {
    if (!address.endsWith("/refresh")) return send(address, options);
    window.renewalsSent += 1;
    await isReleased;
    return send(address, options);
};
"""
TOKEN = """
const { authority } = await import("/scripts/session/session.js");
return authority.token();
"""
# Begins to renew, and does not wait for it.
RENEW = """
const { authority } = await import("/scripts/session/session.js");
window.renewal = authority.renewed(arguments[0]);
"""
# Whether this window has sent its renewal, or stands behind another one.
HAS_BEGUN = "return window.renewalsSent > 0 || (await navigator.locks.query()).pending.length > 0"


def test_two_tabs_that_renew_at_the_same_moment_send_one_renewal(person):
    person.enter()
    windows = [person.driver.current_window_handle, person.new_window(person.suite.page + "/")]
    person.find(".shell")
    old = person.run(TOKEN)
    person.driver.switch_to.window(windows[0])
    person.until(lambda: person.run(TOKEN) == old, "the token that the second window got when it began")

    def in_each(script, *arguments):
        answers = []
        for window in windows:
            person.driver.switch_to.window(window)
            answers.append(person.run(script, *arguments))
        return answers

    in_each(HOLDS_RENEWALS)
    in_each(RENEW, old)
    person.until(lambda: all(in_each(HAS_BEGUN)), "both windows on their way to a new token")
    in_each("window.releaseRenewals()")
    new = in_each("return window.renewal")
    assert in_each("return window.renewalsSent") == [1, 0]
    assert new[0] == new[1] != old
    # Both go on with it, and what is stored is good for the next.
    for window in windows:
        person.driver.switch_to.window(window)
        person.ask("Who is there?")
        person.sees("The model has heard you.", ".answer")
    person.driver.refresh()
    person.sees("The model has heard you.", ".answer")


def test_tokens_that_run_out_are_renewed_without_a_word(person, short_suite):
    person.suite = short_suite
    person.enter()
    first = person.driver.current_window_handle
    second = person.new_window(short_suite.page + "/")
    for number, window in enumerate((first, second, first, second), start=1):
        person.driver.switch_to.window(window)
        person.ask(f"question {number}")
        heard = (number + 1) // 2
        person.until(lambda: person.text(".answer").count("The model has heard you.") == heard, f"{heard} answers")
    person.driver.refresh()
    person.sees("question 4", ".bubble")


def test_signing_out_in_one_tab_signs_out_of_all(person):
    person.enter()
    first = person.driver.current_window_handle
    person.new_window(person.suite.page + "/")
    person.open_user_menu()
    person.click("user.signOut")
    person.sees(person.word("signIn.title"), "h1")
    person.driver.switch_to.window(first)
    person.sees(person.word("signIn.title"), "h1")
    assert person.run("return localStorage.getItem('parley.refresh-token')") is None
