"""The page's words, as they stand in its modules: both languages say the same. Needs no browser."""

import re

from suite import ROOT, words

CATALOGUE = ROOT / "Sources" / "Shared" / "HTTP" / "Problems" / "ProblemCode.swift"
NGINX = ROOT / "deploy" / "nginx" / "problems.conf"

CONFLICT = "conversation.js shows what is true now instead"
BROWSER = "no script may set that field, and no browser does"
KEY = "sending.js makes a key for each question and sends it again as it was"
SERVICE = "a cursor is sent back as it came; live.js begins anew without one"
FORM = "the browser writes the form; composer.js sends no more files than may be, and this call not without any"
SHAPE = "the page's calls are written by its modules, not by a person"
SEARCH = "the numbers are the page's own, and the field for the search takes 200 characters"
# Codes that no action of the page can bring before a person's eyes.
UNMET = {
    "already_final": CONFLICT,
    "not_retryable": CONFLICT,
    "not_regenerable": CONFLICT,
    "content_encoding_not_supported": BROWSER,
    "expectation_failed": BROWSER,
    "idempotency_key_reused": KEY,
    "invalid_idempotency_key": KEY,
    "invalid_cursor": SERVICE,
    "invalid_form": FORM,
    "no_file": FORM,
    "too_many_files": FORM,
    "invalid_json": SHAPE,
    "invalid_request": SHAPE,
    "method_not_allowed": SHAPE,
    "missing_token": SHAPE,
    "invalid_query": SEARCH,
    "out_of_range": SEARCH,
    "invalid_id": "instead.js says that there is no such conversation",
    "invalid_refresh_token": "session.js makes it session_lost",
    "session_not_found": "sessions.js takes it for done: the session has ended",
    "email_already_confirmed": "the page has no button for another letter",
}


def codes():
    """What the services answer, and what nginx does in their place."""
    found = re.findall(r'^    case \w+ = "(\w+)"$', CATALOGUE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(found) > 70, "the catalogue is written in another way"
    return set(found) | set(re.findall(r'"code":"(\w+)"', NGINX.read_text(encoding="utf-8")))


def gaps(word):
    """The {gaps} of a word, which may be an object of its plural forms."""
    return set(re.findall(r"\{(\w+)\}", word))


def test_both_languages_have_the_same_words():
    english, russian = words("en"), words("ru")
    assert len(english) > 250, "the words are written in another way"
    assert set(english) == set(russian), set(english) ^ set(russian)
    different = {key for key in english if gaps(english[key]) != gaps(russian[key])}
    assert not different, f"other gaps: {different}"


def test_every_problem_that_a_person_may_meet_has_words():
    for language in ("en", "ru"):
        known = {key.removeprefix("problem.") for key in words(language) if key.startswith("problem.")}
        assert codes() - known - set(UNMET) == set(), f"shown in the service's own words in {language}"
        assert known & set(UNMET) == set(), "met after all"
    assert set(UNMET) <= codes(), "there is no such code"
