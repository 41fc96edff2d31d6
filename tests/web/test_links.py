"""Links as programs meet them: scanners, mail programs, forgers, and whoever presses twice."""

import http.client
from collections import Counter
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import pytest

from commsched.render.links import Links
from commsched.store import queries
from commsched.store.keys import SETTING


def ask(url, method="GET", form=None, headers=None):
    """A request as it stands, without a cookie or a redirect followed."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    body = urlencode(form) if form is not None else None
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
    query = f"?{parts.query}" if parts.query else ""
    connection.request(method, parts.path + query, body, {**kind, **(headers or {})})
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), dict(answer.getheaders())
    connection.close()
    return found


def test_fault_28_a_scanner_changes_nothing(told):
    """A hundred GETs and HEADs on every link of a message state no fact."""
    shop = told()
    before = shop.facts()
    pages = (
        "",
        "/confirm",
        "/cancel",
        "/disown",
        "/stop",
        "/trapped",
        "/reschedule",
        "/preferences",
        "/why",
        "/verify",
    )
    for number in range(100):
        status, _, _ = ask(shop.home + pages[number % 10], "HEAD" if number % 3 == 0 else "GET")
        assert status == 200
    assert shop.facts() == before


def test_fault_29_one_click_twice(told):
    """RFC 8058: 200 both times, no redirect, no cookie, one opt-out, which counts at once."""
    shop = told()
    before = shop.facts()
    for _ in range(2):
        shop.tale.clock.at += timedelta(minutes=1)
        status, body, headers = ask(f"{shop.home}/stop", "POST", {"List-Unsubscribe": "One-Click"})
        assert (status, body) == (200, "")
        assert not {"location", "set-cookie"} & {name.lower() for name in headers}
    assert shop.facts() == before + 1


def test_one_click_as_multipart(told):
    """RFC 8058 lets the receiver choose multipart/form-data as well."""
    shop = told()
    body = '--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n'
    parts = urlsplit(shop.home)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    before = shop.facts()
    connection.request("POST", f"{parts.path}/stop", body, {"Content-Type": "multipart/form-data; boundary=x"})
    assert connection.getresponse().status == 200
    assert shop.facts() == before + 1


def test_fault_30_what_leads_nowhere_looks_the_same(told):
    """Forged, cut off, too long, or never ours: one page, and nothing is stated; a key in its overlap is believed."""
    shop = told()
    base, attempt = shop.home.rpartition("/")[0], shop.token.partition(".")[0]
    forged = Links("https://x.example", ("guess",)).token(attempt, "email")
    before = shop.facts()
    seen = {ask(f"{base}/{one}")[:2] for one in (forged, shop.token[:-3], "A" * 3000, "%00", "0" * 16, attempt)}
    assert len(seen) == 1
    assert seen.pop()[0] == 404
    assert ask(f"{base}/{forged}/confirm", "POST", {})[0] == 404
    assert shop.facts() == before
    with shop.tale.app.store.write() as connection:
        queries.put_setting(connection, SETTING, '["the same in every story", "a newer one"]')
    assert ask(shop.home)[0] == 200
    with shop.tale.app.store.write() as connection:
        queries.put_setting(connection, SETTING, '["a newer one"]')
    assert ask(shop.home)[0] == 404


@pytest.mark.parametrize("action", ["confirm", "cancel", "disown", "keep"])
def test_pressed_twice_is_pressed_once(told, action):
    """The second press of the same states nothing new."""
    shop = told()
    if action == "keep":
        assert ask(f"{shop.home}/cancel", "POST", {})[0] == 303
    assert ask(f"{shop.home}/{action}", "POST", {})[0] == 303
    before = shop.facts()
    status, _, headers = ask(f"{shop.home}/{action}", "POST", {})
    assert status == 303
    assert "done=" in headers["location"]
    assert shop.facts() == before


@pytest.mark.parametrize(
    ("action", "form"),
    [
        ("feedback", {"mood": "furious"}),
        ("stop", {"what": "the world"}),
        ("start", {}),
        ("reschedule", {"when": "tomorrow"}),
        ("reschedule", {"when": "2026-12-15T09:00:00"}),
        ("reschedule", {"when": "9999-12-31T23:59:59+00:00"}),
        ("preferences", {"what": "email", "value": "not an address"}),
        ("preferences", {"what": "phone", "value": "12"}),
        ("preferences", {"what": "reading", "asset": "V1", "value": "many"}),
        ("preferences", {"what": "reading", "asset": "V9", "value": "4"}),
        ("preferences", {"what": "keeping", "asset": "V1", "years": "900"}),
        ("preferences", {"what": "language", "language": "xx"}),
        ("preferences", {"what": "hours", "day-mon": "on", "begins": "25:00"}),
        ("preferences", {"what": "name", "value": " "}),
        ("preferences", {"what": "something else"}),
    ],
)
def test_what_makes_no_sense_changes_nothing(told, action, form):
    """A form that no page of ours sends is answered with a page, and states no fact."""
    shop = told()
    before = shop.facts()
    status, _, headers = ask(f"{shop.home}/{action}", "POST", form)
    assert status == 303
    assert "failed=" in headers["location"]
    assert shop.facts() == before


def test_a_body_that_is_too_large_is_refused(told):
    """Nobody fills our memory through a form."""
    shop = told()
    assert ask(f"{shop.home}/feedback", "POST", {"mood": "fine", "words": "x" * 100_000})[0] == 413


def test_garbage_changes_nothing_and_is_turned_away(told):
    """Ten thousand requests for nothing: no fact, at most a few answered in full, and others are served meanwhile."""
    shop = told()
    base, before, statuses = shop.home.rpartition("/")[0], shop.facts(), Counter()
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    for number in range(10_000):
        connection.request("GET", f"{parts.path}/{number:016d}")
        answer = connection.getresponse()
        answer.read()
        statuses[answer.status] += 1
    assert set(statuses) == {404, 429}
    assert statuses[404] < 2000
    assert shop.facts() == before


def test_a_link_that_is_pressed_without_end_is_turned_away(told):
    """Nobody presses a button a hundred times a minute; what was pressed counts once."""
    shop = told()
    statuses = Counter(ask(f"{shop.home}/confirm", "POST", {})[0] for _ in range(70))
    assert set(statuses) == {303, 429}
    assert statuses[429] >= 10


def test_nobody_puts_words_in_our_mouth(told):
    """What an address says of what was done is shown only where it is a word of ours."""
    shop = told()
    _, page, _ = ask(f"{shop.home}?done=<b>you+won</b>&failed=pay+here&lang=<x>")
    assert "you won" not in page
    assert "pay here" not in page
    assert "<x>" not in page


def test_a_time_that_somebody_else_took_is_refused(told):
    """Two customers press the same last place: one has it, the other is told, and keeps what they have."""
    shop = told()
    taken = shop.tale.time("2026-12-10 09:00")
    for number in range(3):  # there are three bays
        shop.tale.given("customer", id=f"X{number}", name="Somebody", kind="person")
        shop.tale.given(
            "appointment", customer=f"X{number}", id=f"B{number}", service="oil_change", status="booked",
            booked_by="customer", stated_by="customer", start="2026-12-10 09:00", end="2026-12-10 09:45",
        )  # fmt: skip
    _, _, headers = ask(f"{shop.home}/reschedule", "POST", {"when": taken.isoformat()})
    assert "failed=taken" in headers["location"]
    assert "9:00 AM" in ask(shop.home)[1]
    free = shop.tale.time("2026-12-10 10:00")
    assert "done=moved" in ask(f"{shop.home}/reschedule", "POST", {"when": free.isoformat()})[2]["location"]
