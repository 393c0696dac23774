"""Coming in: registering, signing in and out, a forgotten password, the second factor, a session that ends."""

import re
import time

import pytest

from suite import PASSWORD
from totp import code


@pytest.mark.other_path(width="a drawer has the user's menu")
def test_somebody_registers_signs_out_and_signs_in_again(person):
    person.expected = (401,)
    person.go("/")
    person.sees(person.word("signIn.title"), "h1")
    person.click("signIn.register")
    person.sees(person.word("register.title"), "h1")
    address = f"new{time.time_ns()}@example.org"
    person.type("name", "Мария Кюри")
    person.type("email", address)
    person.type("password", PASSWORD)
    person.click("register.submit")
    person.sees(person.word("greeting.title", name="Мария"))

    person.open_user_menu()
    person.click("user.signOut")
    person.sees(person.word("signIn.title"), "h1")
    person.type("email", address)
    person.type("password", "not this one")
    person.click("signIn.submit")
    person.sees(person.word("problem.invalid_credentials"))
    person.type("password", PASSWORD)
    person.click("signIn.submit")
    person.sees(person.word("greeting.title", name="Мария"))


def test_what_is_wrong_is_said_beside_the_field(person):
    person.expected = (409, 422)
    known = person.suite.register()["user"]["email"]
    person.go("/register")
    person.click("register.submit")
    person.sees(person.word("form.required"))
    assert person.text().count(person.word("form.required")) == 3
    assert person.driver.switch_to.active_element.get_attribute("name") == "name"
    person.type("name", "Ann")
    person.type("email", "ann")
    person.type("password", "short")
    person.click("register.submit")
    person.sees(person.word("problem.invalid_email"))
    person.type("email", known)
    person.click("register.submit")
    person.sees(person.word("problem.weak_password"))
    field = person.find("[name=password]")
    assert field.get_attribute("aria-invalid") == "true"
    described = field.get_attribute("aria-describedby").split()
    assert any(person.driver.find_element("id", one).text == person.word("problem.weak_password") for one in described)
    person.type("password", PASSWORD)
    person.click("register.submit")
    person.sees(person.word("problem.email_taken"))


def test_a_password_can_be_looked_at(person):
    person.go("/sign-in")
    person.type("password", "secret words")
    person.click("form.showPassword")
    assert person.find("[name=password]").get_attribute("type") == "text"
    person.click("form.hidePassword")
    assert person.find("[name=password]").get_attribute("type") == "password"


def test_a_forgotten_password_is_replaced_by_the_link_of_a_letter(person, letters):
    person.expected = (401, 422)
    address = person.suite.register()["user"]["email"]
    person.go("/sign-in")
    person.click("signIn.forgotten")
    person.type("email", address)
    person.click("forgotten.submit")
    person.sees(person.word("forgotten.sent", email=address))
    link = re.search(r"http://\S+", letters.to(address, "#password-reset=")).group()
    person.driver.get("about:blank")
    person.driver.get(link)
    person.sees(person.word("reset.title"), "h1")
    assert "#" not in person.driver.current_url, "the token stays in the history"
    person.type("password", "short")
    person.click("reset.submit")
    person.sees(person.word("problem.weak_password"))
    person.type("password", "quite another password")
    person.click("reset.submit")
    person.sees(person.word("signIn.title"), "h1")
    person.type("email", address)
    person.type("password", PASSWORD)
    person.click("signIn.submit")
    person.sees(person.word("problem.invalid_credentials"))
    person.type("password", "quite another password")
    person.click("signIn.submit")
    person.find(".shell")


def test_the_address_of_an_account_is_confirmed_by_the_link_of_a_letter(person, letters):
    address = person.suite.register()["user"]["email"]
    link = re.search(r"http://\S+", letters.to(address, "#confirm-email=")).group()
    person.driver.get("about:blank")
    person.driver.get(link)
    person.sees(person.word("confirmEmail.done"))
    person.click("confirmEmail.on")
    person.sees(person.word("signIn.title"), "h1")


def test_a_forgotten_password_without_mail_is_said_plainly(person, short_suite):
    person.expected = (404,)
    person.suite = short_suite
    person.leave()
    person.go("/forgotten")
    person.type("email", "somebody@example.org")
    person.click("forgotten.submit")
    person.sees(person.word("forgotten.noMail"))
    person.click("forgotten.back")
    person.sees(person.word("signIn.title"), "h1")


def test_a_reload_keeps_somebody_signed_in_without_a_form(person):
    person.enter()
    person.driver.refresh()
    person.sees(person.word("greeting.lead"))
    stored = person.run("return JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + document.cookie")
    assert "eyJ" not in stored, "an access token is kept where it survives"


def test_a_second_factor_is_turned_on_asked_for_and_turned_off(person):
    person.expected = (401,)
    person.enter(path="/account")
    person.click("secondFactor.turnOn")
    dialog = person.find("dialog[open]")
    dialog.find_element("name", "password").send_keys(PASSWORD)
    person.click("dialog.next", within="dialog[open]")
    secret = person.find(".secret code").text.replace(" ", "")
    assert person.find(".qr svg").accessible_name == person.word("secondFactor.qr")
    person.type("totp", "000000")
    person.click("secondFactor.submit", within="dialog[open]")
    person.sees(person.word("problem.invalid_totp"))
    person.type("totp", code(secret))
    person.click("secondFactor.submit", within="dialog[open]")
    # A dialog that only begins to appear has no text for the driver: some of the codes may still be empty.
    person.until(lambda: person.all(".codes code") and all(one.text for one in person.all(".codes code")), "all codes")
    codes = [one.text for one in person.all(".codes code")]
    assert len(codes) >= 8
    person.click("secondFactor.codesKept")
    person.until(lambda: person.named(person.word("secondFactor.turnOff")))

    person.open_user_menu()
    person.click("user.signOut")
    # The account has a field of this name, too.
    person.sees(person.word("signIn.title"), "h1")
    person.type("email", person.user["user"]["email"])
    person.type("password", PASSWORD)
    person.click("signIn.submit")
    person.sees(person.word("secondFactor.codeHint"))
    person.type("totp", "000000")
    person.click("secondFactor.submit")
    person.sees(person.word("problem.invalid_totp"))
    person.type("totp", codes[0])
    person.click("secondFactor.submit")
    person.find(".shell")

    person.go("/account")
    person.click("secondFactor.turnOff")
    person.find("dialog[open]")
    person.type("totp", codes[1])
    person.click("secondFactor.turnOff", within="dialog[open]")
    person.sees(person.word("secondFactor.off"))


def test_a_session_that_was_ended_elsewhere_leads_back_to_where_it_was(person):
    person.expected = (401,)
    person.enter()
    person.ask("Where are we?")
    person.sees("The model has heard you.")
    path = f"/c/{person.conversation_id()}"
    token = person.token()
    _, answer = person.suite.call("/api/auth/api/sessions", token=token)
    for session in answer["sessions"]:
        if not session["current"]:
            person.suite.call(f"/api/auth/api/sessions/{session['id']}", token=token, method="DELETE")
    person.driver.refresh()
    person.sees(person.word("signIn.lost"))
    person.type("email", person.user["user"]["email"])
    person.type("password", PASSWORD)
    person.click("signIn.submit")
    person.sees("The model has heard you.")
    assert person.driver.current_url.endswith(path)
