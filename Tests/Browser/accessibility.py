"""What can be measured of WCAG 2.2 AA in a page as it stands: colours, names, roles, order, sizes."""

import pathlib

SCRIPT = (pathlib.Path(__file__).parent / "accessibility.js").read_text(encoding="utf-8")
# What a control must be called by, as the browser's own accessibility tree has it.
NAMED = {"button", "link", "textbox", "searchbox", "combobox", "checkbox", "radio", "menuitem", "dialog", "image",
         "progressbar", "navigation", "form", "log", "radiogroup", "group"}
SETTLED = """
const moving = document.getAnimations().filter(({ effect }) => effect.getComputedTiming().endTime !== Infinity);
await Promise.allSettled(moving.map(({ finished }) => finished));
"""


def look_closely(person):
    """Measures what is shown at the moment, and complains of all that it finds."""
    assert person.may_measure, "what a look changes is measured in several: mark the test with looks()"
    # A drawer on its way in is half outside of the window.
    person.run(SETTLED)
    found = person.run(SCRIPT)
    tree = person.driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})
    for node in tree["nodes"]:
        role = node.get("role", {}).get("value")
        if not node.get("ignored") and role in NAMED and not node.get("name", {}).get("value", "").strip():
            # A group of a fieldset without a legend, a details: nothing that a person has to tell from others.
            if role in ("group", "form"):
                continue
            found.append(f"{role} without a name")
    assert found == [], f"{person.look} {person.driver.current_url}: {found}"
