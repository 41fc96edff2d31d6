"""Links as programs meet them: scanners, mail programs, forgers, and whoever presses twice."""

import http.client
from collections import Counter
from datetime import timedelta
from urllib.parse import quote, urlencode, urlsplit

import icalendar
import pytest
from people import car, driver, odometer, serviced
from reader import Reader
from sqlalchemy import text
from structlog.testing import capture_logs

from commsched.model.consents import permission
from commsched.planning.fold import fold
from commsched.render.links import Links
from commsched.store import queries
from commsched.store.erasure import forget
from commsched.store.keys import SETTING
from commsched.store.ledgers import load


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
        "/withdraw",
        "/appointment.ics",
    )
    for number in range(100):
        status, _, _ = ask(shop.home + pages[number % len(pages)], "HEAD" if number % 3 == 0 else "GET")
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


@pytest.mark.parametrize("state", ["accepted", "in_doubt"])
def test_a_link_of_somebody_erased_leads_nowhere(told, state):
    """Also while it is not known whether the message went: nothing is shown, and nothing can be pressed."""
    shop = told()
    with shop.tale.app.store.write() as connection:
        customer = queries.attempts(connection)[0].customer
        connection.execute(text("UPDATE attempt SET state = :state"), {"state": state})
        assert forget(connection, customer, shop.tale.clock.at, "pat").under_way == (state == "in_doubt")
    assert ask(shop.home)[0] == 404
    assert ask(f"{shop.home}/stop", "POST", {})[0] == 404


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
        ("reschedule", {"when": "0001-01-01T00:00:00+14:00"}),
        ("preferences", {"what": "email", "value": "not an address"}),
        ("preferences", {"what": "phone", "value": "12"}),
        ("preferences", {"what": "reading", "asset": "V1", "value": "many"}),
        ("preferences", {"what": "reading", "asset": "V1", "value": "41200.5"}),
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


@pytest.mark.parametrize(
    ("method", "body", "kind", "status"),
    [
        ("POST", b"--x", "multipart/form-data", 400),
        (
            "POST",
            b"--x\r\nContent-Disposition: form-data; name=a\r\nContent-Type: a/b; charset=utf-99\r\n\r\nb\r\n--x--\r\n",
            "multipart/form-data; boundary=x", 400,
        ),
        ("POST", b"&".join(b"a%d=b" % number for number in range(3000)), "application/x-www-form-urlencoded", 413),
        ("PUT", b"", "text/plain", 405),
    ],
)  # fmt: skip
def test_what_is_no_form_is_refused_in_plain_words(told, method, body, kind, status):
    """No error of ours, no JSON for a person, and the headers of every page; nothing is stated."""
    shop = told()
    parts, before = urlsplit(shop.home), shop.facts()
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    connection.request(method, f"{parts.path}/stop", body, {"Content-Type": kind})
    answer = connection.getresponse()
    assert (answer.status, answer.read()) == (status, b"That was not understood. Nothing has changed.")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert shop.facts() == before


def test_what_cannot_be_seen_is_left_out(told):
    """A name turns nothing round that stands beside it, and has no zeros in it; the last of two fields counts."""
    shop = told()
    form = "what=language&what=name&value=" + quote("\u202eAna\x00\x07 Ruiz")
    parts = urlsplit(shop.home)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", f"{parts.path}/preferences", form, kind)
    assert "done=saved" in connection.getresponse().headers["location"]
    with shop.tale.app.store.read() as connection:
        assert fold(load(connection, ["C1"])["C1"].ledger, shop.tale.clock.at).profile.name == "Ana Ruiz"


def test_a_foreign_host_is_not_believed(told):
    """No page and no redirect names a host that the request made up."""
    shop = told()
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http"}
    for page in ("", "/verify", "/reschedule"):
        status, shown, _ = ask(shop.home + page, headers=evil)
        assert (status, "evil" in shown) == (200, False)
    assert ask(f"{shop.home}/confirm", "POST", {}, evil)[2]["location"].startswith("/m/")


def test_nobody_is_kept_busy_with_new_addresses(told):
    """By one link, three a day are for a person to see to; the page of the fourth says to call."""
    shop = told()
    said = []
    for number in range(5):
        shop.tale.clock.at += timedelta(minutes=1)
        form = {"what": "email", "value": f"new{number}@example.org"}
        said.append(ask(f"{shop.home}/preferences", "POST", form)[2]["location"].partition("?")[2])
    assert said == ["done=saved"] * 3 + ["failed=old"] * 2
    shop.tale.clock.at += timedelta(days=1)
    form = {"what": "phone", "value": "+13125550199"}
    assert "done=saved" in ask(f"{shop.home}/preferences", "POST", form)[2]["location"]


def test_garbage_changes_nothing_and_is_turned_away(told):
    """Ten thousand requests for nothing: no fact, few answered in full, and a real link works in the midst of them."""
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
    assert ask(shop.home)[0] == 200
    assert ask(f"{shop.home}/stop", "POST", {"List-Unsubscribe": "One-Click"})[0] == 200
    assert shop.facts() == before + 1


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


