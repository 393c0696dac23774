"""Which tests are done in which looks. Needs no browser."""

import itertools
import pathlib
import re

import pytest

from looks import ALL_LOOKS, OPPOSITE_LOOKS, PAIRED_LOOKS, look_of, looks_of

DIMENSIONS = ("language", "theme", "width")


def values(looks, *names):
    return {tuple(getattr(look, name) for name in names) for look in looks}


def behaviors():
    """The names of the tests that have a person and no marker of their own."""
    found = []
    for path in sorted(pathlib.Path(__file__).parent.glob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        found += re.findall(r"\n\n\ndef (test_\w+)\((?:\w+, )*person\b", text)
    assert len(found) > 40, "the tests are written in another way"
    return found


def test_the_four_looks_have_every_pair_and_the_two_have_everything_once():
    for pair in itertools.combinations(DIMENSIONS, 2):
        assert values(PAIRED_LOOKS, *pair) == values(ALL_LOOKS, *pair)
    for name in DIMENSIONS:
        assert values(OPPOSITE_LOOKS, name) == values(ALL_LOOKS, name)


def test_behaviors_are_done_in_each_of_the_four_looks():
    chosen = [look_of(name) for name in behaviors()]
    for look in PAIRED_LOOKS:
        assert chosen.count(look) >= len(chosen) / 8, f"{look}: {chosen.count(look)} of {len(chosen)}"


def test_a_test_without_a_marker_is_done_once_and_in_the_same_look_each_time():
    (look,) = looks_of("test_something", [], False)
    assert looks_of("test_something", [], False) == [look]
    assert look in looks_of("test_something", [], True) == PAIRED_LOOKS


def test_a_marker_adds_looks_and_all_looks_leaves_none_out():
    measured, elsewhere = pytest.mark.looks("contrast").mark, pytest.mark.other_path(width="a drawer").mark
    assert looks_of("test_something", [measured], False) == PAIRED_LOOKS
    assert looks_of("test_something", [elsewhere], False) == OPPOSITE_LOOKS
    assert looks_of("test_something", [measured], True) == looks_of("test_something", [elsewhere], True) == ALL_LOOKS


@pytest.mark.parametrize("marks", [
    [pytest.mark.looks],
    [pytest.mark.looks("clicks")],
    [pytest.mark.looks(width="a drawer")],
    [pytest.mark.other_path],
    [pytest.mark.other_path("width")],
    [pytest.mark.other_path(width="")],
    [pytest.mark.other_path(browser="another one")],
    [pytest.mark.looks("contrast"), pytest.mark.other_path(width="a drawer")],
], ids=str)
def test_a_marker_that_does_not_say_why_is_refused(marks):
    with pytest.raises(ValueError):
        looks_of("test_something", [one.mark for one in marks], False)
