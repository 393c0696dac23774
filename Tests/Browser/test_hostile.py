"""Text that wants to be a program: in every place where text of others is shown, it stays text."""

from model import Reply

PAYLOADS = [
    "<img src=x onerror=\"window.owned=1\">",
    "<svg/onload=window.owned=1>",
    "<script>window.owned=1</script>",
    "<iframe srcdoc=\"<script>parent.owned=1</script>\"></iframe>",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=window.owned=1&gt;\">",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=window.owned=1>",
    "[click](javascript:window.owned=1)",
    "[data](data:text/html,<script>window.owned=1</script>)",
    "![picture](https://tracker.example/pixel.png)",
    "![x](x\" onerror=\"window.owned=1)",
    "<a href=\"jav&#x09;ascript:window.owned=1\">tab</a>",
    "[relative](/account)",
    "`` `<img src=x onerror=window.owned=1>` ``",
    "```html\n<img src=x onerror=window.owned=1>\n```",
    "```\"><img src=x onerror=window.owned=1>\ncode\n```",
    "<style>body{display:none}</style><link rel=stylesheet href=https://tracker.example/a.css>",
    "<input autofocus onfocus=window.owned=1><details open ontoggle=window.owned=1>",
    "<div id=app class=dialog style=position:fixed>fake</div>",
    "\u202e<b>reversed</b>\u0000",
]
ALL = "\n\n".join(PAYLOADS).replace("\u0000", "")

CHECK = """
const place = arguments[0];
const bad = [];
if (window.owned) bad.push("a script ran");
for (const element of document.querySelectorAll(`${place} *`)) {
    if (/^(script|iframe|object|embed|form|style|link|img|input|math|base|meta)$/i.test(element.localName)) {
        if (!element.closest(".composer, .search, dialog")) bad.push(`element ${element.localName}`);
    }
    for (const { name, value } of element.attributes) {
        if (name.startsWith("on")) bad.push(`attribute ${name}`);
        if (/^\\s*(javascript|data|vbscript):/i.test(value)) bad.push(`address ${value}`);
        if (name === "style" && element.closest(".prose")) bad.push("style");
        if (name === "id" && element.closest(".prose")) bad.push("id");
        if (name === "class" && element.closest(".prose") && /dialog|banner/.test(value)) bad.push(`class ${value}`);
    }
}
for (const link of document.querySelectorAll(".prose a[href]")) {
    if (!/^(https?|mailto):$/.test(link.protocol) || link.origin === location.origin) bad.push(`link ${link.href}`);
}
const strangers = performance.getEntriesByType("resource").filter(({ name }) => !name.startsWith(location.origin));
return [...bad, ...strangers.map(({ name }) => `request ${name}`)];
"""


def assert_harmless(person, place="#app"):
    assert person.run(CHECK, place) == []
    assert person.find("#app").is_displayed()


def test_answers_of_a_hostile_model_do_nothing(person, model):
    # Also cut in the middle of everything, as a stream is.
    model.script("attack me", Reply(*[ALL[at : at + 5] for at in range(0, len(ALL), 5)], "\n\nThe end of the attack."))
    person.enter()
    person.ask("attack me")
    person.sees("The end of the attack.", ".answer", 40)
    assert_harmless(person)
    assert "<script>window.owned=1</script>" in person.text(".answer"), "markup is shown as what it is"
    person.driver.refresh()
    person.sees("The end of the attack.", ".answer")
    assert_harmless(person)


def test_questions_titles_and_names_are_only_text(person):
    person.enter(name=PAYLOADS[0])
    token = person.token()
    status, made = person.suite.call("/api/chat/conversations", {"title": PAYLOADS[1], "business_context": ALL}, token)
    assert status == 201, made
    person.go(f"/c/{made['conversation_id']}")
    person.sees(PAYLOADS[1], ".head-title")
    person.run(
        "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))", person.question_field(), ALL
    )
    person.click("composer.send")
    person.sees("The model has heard you.", ".answer")
    person.sees(PAYLOADS[2], ".bubble")
    assert_harmless(person)
    person.click("conversation.actions")
    person.click("conversation.rename")
    assert_harmless(person, "dialog")
    person.click("dialog.cancel", within="dialog[open]")
    person.open_drawer()
    person.sees(PAYLOADS[1], ".list")
    person.sees(PAYLOADS[0], ".user")
    person.find("#search").send_keys("svg")
    person.sees(PAYLOADS[1], ".results")
    assert_harmless(person)


def test_file_names_and_recognised_text_are_only_text(person, tmp_path):
    name = "<img src=x onerror=window.owned=1>.md"
    path = tmp_path / name
    path.write_text(ALL)
    person.enter()
    person.attach(path)
    person.sees(name, ".files-chosen")
    assert_harmless(person)
    person.click("composer.send")
    person.sees("The model has heard you.", ".answer", 40)
    person.sees("window.owned=1", ".bubble")
    assert_harmless(person)


def test_the_policy_refuses_inline_script_and_strangers(person):
    person.go("/sign-in")
    refused = person.run("""
        const seen = [];
        document.addEventListener("securitypolicyviolation", (event) => seen.push(event.effectiveDirective));
        const script = document.createElement("script");
        try { script.textContent = "window.owned = 1"; } catch { seen.push("trusted-types"); }
        document.head.append(script);
        try { document.body.insertAdjacentHTML("beforeend", "<b>x</b>"); } catch { seen.push("trusted-types"); }
        await fetch("https://tracker.example/").catch(() => {});
        const image = new Image();
        await new Promise((resolve) => { image.onerror = resolve; image.src = "https://tracker.example/a.png"; });
        return [seen, window.owned ?? null];
    """)
    assert "trusted-types" in refused[0] and "connect-src" in refused[0] and "img-src" in refused[0], refused
    assert refused[1] is None
    # The console tells of each refusal; that is what was asked for.
    person.console()
