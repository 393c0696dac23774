"""One suite and one model for all tests; a browser for each way of looking at the page."""

import pytest

from letters import Letters
from model import Model
from person import Look, Person, browser
from suite import Suite

# Between them: both languages, both themes, both widths.
LOOKS = [Look("en", "light", 1440), Look("ru", "dark", 390)]


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
def browsers():
    opened = {}

    def of(look):
        if str(look) not in opened:
            opened[str(look)] = browser(look)
        return opened[str(look)]

    yield of
    for driver in opened.values():
        driver.quit()


@pytest.fixture(params=LOOKS, ids=str)
def person(request, suite, browsers):
    """Whoever looks at the page, once in each of `LOOKS`. The console must stay silent: tests that provoke a refusal
    say which by `person.expected`."""
    person = Person(browsers(request.param), suite, request.param)
    person.expected = ()
    person.leave()
    yield person
    for handle in person.driver.window_handles[1:]:
        person.driver.switch_to.window(handle)
        person.driver.close()
    person.driver.switch_to.window(person.driver.window_handles[0])
    errors = person.console_errors(person.expected)
    assert errors == [], f"the console says: {errors}"
