"""A message that went, its pages served on a port of this machine, and a browser to read them with."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from browser import CHROMIUM, NO_BROWSER, PHONE, chromium

from commsched.web.serve import Door, serving

TOKEN = re.compile(r"https://[^\s/]+/m/([^\s/]+)")


# Not for the session: its driver keeps an event loop in this thread, with which no other test can run an engine.
@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip(NO_BROWSER)
    with chromium() as started:
        yield started


@pytest.fixture
def phone(browser):
    """A page at the width of a small phone, where no script may run."""
    context = browser.new_context(viewport=PHONE)
    yield context.new_page()
    context.close()


class Told:
    """A story with a message that went, and where its pages are."""

    def __init__(self, tale, message, port):
        self.tale, self.message = tale, message
        self.token = TOKEN.search(message.body)[1]
        self.home = f"http://127.0.0.1:{port}/m/{self.token}"

    def facts(self):
        """How many facts there are of the customer."""
        with self.tale.app.store.read() as connection:
            return connection.exec_driver_sql("select count(*) from fact where subject = 'c:C1'").scalar()


@pytest.fixture
def told(story):
    """``told(medium, locale)``: Ana's oil change is booked for the fifteenth, and she was told so."""
    from people import car, driver

    doors = []
    # The browser's driver keeps an event loop in this thread, and the engine needs one of its own.
    engine = ThreadPoolExecutor(1)

    def tell(medium="email", locale="en_US"):
        tale = car(driver(story("2026-12-01 09:00")))
        tale.until = lambda time: engine.submit(type(tale).until, tale, time).result()
        tale.given("preference", customer="C1", language=locale, media=[medium])
        if medium == "sms":
            tale.given("contact_point", customer="C1", kind="phone", address="+13125550164", media=["sms"])
        tale.given(
            "appointment", customer="C1", id="A1", service="oil_change", asset="V1", status="booked",
            booked_by="staff", stated_by="staff", start="2026-12-15 09:00", end="2026-12-15 09:45",
        ).until("2026-12-02 09:00")  # fmt: skip
        message = tale.sent(rule="appointment-reminders", step="confirmation")
        door = serving(tale.app, Door(port=0))
        doors.append(door)
        return Told(tale, message, door.__enter__())

    yield tell
    for door in doors:
        door.__exit__(None, None, None)
    engine.shutdown()
