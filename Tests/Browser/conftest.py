"""One suite, one model and one browser for all tests, which look at the page in every way there is."""

import itertools

import pytest

from letters import Letters
from model import Model
from person import Look, Person, browser
from suite import Suite

LOOKS = [Look(*one) for one in itertools.product(("en", "ru"), ("light", "dark"), (1440, 390))]
# Each language in each theme, each language at each width, each theme at each width.
PAIRED_LOOKS = [
    Look("en", "light", 1440), Look("en", "dark", 390), Look("ru", "light", 390), Look("ru", "dark", 1440),
]
# Between them: both languages, both themes, both widths.
OPPOSITE_LOOKS = [Look("en", "light", 1440), Look("ru", "dark", 390)]


def pytest_addoption(parser):
    parser.addoption(
        "--all-looks", action="store_true", help="all eight looks, and not the four that have every pair in them")


def pytest_configure(config):
    config.addinivalue_line("markers", "opposite_looks: about something that no look changes; two are enough")


def pytest_generate_tests(metafunc):
    """What a person does is done in both languages, both themes and at both widths."""
    if "look" in metafunc.fixturenames:
        has_marker = metafunc.definition.get_closest_marker("opposite_looks")
        looks = LOOKS if metafunc.config.getoption("all_looks") else PAIRED_LOOKS
        metafunc.parametrize("look", OPPOSITE_LOOKS if has_marker else looks, ids=str)


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
def person(look, suite, driver):
    """Whoever looks at the page. The console must stay silent: tests that provoke a refusal say which by
    `person.expected`."""
    person = Person(driver, suite, look)
    person.expected = ()
    person.leave()
    yield person
    for handle in driver.window_handles[1:]:
        driver.switch_to.window(handle)
        driver.close()
    driver.switch_to.window(driver.window_handles[0])
    errors = person.console_errors(person.expected)
    assert errors == [], f"the console says: {errors}"