def written(shop, **fields):
    """One more fact of the customer's."""
    return shop.tale.given("contact_point", customer="C1", kind="email", **fields)


def test_a_link_that_went_to_a_wrong_address_tells_nothing_more(told):
    """Once the address is known not to be hers, its links show what the message was and stop such messages: no more."""
    shop = told()
    written(shop, address="ana@example.com", valid=False, stated_by="customer")
    written(shop, address="ana.ortiz@example.org", stated_by="customer")
    shop.tale.given("customer", id="C1", name="Ana Secret", stated_by="customer")
    before = shop.facts()
    for page in ("", "/preferences", "/reschedule", "/why", "/confirm"):
        status, shown, _ = ask(f"{shop.home}{page}")
        assert status == 200
        assert "Yes, this message is from us" in shown
        assert "Secret" not in shown
        assert "ortiz@" not in shown
    assert "failed=old" in ask(f"{shop.home}/cancel", "POST", {})[2]["location"]
    assert "failed=old" in ask(f"{shop.home}/preferences", "POST", {"what": "name", "value": "X"})[2]["location"]
    assert shop.facts() == before
    assert ask(f"{shop.home}/stop", "POST", {"List-Unsubscribe": "One-Click"})[0] == 200
    assert shop.facts() == before + 1


@pytest.mark.parametrize("medium", ["email", "sms"])
def test_withdrawn_links_look_like_unknown_ones(told, medium):
    """One press more, and all links until then lead nowhere, signed or short; a mail program's stop counts."""
    shop = told(medium)
    nowhere = ask(f"{shop.home.rpartition('/')[0]}/{'0' * 16}")[:2]
    assert "Withdraw all links" in ask(f"{shop.home}/withdraw")[1]
    assert ask(shop.home)[0] == 200, "looking at it changes nothing"
    status, shown, _ = ask(f"{shop.home}/withdraw", "POST", {})
    assert (status, "The links are withdrawn" in shown) == (200, True)
    before = shop.facts()
    for page in ("", "/verify", "/stop", "/preferences", "/withdraw"):
        assert ask(f"{shop.home}{page}")[:2] == nowhere
    for action in ("confirm", "cancel", "stop", "withdraw", "nothing"):
        assert ask(f"{shop.home}/{action}", "POST", {"what": "everything"})[:2] == nowhere
    assert ask(f"{shop.home}/appointment.ics")[:2] == nowhere
    assert shop.facts() == before
    assert ask(f"{shop.home}/stop", "POST", {"List-Unsubscribe": "One-Click"})[0] == 200
    assert shop.facts() == before + 1


def test_the_next_message_has_links_of_its_own(told):
    """What is sent after a withdrawal can be answered as ever."""
    shop = told()
    ask(f"{shop.home}/withdraw", "POST", {})
    shop.tale.until("2026-12-14 12:00")
    newer = Reader(shop.tale, shop.tale.sent(rule="appointment-reminders", step="reminder"))
    assert newer.opens()[0] == 200
    assert "We expect you" in newer.presses("confirm")


def test_an_old_link_still_stops(told):
    """Opt-outs outlive everything else that a link can do."""
    shop = told()
    shop.tale.clock.at += timedelta(days=400)
    assert "failed=old" in ask(f"{shop.home}/cancel", "POST", {})[2]["location"]
    assert "done=stopped" in ask(f"{shop.home}/stop", "POST", {"what": "everything"})[2]["location"]


def allowed(shop, purpose="sales", medium="sms"):
    """Whether the customer permits something, as policies reckon it."""
    with shop.tale.app.store.read() as connection:
        state = fold(load(connection, ["C1"])["C1"].ledger, shop.tale.clock.at)
    words = shop.tale.app.vocabulary
    return permission(state.consents, medium=medium, purpose=purpose, topic="trade_in", vocabulary=words)


def test_taking_a_stop_back_permits_nothing_new(told):
    """What was refused at the desk stays refused, and nothing becomes permitted that was not."""
    shop = told()
    shop.tale.given(
        "consent", customer="C1", medium="sms", purpose="*", granted=False, method="at the desk", stated_by="customer"
    )
    assert (allowed(shop), allowed(shop, medium="email")) == (False, None)
    for what in ("everything", "topic", "medium", "purpose"):
        for action in ("start", "stop", "start"):
            shop.tale.clock.at += timedelta(minutes=1)
            ask(f"{shop.home}/{action}", "POST", {"what": what})
    topics = {"what": "topics", "topic-appointment": "on", "topic-maintenance": "on", "topic-aftercare": "on"}
    ask(f"{shop.home}/preferences", "POST", {**topics, "topic-survey": "on"})
    assert allowed(shop, medium="email") is False, "sales were not ticked"
    shop.tale.clock.at += timedelta(minutes=1)
    ask(f"{shop.home}/preferences", "POST", {**topics, "topic-survey": "on", "topic-sales": "on"})
    assert (allowed(shop), allowed(shop, medium="email")) == (False, None)


