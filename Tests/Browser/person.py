"""Somebody in front of a browser: sees, clicks, types."""

import contextlib
import json
import os
import re

from selenium import webdriver
from selenium.common.exceptions import (
    ElementNotInteractableException,
    NoSuchElementException,
    StaleElementReferenceException,
    WebDriverException,
)
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from scripts import HOLD, LISTEN, REFUSE
from suite import PASSWORD, plural, waited, words

SECONDS = 40


def browser():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    arguments = ["--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    for argument in arguments:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
    driver.set_page_load_timeout(60)
    driver.set_script_timeout(60)
    return driver


def show_as(driver, look):
    """A screen of this size, on a device with this theme."""
    size = {"width": look.width, "height": look.height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": look.theme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


class Person:
    def __init__(self, driver, suite, look):
        self.driver, self.suite, self.look = driver, suite, look
        self.words = words(look.language)
        self.user = None

    # What is there

    def word(self, key, **values):
        text = self.words[key]
        if text.startswith("{"):
            forms = dict(re.findall(r'(\w+): "([^"]*)"', text))
            text = forms.get(plural(self.look.language, values["n"]), forms["other"])
        for name, value in values.items():
            text = text.replace("{" + name + "}", str(value))
        return text

    def find(self, selector):
        """The first element of a CSS selector that is shown, as soon as there is one."""
        return self.until(lambda: next((e for e in self.all(selector) if e.is_displayed()), None), selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def sees(self, text, within="body", seconds=SECONDS):
        """Waits for a text."""
        return self.until(lambda: text in self.text(within), f"the text {text!r}", seconds)

    def misses(self, text, within="body", seconds=SECONDS):
        return self.until(lambda: text not in self.text(within), f"the end of {text!r}", seconds)

    def text(self, selector="body"):
        return "\n".join(element.text for element in self.all(selector))

    def until(self, condition, what="a condition", seconds=SECONDS):
        def tried():
            try:
                return condition()
            except (NoSuchElementException, StaleElementReferenceException):
                return None

        try:
            return waited(tried, seconds, what)
        except AssertionError as error:
            shown = self.text("body")[:700]
            raise AssertionError(f"{error}; {self.look}, {self.driver.current_url} shows:\n{shown}") from None

    def run(self, script, *arguments):
        """JavaScript in the page; a promise is waited for."""
        return self.driver.execute_script(script, *arguments)

    # What a person does

    def go(self, path="/"):
        self.driver.get(self.suite.page + path)

    def click(self, key=None, selector=None, within="body", **values):
        """Clicks what is called by a word of the page, or the element of a selector."""
        if selector:
            return self._click(lambda: next((e for e in self.all(selector) if e.is_displayed()), None), selector)
        name = self.word(key, **values)
        return self._click(lambda: self.named(name, within), f"something called {name!r}")

    def _click(self, find, what):
        def clicked():
            element = find()
            if element is None:
                return False
            try:
                element.click()
            except StaleElementReferenceException:
                return False
            except WebDriverException as error:
                if "intercepted" not in str(error) and "not interactable" not in str(error):
                    raise
                return False
            return True

        self.until(clicked, what)

    def named(self, name, within="body"):
        """A button, link or menu item with this accessible name."""
        for element in self.all(f"{within} :is(button, a, [role^=menuitem], summary, select)"):
            if element.accessible_name == name and element.is_displayed():
                return element
        return None

    def hover(self, selector):
        """Brings the pointer there, for what is shown only then."""
        ActionChains(self.driver).move_to_element(self.find(selector)).perform()

    def type(self, field, text, clears=True):
        def typed():
            # A form that is just being replaced by the next step has a field of the same name.
            element = self.find(f"[name={field}]")
            try:
                if clears:
                    element.clear()
                element.send_keys(text)
            except (StaleElementReferenceException, ElementNotInteractableException):
                return None
            return element

        return self.until(typed, f"the field {field}")

    def press(self, *keys):
        self.driver.switch_to.active_element.send_keys(*keys)

    def question_field(self):
        return self.find("#question")

    def ask(self, text):
        field = self.question_field()
        field.send_keys(text)
        self.click("composer.send")

    def attach(self, *paths):
        self.find(".composer")
        self.driver.find_element(By.CSS_SELECTOR, ".composer input[type=file]").send_keys("\n".join(map(str, paths)))

    # Where a person starts

    def leave(self):
        """A browser without a memory."""
        self.driver.get(self.suite.page + "/favicon.svg")
        origin = {"origin": self.suite.page, "storageTypes": "all"}
        self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", origin)
        self.run("sessionStorage.clear()")
        self.run("localStorage.setItem('parley.language', arguments[0])", self.look.language)
        show_as(self.driver, self.look)
        self.console()

    def enter(self, name="Ann Example", path="/"):
        """Signed in as a new user, without the forms."""
        self.leave()
        self.user = self.suite.register(name)
        self.run("localStorage.setItem('parley.refresh-token', arguments[0])", self.user["refresh_token"])
        self.go(path)
        self.find(".shell, .docs")
        return self.user

    def token(self):
        """An access token of the user's own, for calls beside the page."""
        body = {"email": self.user["user"]["email"], "password": PASSWORD}
        status, answer = self.suite.call("/api/auth/login", body)
        assert status == 200, answer
        return answer["token"]

    def open_drawer(self):
        """The list of conversations, which narrow screens hide."""
        if self.look.width < 800:
            self.click("sidebar.open")

    def open_user_menu(self):
        self.open_drawer()
        self.click(selector=".user")
        self.find(".menu")

    def new_window(self, address):
        """A second window beside the first; gives back its handle."""
        self.driver.switch_to.new_window("window")
        show_as(self.driver, self.look)
        self.driver.get(address)
        return self.driver.current_window_handle

    # What is on its way

    def hold(self, method, part):
        """This window's calls of that kind do not leave before `release()`."""
        self.run(HOLD, method, part)

    def holds(self):
        """How many calls are held."""
        return self.run("return window.held")

    def release(self):
        self.run("window.release()")

    def refuse(self, part, status, seconds):
        """From now on this window's calls of that kind are refused, until the page is loaded anew."""
        self.run(REFUSE, part, status, seconds)

    @contextlib.contextmanager
    def refused_from_the_start(self, part, status, seconds):
        """Pages that are loaded meanwhile are refused calls of that kind from their first one on."""
        source = f"(function () {{{REFUSE}}})(...{json.dumps([part, status, seconds])})"
        added = self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
        try:
            yield
        finally:
            self.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)

    # What the browser says

    def listen(self):
        """From now on `heard()` has all that screen readers are told."""
        self.run(LISTEN)

    def heard(self):
        return self.run("return window.heard")

    def is_leaving_asked_for(self):
        """Whether the browser would ask before it leaves the page."""
        return self.run("return !dispatchEvent(new Event('beforeunload', { cancelable: true }))")

    def console(self):
        return [entry for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    def console_errors(self, expected=()):
        """What should not be there: everything but refusals that the test has asked for, by their status."""
        return [
            entry["message"]
            for entry in self.console()
            if not any(f"status of {status}" in entry["message"] for status in expected)
            and not ("net::ERR_INTERNET_DISCONNECTED" in entry["message"] and "offline" in expected)
            and not ("net::ERR_BLOCKED_BY_CLIENT" in entry["message"] and "blocked" in expected)
            and not ("net::ERR_INCOMPLETE_CHUNKED_ENCODING" in entry["message"] and "broken off" in expected)
        ]

    def requests(self):
        """Addresses of all that was loaded since the page was."""
        return self.run("return performance.getEntriesByType('resource').map(({ name }) => name)")

    def conversation_id(self):
        self.until(lambda: "/c/" in self.driver.current_url, "a conversation's address")
        return self.conversation_id_of_path()

    def conversation_id_of_path(self):
        """As it stands in the address now, without what is after it."""
        return int(self.run("return location.pathname.split('/').at(-1)"))
