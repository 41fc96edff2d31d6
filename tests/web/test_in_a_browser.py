"""What a customer does with a message, in a real browser, at the width of a phone."""

import pytest
from browser import AXE, NO_AXE, PHONE, violations

EVERY_PAGE = (
    "",
    "/verify",
    "/why",
    "/stop",
    "/reschedule",
    "/preferences",
    "/confirm",
    "/cancel",
    "/disown",
    "/trapped",
    "/withdraw",
)


def test_confirm_from_a_text(told, phone):
    """Message, link, one press: it is confirmed, and the page says so and what happens now."""
    shop = told("sms")
    phone.goto(shop.home)
    phone.get_by_role("button", name="I will be there").click()
    assert "Thank you. We expect you." in phone.get_by_role("status").inner_text()
    assert "Sunday, December 13, 2026 at 10:00 AM CST: a text from us" in phone.inner_text("main")
    shop.tale.until("2026-12-20")
    shop.tale.nothing(rule="appointment-reminders", step="day-before")


def test_the_reminders_move_with_the_appointment(told, phone):
    """Another time is one that is free; the old time's reminder never goes, the new one's does."""
    shop = told()
    phone.goto(f"{shop.home}/reschedule")
    phone.locator("input[name=when]").last.check()
    day = phone.locator("legend").last.inner_text()
    phone.get_by_role("button", name="Take this time").click()
    assert "Your appointment has moved" in phone.get_by_role("status").inner_text()
    assert day.split(", ")[1] in phone.locator(".fact").inner_text()
    shop.tale.until("2026-12-20")
    reminder = shop.tale.sent(rule="appointment-reminders", step="reminder")
    assert day.split(", ")[1] in reminder.body
    assert reminder.anchor_at != shop.tale.time("2026-12-15 09:00")


def test_i_did_not_make_this(told, phone):
    """From the mail's link, one press more: withdrawn, no reminders, and the desk is told (story 02)."""
    shop = told()
    phone.goto(f"{shop.home}/disown")
    phone.get_by_role("button", name="I did not make this").click()
    assert "It is withdrawn" in phone.get_by_role("status").inner_text()
    shop.tale.until("2026-12-20")
    assert {one.step for one in shop.tale.messages if one.state == "sent"} == {"confirmation"}
    shop.tale.task(rule="appointment-disowned", words="did not make the appointment")


def test_stopping_one_topic_keeps_the_rest(told, phone):
    """No more about sales; what is due for the car and the appointment still comes."""
    shop = told()
    phone.goto(f"{shop.home}/preferences")
    phone.get_by_label("Sales").uncheck()
    phone.get_by_role("button", name="Save").first.click()
    assert not phone.get_by_label("Sales").is_checked()
    assert phone.get_by_label("Maintenance").is_checked()
    shop.tale.given("event", customer="C1", kind="trade_in", asset="V1", id="T1")
    shop.tale.until("2026-12-20")
    shop.tale.sent(rule="appointment-reminders", step="reminder")


def test_a_correction_outlasts_a_later_import(told, phone):
    """The name as the customer corrected it stays, whatever the next import says (story 09)."""
    shop = told()
    phone.goto(f"{shop.home}/preferences")
    phone.get_by_label("Your name").fill("Ana María Ortiz")
    phone.locator("form", has=phone.get_by_label("Your name")).get_by_role("button").click()
    assert "It is noted" in phone.get_by_role("status").inner_text()
    shop.tale.given("customer", id="C1", name="Anna Ortis", source="dms")
    shop.tale.until("2026-12-20")
    mail = next(iter(one for one in shop.tale.app.channels["mail"].sent.values() if "/reminder/" in one.key))
    assert "Hello Ana María Ortiz" in mail.text


def test_a_new_address_is_made_sure_of_by_a_person(told, phone):
    """Whoever has a link cannot send all that follows to themselves: somebody calls first, and mail goes as before."""
    shop = told()
    phone.goto(f"{shop.home}/preferences")
    phone.get_by_label("Your mail address").fill("somebody@example.org")
    phone.locator("form", has=phone.get_by_label("Your mail address")).get_by_role("button").click()
    assert "It is noted" in phone.get_by_role("status").inner_text()
    shop.tale.until("2026-12-20")
    shop.tale.task(rule="reply-for-a-person", words="My new mail address is somebody@example.org")
    assert shop.tale.sent(rule="appointment-reminders", step="reminder").to == "ana@example.com"


