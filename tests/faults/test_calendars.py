"""Killed while an appointment is written to a calendar: it stands there once, and nobody is told that it moved."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from time import monotonic, sleep

import pytest
from caldav_server import PASSWORD, USER
from deployment import DAY, NOON

CALENDAR = """
[[calendars]]
name = "bay"
kind = "caldav"
url = "{url}"
user = "{user}"
password = "file:secret"
allow_private = true
write = true
"""


def visit(start, *, at=NOON, status="booked"):
    return {
        "type": "appointment",
        "customer": "C1",
        "id": "A1",
        "service": "checkup",
        "start": start.isoformat(),
        "status": status,
        "calendar": "bay",
        "at": at.isoformat(),
    }


@pytest.mark.faults
@pytest.mark.parametrize("place", ["after-calendar-intent", "after-calendar-write"])
@pytest.mark.parametrize("meanwhile", ["nothing", "moved here", "cancelled here"])
def test_killed_while_writing(broken, caldav_server, place, meanwhile):
    """Whether it had arrived or not, the next pass knows; what was changed here meanwhile is written, not undone."""
    broken.write("secret", PASSWORD)
    broken.configure(CALENDAR.format(url=caldav_server.calendar("bay"), user=USER))
    start = NOON + 3 * DAY
    broken.given({"type": "customer", "id": "C1", "at": NOON.isoformat()}, visit(start))
    code, _, _ = broken.run("tick", "--at", NOON.isoformat(), crash=place)
    assert code == -signal.SIGKILL
    assert len(caldav_server.names("bay")) == (place == "after-calendar-write")
    soon = NOON + timedelta(minutes=1)
    if meanwhile == "moved here":
        start += DAY
        broken.given(visit(start, at=soon), at=soon)
    elif meanwhile == "cancelled here":
        broken.given(visit(start, at=soon, status="cancelled"), at=soon)
    for minutes in (2, 3):
        code, out, err = broken.run("tick", "--at", (NOON + timedelta(minutes=minutes)).isoformat())
        assert (code, err) == (0, "")
        assert "in a calendar" not in out
    names = caldav_server.names("bay")
    if meanwhile == "cancelled here":
        assert names == []
    else:
        (name,) = names
        assert f"DTSTART:{start:%Y%m%dT%H%M%SZ}" in caldav_server.text("bay", name)


@pytest.mark.faults
def test_the_service_keeps_calendars_in_step(broken, caldav_server):
    """Without anybody asking, a booking stands there soon after the service has started."""
    broken.write("secret", PASSWORD)
    broken.configure(CALENDAR.format(url=caldav_server.calendar("bay"), user=USER))
    now = datetime.now(UTC)
    broken.given({"type": "customer", "id": "C1", "at": NOON.isoformat()}, visit(now + 3 * DAY, at=now), at=now)
    service = broken.start("run")
    until = monotonic() + 30
    while not caldav_server.names("bay") and monotonic() < until:
        sleep(0.02)  # another process does it, by its own clock
    service.signal(signal.SIGTERM)
    code, _, err = service.wait()
    assert code == 0, err
    assert len(caldav_server.names("bay")) == 1
