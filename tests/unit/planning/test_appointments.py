"""Appointments as facts change them."""

from __future__ import annotations

from worlds import at, ledger

from commsched.planning.fold import fold

BOOKED = {
    "type": "appointment", "at": "2026-11-01 09:00", "id": "A1", "service": "oil", "status": "booked",
    "start": "2026-12-15 09:00", "end": "2026-12-15 09:45",
}  # fmt: skip


def ends(*lines):
    one = fold(ledger(BOOKED, *lines), at("2026-11-20 09:00")).appointments["A1"]
    return one.start, one.end


def test_what_moves_takes_as_long_as_before():
    """A fact that names the new start alone says nothing of another length."""
    moved = {"type": "appointment", "id": "A1", "at": "2026-11-03 09:00", "start": "2026-12-13 10:00"}
    assert ends(moved) == (at("2026-12-13 10:00"), at("2026-12-13 10:45"))
    longer = {**moved, "end": "2026-12-13 12:00"}
    assert ends(longer) == (at("2026-12-13 10:00"), at("2026-12-13 12:00"))
