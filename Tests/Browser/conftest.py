"""One suite, one model and one browser for all tests of a worker. What a test is looked at in: looks.py."""

import pytest

from letters import Letters
from looks import looks_of
from model import Model
from person import Person, browser
from suite import Suite


def pytest_addoption(parser):
    parser.addoption(
        "--all-looks", action="store_true", help="eight looks instead of four or two, four instead of one")


def pytest_configure(config):
    config.addinivalue_line("markers", "looks(*aspects): a look can change what is asserted: each pair, or all eight")
    config.addinivalue_line("markers", "other_path(**why): what is done takes another path in other looks: two of them")


def pytest_generate_tests(metafunc):
    """Gives a test with a person its looks."""
    marks = list(metafunc.definition.iter_markers())
    if "look" in metafunc.fixturenames:
        looks = looks_of(metafunc.definition.name, marks, metafunc.config.getoption("all_looks"))
        metafunc.parametrize("look", looks, ids=str)
    elif any(mark.name in ("looks", "other_path") for mark in marks):
        raise ValueError(f"{metafunc.definition.name}: has a marker for looks, but no person who looks")


@pytest.fixture(scope="session")
def model():
    model = Model()
    yield model
    model.stop()


@pytest.fixture(scope="session")
def letters():
    letters = Letters()
    yield letters
    letters.stop()


@pytest.fixture(scope="session")
def suite(model, letters):
    suite = Suite(model.url, {"QUEUE_JOBS_PER_USER": "3", "OCR_WORKERS": "1", "SMTP_URL": letters.url})
    yield suite
    suite.stop()


@pytest.fixture(scope="session")
def short_suite(model):
    """Another deployment: it sends no mail, and its access tokens are too short-lived for a second call."""
    suite = Suite(model.url, {"ACCESS_TOKEN_SECONDS": "1"})
    yield suite
    suite.stop()


@pytest.fixture(scope="session")
def driver():
    driver = browser()
    yield driver
    driver.quit()


@pytest.fixture
def person(look, suite, driver, request):
    """Whoever looks at the page. The console must stay silent: tests that provoke a refusal say which by
    `person.expected`."""
    person = Person(driver, suite, look)
    person.may_measure = request.node.get_closest_marker("looks") is not None
    person.expected = ()
    person.leave()
    yield person
    for handle in driver.window_handles[1:]:
        driver.switch_to.window(handle)
        driver.close()
    driver.switch_to.window(driver.window_handles[0])
    errors = person.console_errors(person.expected)
    assert errors == [], f"the console says: {errors}"
