"""Times as people type and read them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from commsched.errors import Misuse


def moment(text: str, zone: ZoneInfo) -> datetime:
    """``2026-12-01``, ``2026-12-01 09:00``, ``2026-12-01T09:00-06:00`` or ``…Z`` as an instant in UTC.

    What names no zone is local time in ``zone``; a date alone is its first instant. Raises :class:`Misuse`.
    """
    from commsched.timing.civil import instant

    try:
        found = datetime.combine(date.fromisoformat(text), time()) if len(text) == len("2026-12-01") else None
        found = found or datetime.fromisoformat(text.strip())
    except ValueError:
        raise Misuse(
            f"{text!r} is no time; write 2026-12-01, '2026-12-01 09:00' or 2026-12-01T09:00:00-06:00."
        ) from None
    return instant(found, zone) if found.tzinfo is None else found.astimezone(UTC)


def end(text: str, zone: ZoneInfo) -> datetime:
    """Until when, as it was typed: a date alone is that whole day. Raises :class:`Misuse`."""
    from commsched.timing.civil import DAY, start_of_day

    return start_of_day(day(text) + DAY, zone) if len(text) == len("2026-12-01") else moment(text, zone)


def day(text: str) -> date:
    """``2026-12-01`` as a date. Raises :class:`Misuse`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Misuse(f"{text!r} is no date; write e.g. 2026-12-01.") from None


def local(at: datetime, zone: ZoneInfo) -> str:
    """``Tue 1 Dec 2026 10:00 CST``."""
    there = at.astimezone(zone)
    return f"{there:%a} {there.day} {there:%b %Y %H:%M} {there.tzname()}"


def short(at: datetime, zone: ZoneInfo) -> str:
    """``Tue 1 Dec 10:00``, where the year and the zone stand elsewhere."""
    there = at.astimezone(zone)
    return f"{there:%a} {there.day} {there:%b %H:%M}"


def short_day(at: datetime, zone: ZoneInfo) -> str:
    """``1 Dec``."""
    there = at.astimezone(zone)
    return f"{there.day} {there:%b}"


def age(since: datetime, now: datetime) -> str:
    """``3 min``, ``5 h``, ``2 days``: how long ago something was."""
    seconds = max((now - since).total_seconds(), 0)
    for unit, length in (("days", 86400 * 2), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // (86400 if unit == 'days' else length))} {unit}"
    return f"{int(seconds)} s"
