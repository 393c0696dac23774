"""The account and this browser's settings."""

import pytest
from selenium.webdriver.common.by import By

from suite import PASSWORD


def panel(person, key):
    heading = person.word(key)
    return person.until(
        lambda: next(
            (one for one in person.all(".panel") if one.find_element(By.TAG_NAME, "h2").text == heading), None
        ),
        heading,
    )


def press(person, key, name):
    panel(person, key).find_element(By.XPATH, f".//button[normalize-space()='{person.word(name)}']").click()


def test_the_name_is_changed_everywhere(person):
    person.enter(path="/account")
    person.type("name", "Ольга <b>Новая</b>")
    press(person, "account.profile", "dialog.save")
    person.sees(person.word("account.saved"), "#toasts")
    person.open_drawer()
    person.sees("Ольга <b>Новая</b>", ".user")


@pytest.mark.other_path(theme="to the other one", language="to the other one")
def test_theme_and_language_change_at_once_and_are_remembered(person):
    person.enter(path="/account")
    other = "dark" if person.look.theme == "light" else "light"
    assert person.run("return document.documentElement.dataset.theme") == person.look.theme
    before = person.run("return getComputedStyle(document.body.parentElement).backgroundColor")
    person.click(selector=f"label:has(input[name=theme][value={other}])")
    person.until(lambda: person.run("return document.documentElement.dataset.theme") == other)
    assert person.run("return getComputedStyle(document.body.parentElement).backgroundColor") != before
    language = "ru" if person.look.language == "en" else "en"
    person.click(selector=f"label:has(input[name=language][value={language}])")
    person.sees({"ru": "Учётная запись и настройки", "en": "Account and settings"}[language], "h1")
    assert person.run("return document.documentElement.lang") == language
    person.driver.refresh()
    person.sees({"ru": "Внешний вид", "en": "Appearance"}[language])
    assert person.run("return document.documentElement.dataset.theme") == other


def test_the_password_is_changed_and_other_sessions_end(person):
    person.expected = (401, 422)
    person.enter(path="/account")
    person.token()
    person.driver.refresh()
    person.until(lambda: len(panel(person, "account.sessions").find_elements(By.CSS_SELECTOR, ".row")) == 2)
    person.type("old_password", "wrong")
    person.type("new_password", "another long password")
    press(person, "account.password", "account.changePassword")
    person.sees(person.word("problem.invalid_old_password"))
    person.type("old_password", PASSWORD)
    person.type("new_password", "short")
    press(person, "account.password", "account.changePassword")
    person.sees(person.word("problem.weak_password"))
    person.type("new_password", "another long password")
    press(person, "account.password", "account.changePassword")
    person.sees(person.word("account.passwordChanged"), "#toasts")
    person.until(lambda: len(panel(person, "account.sessions").find_elements(By.CSS_SELECTOR, ".row")) == 1)


def test_another_session_is_ended(person):
    person.enter(path="/account")
    person.token()
    person.driver.refresh()
    sessions = panel(person, "account.sessions")
    person.until(lambda: len(sessions.find_elements(By.CSS_SELECTOR, ".row button")) == 1)
    assert person.word("sessions.current") in sessions.text
    sessions.find_element(By.CSS_SELECTOR, ".row button").click()
    person.sees(person.word("sessions.ended"), "#toasts")
    person.until(lambda: len(sessions.find_elements(By.CSS_SELECTOR, ".row")) == 1)


def test_the_account_is_deleted_with_its_password(person):
    person.expected = (401,)
    person.enter(path="/account")
    press(person, "account.deletion", "account.delete")
    dialog = person.find("dialog[open]")
    dialog.find_element(By.NAME, "password").send_keys("wrong")
    person.click("account.delete", within="dialog[open]")
    person.sees(person.word("problem.invalid_password"), "dialog")
    field = dialog.find_element(By.NAME, "password")
    field.clear()
    field.send_keys(PASSWORD)
    person.click("account.delete", within="dialog[open]")
    person.sees(person.word("signIn.title"), "h1")
    body = {"email": person.user["user"]["email"], "password": PASSWORD}
    assert person.suite.call("/api/auth/login", body)[0] == 401
