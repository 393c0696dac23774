"""How much is loaded, and how long it takes."""

import socket
import statistics
import time
import urllib.parse

import pytest

from history import fill
from suite import waited

FIRST_LOAD_BYTES_MAX = 150 * 1024
LONG = 10_000
PAGE = 50

LOADED = """
const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
return entries.map(({ name }) => name);
"""


def wire_bytes(address):
    """How many bytes come over the network for an address, the head of the answer included."""
    parts = urllib.parse.urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        head = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
        connection.sendall(head.encode())
        return sum(iter(lambda: len(connection.recv(65536)), 0))


WORDS = "each language loads its own words"


@pytest.mark.other_path(language=WORDS)
def test_the_first_load_is_small_and_of_this_origin(person):
    person.enter()
    person.until(lambda: len(person.all(".domain option")) == 7)
    names = person.run(LOADED)
    assert all(name.startswith(person.suite.page) for name in names), names
    files = [name for name in dict.fromkeys(names) if "/api/" not in name]
    sizes = {name: wire_bytes(name) for name in files}
    total = sum(sizes.values())
    assert 10_000 < total < FIRST_LOAD_BYTES_MAX, f"{total} bytes: {sorted(sizes.items(), key=lambda one: -one[1])}"
    print(f"first load: {total} bytes in {len(sizes)} files")
    assert not any("/vendor/highlight" in name for name in files)


@pytest.mark.other_path(language=WORDS)
def test_every_module_of_the_first_load_is_asked_for_at_once(person):
    person.enter()
    loaded = {name.removeprefix(person.suite.page) for name in person.run(LOADED) if "/scripts/" in name}
    preloaded = set(person.run("return [...document.querySelectorAll('link[rel=modulepreload]')].map((one) => new URL(one.href).pathname)"))
    # The words of a language are known when the script runs, the rest is in the head of the page.
    missing = {name for name in loaded - preloaded if "/words/" not in name}
    assert missing == {"/scripts/early.js", "/scripts/main.js"}, missing


def opening(person, number, last):
    """Seconds from the click on a conversation until its newest answer is shown."""
    start = time.monotonic()
    person.run(f"document.querySelector('a[href=\"/c/{number}\"]').click()")
    script = "return document.querySelector('.turn:last-child .answer')?.textContent ?? ''"
    waited(lambda: f"Question {last}" in person.run(script), 20, f"question {last}")
    return time.monotonic() - start


def test_a_conversation_of_10000_messages_opens_as_a_short_one_does(person):
    person.enter()
    # As many as one page shows: both draw the same.
    short, long = fill(person, PAGE), fill(person, LONG)
    person.go("/")
    person.until(lambda: len(person.driver.find_elements("css selector", ".list-link")) == 2)
    times = {short: [], long: []}
    for _ in range(5):
        for number, last in ((short, PAGE // 2), (long, LONG // 2)):
            times[number].append(opening(person, number, last))
    # The machine may be busy: what must not be is a growth with the number of messages, which is 200 times as large.
    ratio = statistics.median(times[long]) / statistics.median(times[short])
    assert ratio < 2, f"{ratio:.1f} times as long: {times}"
    assert len(person.all(".turn")) <= 50
    assert person.text(".turn:last-child .bubble") == f"Question {LONG // 2}"

    up = "const one = document.querySelector('.thread'); one.scrollTop = 0; return document.querySelectorAll('.turn').length"
    person.until(lambda: person.run(up) > 100, "older messages")
    numbers = person.run("return [...document.querySelectorAll('.bubble-text')].map((one) => Number(one.textContent.slice(9)))")
    assert numbers == list(range(LONG // 2 - len(numbers) + 1, LONG // 2 + 1)), "in order, without a gap"
    person.click("thread.toEnd")
    person.until(lambda: person.run(
        "const one = document.querySelector('.thread'); return one.scrollHeight - one.scrollTop - one.clientHeight < 5"))


@pytest.mark.looks("layout")
def test_reading_stays_where_it_is_while_older_messages_arrive(person):
    person.enter()
    number = fill(person, 400)
    person.go(f"/c/{number}")
    person.find(".turn")
    # The page is whole: it knows of older messages, and stands at its end.
    person.until(lambda: person.run("""
        const thread = document.querySelector(".thread");
        const isAtEnd = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 5;
        return isAtEnd && !document.querySelector(".older").hidden;
    """))
    moved = person.run("""
        const thread = document.querySelector(".thread");
        const first = document.querySelector(".turn");
        const count = document.querySelectorAll(".turn").length;
        thread.scrollTop = 300;
        await new Promise((resolve) => requestAnimationFrame(resolve));
        const before = first.getBoundingClientRect().top;
        while (document.querySelectorAll(".turn").length === count) await new Promise(requestAnimationFrame);
        return Math.abs(first.getBoundingClientRect().top - before);
    """)
    assert moved < 2, f"the text jumped by {moved} pixels"
