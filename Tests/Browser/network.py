"""The browser without a network."""

import contextlib

ONLINE = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}


@contextlib.contextmanager
def offline(person):
    """Takes the network away and waits until the page says so. At the end it waits until the page has noticed that the
    network is back: otherwise the next test would begin without one."""
    set_offline(person, True)
    try:
        person.sees(person.word("banner.offline"), "#banner")
        yield
    finally:
        set_offline(person, False)
    person.until(lambda: not person.driver.find_element("id", "banner").is_displayed(), "the banner's end")


@contextlib.contextmanager
def question_without_network(person):
    """Asks one question that is answered, then another one without a network, and stays offline for the body."""
    person.expected = ("offline",)
    person.enter()
    person.ask("before")
    person.sees("The model has heard you.", ".answer")
    with offline(person):
        person.ask("while away")
        person.sees(person.word("progress.offline"), ".turn-status")
        pictures = person.all("#banner .icon, .composer-send .icon")
        assert len(pictures) == 2 and all(is_drawn(person, one) for one in pictures), "pictures need a network"
        yield


def set_offline(person, is_offline):
    person.driver.execute_cdp_cmd("Network.enable", {})
    person.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**ONLINE, "offline": is_offline})


def is_drawn(person, picture):
    """Returns whether a picture has a size."""
    return person.run("const { width, height } = arguments[0].getBBox(); return width > 0 && height > 0", picture)
