"""The page of the services' calls."""

import pytest

pytestmark = pytest.mark.other_path(width="wide windows open the lists of links")

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
# Methods and addresses: of the calls of each service, of the links to them, and of what these lead to.
SHOWN = """
const pair = (element, address) => [
    element.querySelector(".method").textContent, element.querySelector(address).textContent,
];
return {
    calls: [...document.querySelectorAll(".docs-service")].map((service) =>
        [...service.querySelectorAll(".call h3")].map((title) => pair(title, "code"))),
    links: [...document.querySelectorAll(".docs-links")].map((list) =>
        [...list.querySelectorAll("a")].map((link) => pair(link, ".docs-path"))),
    targets: [...document.querySelectorAll(".docs-links a")].map((link) =>
        pair(document.getElementById(link.hash.slice(1)), "h3 code")),
};
"""


def operations(document):
    """Methods and addresses of an OpenAPI document."""
    return [
        [method.upper(), address]
        for address, item in document["paths"].items()
        for method in item
        if method in METHODS
    ]


def test_all_calls_of_both_services_are_shown_and_no_other(person, suite):
    person.go("/docs")
    person.sees(person.word("docs.title"), "h1")
    documents = [suite.call(f"/api/{name}/openapi.json")[1] for name in ("auth", "chat")]
    expected = [sorted(operations(document)) for document in documents]
    assert all(len(one) > 15 for one in expected), "the documents are written in another way"
    shown = person.run(SHOWN)
    assert [sorted(one) for one in shown["calls"]] == expected
    assert shown["links"] == shown["calls"]
    assert shown["targets"] == [one for links in shown["links"] for one in links]