def test_what_is_over_stays_as_it_was(told):
    """A link about a visit that was: a new time is a new appointment, and nobody can say that it never was theirs."""
    shop = told()
    shop.tale.clock.at = shop.tale.time("2027-01-05 09:00")
    free = shop.tale.time("2027-01-20 09:00")
    assert "done=moved" in ask(f"{shop.home}/reschedule", "POST", {"when": free.isoformat()})[2]["location"]
    assert "failed=late" in ask(f"{shop.home}/disown", "POST", {})[2]["location"]
    with shop.tale.app.store.read() as connection:
        known = fold(load(connection, ["C1"])["C1"].ledger, shop.tale.clock.at).appointments
    assert known["A1"].start == shop.tale.time("2026-12-15 09:00")
    assert [one.start for name, one in known.items() if name != "A1"] == [free]


def test_only_their_own_cancellation_is_taken_back(told):
    """What the desk has cancelled is not booked again by a press."""
    shop = told()
    shop.tale.given("appointment", customer="C1", id="A1", status="cancelled", stated_by="staff")
    assert "failed=late" in ask(f"{shop.home}/keep", "POST", {})[2]["location"]


def test_two_jobs_in_one_visit_are_confirmed(told):
    """The desk has booked a second job into the same visit: she can confirm the first all the same."""
    shop = told()
    shop.tale.given(
        "appointment", customer="C1", id="A2", service="tire_rotation", asset="V1", status="booked",
        booked_by="staff", stated_by="staff", start="2026-12-15 09:30", end="2026-12-15 10:00",
    )  # fmt: skip
    assert "done=confirmed" in ask(f"{shop.home}/confirm", "POST", {})[2]["location"]


def test_an_error_says_nothing_and_is_noted(told, monkeypatch):
    """What goes wrong here is answered with our headers, and noted without the address."""
    shop = told()
    monkeypatch.setattr("commsched.web.site.view_of", lambda *_: 1 / 0)
    with capture_logs() as noted:
        status, shown, headers = ask(shop.home)
    assert (status, headers["referrer-policy"]) == (500, "no-referrer")
    assert "Nothing has changed" in shown
    assert [(one["event"], one["error"]) for one in noted] == [("page_failed", "ZeroDivisionError")]
    assert shop.token not in str(noted)


def test_two_messages_about_one_need_make_one_appointment(story):
    """The time taken by the first message's link is the one that the second message's link shows, and moves."""
    tale = odometer(car(driver(story("2026-09-02 09:00"))), ("2025-11-03", 18_000.0), ("2026-07-06", 22_000.0))
    serviced(tale, "oil_change", "2026-01-10", 19_200).until("2026-12-20 09:00")
    told = {one.step: one for one in tale.messages if one.rule == "oil-change-due" and one.state == "sent"}
    assert set(told) == {"invite", "second"}
    first, second = Reader(tale, told["invite"]), Reader(tale, told["second"])
    for number, reader in enumerate((first, second)):
        tale.clock.at += timedelta(minutes=1)
        when = tale.time(f"2027-01-2{number} 09:00").isoformat()
        reader.client.post(f"{reader.home}/reschedule", data={"when": when})
    with tale.app.store.read() as connection:
        known = fold(load(connection, ["C1"])["C1"].ledger, tale.clock.at).appointments
    assert [one.start for one in known.values()] == [tale.time("2027-01-21 09:00")]


def test_an_appointment_for_their_own_calendar(told):
    """One UID for ever, without a name in it; what is moved or cancelled updates what their calendar has."""
    shop = told()

    def file():
        status, text, headers = ask(f"{shop.home}/appointment.ics")
        assert (status, headers["content-type"]) == (200, "text/calendar; charset=utf-8")
        return icalendar.Calendar.from_ical(text).walk("VEVENT")[0]

    first = file()
    assert first["DTSTART"].dt == shop.tale.time("2026-12-15 09:00")
    assert "C1" not in first["UID"]
    shop.tale.clock.at += timedelta(minutes=5)
    ask(f"{shop.home}/reschedule", "POST", {"when": shop.tale.time("2026-12-16 09:00").isoformat()})
    moved = file()
    assert (moved["UID"], moved["DTSTART"].dt) == (first["UID"], shop.tale.time("2026-12-16 09:00"))
    assert moved["SEQUENCE"] > first["SEQUENCE"]
    shop.tale.clock.at += timedelta(minutes=5)
    ask(f"{shop.home}/cancel", "POST", {})
    assert (file()["STATUS"], file()["SEQUENCE"] > moved["SEQUENCE"]) == ("CANCELLED", True)


def test_other_days(told):
    """The days around the time that she has come first; earlier and later ones are a press away."""
    shop = told()
    shown = ask(f"{shop.home}/reschedule")[1]
    assert "December 16" in shown or "December 17" in shown
    assert "reschedule?days=1" in shown
    assert "December 22" in ask(f"{shop.home}/reschedule?days=1")[1]
    assert "January" in ask(f"{shop.home}/reschedule?days=3")[1]
    for odd in ("-1", "x", "999", "1e3"):
        assert ask(f"{shop.home}/reschedule?days={odd}")[0] == 200