def test_feedback_changes_the_plan(told, phone):
    """Trapped is one press, and a person is asked to call (story 19)."""
    shop = told()
    phone.goto(shop.home)
    phone.get_by_role("button", name="Trapped").click()
    assert "Thank you for telling us" in phone.get_by_role("status").inner_text()
    shop.tale.until("2026-12-04")
    shop.tale.task(rule="unhappy-customer", words="Ana Ortiz says: trapped")


def test_a_message_proves_where_it_comes_from(told, phone):
    """The page shows this very message, its sender and its reason (story 18)."""
    shop = told("sms")
    phone.goto(f"{shop.home}/verify")
    shown = phone.inner_text("main")
    assert "Yes, this message is from us" in shown
    assert shop.message.body.split(". ")[0] in shown
    assert shop.token not in shown


def test_with_the_keyboard_alone(told, phone):
    """Tab to a button and press Enter; the first stop leads past what is on every page."""
    shop = told()
    phone.goto(shop.home)
    phone.keyboard.press("Tab")
    assert phone.evaluate("document.activeElement.className") == "skip"
    for _ in range(12):
        phone.keyboard.press("Tab")
        if phone.evaluate("document.activeElement.textContent") == "I will be there":
            break
    phone.keyboard.press("Enter")
    phone.wait_for_url("**done=confirmed**")
    assert "We expect you" in phone.get_by_role("status").inner_text()


def press_by_keyboard(page, name):
    """Tab to what has this name, and press Enter."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip() == name:
            page.keyboard.press("Enter")
            page.wait_for_load_state()
            return
    pytest.fail(f"nobody reaches {name!r} by the keyboard")


@pytest.mark.parametrize(
    ("locale", "not_made", "withdrawn", "trapped", "thanks", "real", "yes"),
    [
        (
            "en_US", "I did not make this", "It is withdrawn", "Trapped", "Thank you for telling us",
            "Is this really from you?", "Yes, this message is from us",
        ),
        (
            "es", "Yo no hice esta cita", "Está retirada", "Sin salida", "Gracias por decírnoslo",
            "¿Es realmente de ustedes?", "Sí, este mensaje es nuestro",
        ),
    ],
)  # fmt: skip
def test_by_the_keyboard_in_both_languages(told, phone, locale, not_made, withdrawn, trapped, thanks, real, yes):
    """Stories 02, 18 and 19: not mine, is it you, and how I feel, each by the keyboard alone, in two languages."""
    shop = told("email", locale)
    for name, shown in ((not_made, withdrawn), (trapped, thanks), (real, yes)):
        phone.goto(shop.home)
        press_by_keyboard(phone, name)
        assert shown in phone.inner_text("main")
    shop.tale.until("2026-12-20")
    shop.tale.task(rule="appointment-disowned")
    shop.tale.task(rule="unhappy-customer")


def test_in_spanish(told, phone):
    """Her language is that of the message; another can be chosen below, and stays."""
    shop = told("email", "es")
    phone.goto(shop.home)
    assert phone.locator("html").get_attribute("lang") == "es-US"
    phone.get_by_role("button", name="Allí estaré").click()
    assert "Gracias. Le esperamos." in phone.get_by_role("status").inner_text()
    assert "martes, 15 de diciembre de 2026, 9:00" in phone.locator(".fact").inner_text()
    assert "Cambio de aceite y filtro" in phone.locator(".fact").inner_text()
    phone.get_by_role("link", name="Deutsch").click()
    phone.get_by_role("link", name="Warum habe ich das bekommen?").click()
    assert phone.locator("h1").inner_text() == "Warum habe ich das bekommen?"


@pytest.mark.skipif(not AXE.is_file(), reason=NO_AXE)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en_US", "es"])
def test_accessible_and_no_wider_than_a_phone(told, browser, scheme, locale):
    """Every page keeps WCAG 2.2 AA, in both schemes and two languages, and nobody scrolls sideways."""
    shop = told("email", locale)
    context = browser.new_context(viewport={"width": 320, "height": 640}, color_scheme=scheme)
    page = context.new_page()
    for path in (*EVERY_PAGE, "?done=confirmed", "?failed=taken", "/nonsense"):
        page.goto(shop.home + path)
        assert violations(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
    context.close()


def test_nothing_runs_and_nothing_comes_from_elsewhere(told, browser):
    """No script, no request to another host, no cookie, and no page is kept by the browser."""
    shop = told()
    context = browser.new_context(viewport=PHONE)
    page, asked = context.new_page(), []
    page.on("request", lambda request: asked.append(request.url))
    for path in EVERY_PAGE:
        answer = page.goto(shop.home + path)
        assert "script-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert page.locator("script").count() == 0
    assert {url.split("/")[2] for url in asked} == {shop.home.split("/")[2]}
    assert context.cookies() == []
    context.close()
