"""How the page is looked at, and which test looks at it how.

A test says what a look can change of it, by a marker:

- `looks("layout", "contrast", "wording", "accessibility")`, one or more of them: what it asserts depends on the look.
  It runs in the four looks that have every pair, and in all eight with `--all-looks`.
- `other_path(width="why")`, or `language` or `theme`: what it does takes another path there. It runs in two opposite
  looks, and in all eight with `--all-looks`.
- Without a marker no look changes it, and it runs once. Its name chooses the look, so that all four take part and a
  test that fails does so again. It runs in the four with `--all-looks`.
"""

import itertools
import zlib

ASPECTS = {"layout", "contrast", "wording", "accessibility"}
DIMENSIONS = {"language", "theme", "width"}


class Look:
    """A language, a theme, and the width of the window."""

    def __init__(self, language, theme, width):
        self.language, self.theme, self.width = language, theme, width
        self.height = 844 if width < 600 else 900

    def __str__(self):
        return f"{self.language}-{self.theme}-{self.width}"

    def __repr__(self):
        return str(self)

    def __eq__(self, other):
        return str(self) == str(other)

    def __hash__(self):
        return hash(str(self))


ALL_LOOKS = [Look(*one) for one in itertools.product(("en", "ru"), ("light", "dark"), (1440, 390))]
# Each language in each theme, each language at each width, each theme at each width.
PAIRED_LOOKS = [
    Look("en", "light", 1440), Look("en", "dark", 390), Look("ru", "light", 390), Look("ru", "dark", 1440),
]
# Between them: both languages, both themes, both widths.
OPPOSITE_LOOKS = [Look("en", "light", 1440), Look("ru", "dark", 390)]


def look_of(name):
    """The one look of a behavior. It stays the same when other tests come and go."""
    return PAIRED_LOOKS[zlib.crc32(name.encode()) % len(PAIRED_LOOKS)]


def looks_of(name, marks, has_all_looks):
    """The looks of a test with these markers. Raises ValueError when they do not say what a look changes."""
    found = [mark for mark in marks if mark.name in ("looks", "other_path")]
    if not found:
        return PAIRED_LOOKS if has_all_looks else [look_of(name)]
    if len(found) > 1:
        raise ValueError(f"{name}: one marker says how a test is looked at, not {len(found)}")
    mark = found[0]
    if mark.name == "looks":
        if mark.kwargs or not mark.args or not set(mark.args) <= ASPECTS:
            raise ValueError(f"{name}: looks() names what a look can change, of {sorted(ASPECTS)}")
        return ALL_LOOKS if has_all_looks else PAIRED_LOOKS
    if mark.args or not mark.kwargs or not set(mark.kwargs) <= DIMENSIONS or not all(mark.kwargs.values()):
        raise ValueError(f"{name}: other_path() says why, for one or more of {sorted(DIMENSIONS)}")
    return ALL_LOOKS if has_all_looks else OPPOSITE_LOOKS
