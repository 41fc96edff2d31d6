"""What is to be done about one appointment that stands, or should stand, in a calendar: pure, for every case.

Three things are compared: the appointment here, what both sides had last, and the event there. Whoever changed alone
has changed it for both. Where both have, the event counts: who moved it saw the day, and the customer is told by the
rules. Only what is cancelled here stays cancelled.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from commsched.plugin.base import Entry

# Seconds are lost on the way to some servers; nobody is told of them.
MOVE = timedelta(minutes=1)
Times = tuple[datetime, datetime]
# write: ours goes there. moved, cancelled: theirs becomes a fact. settle: both have the same; write that down.
# remove: take the event away. forget: it is no longer our business.
What = Literal["nothing", "write", "moved", "cancelled", "settle", "remove", "forget"]


@dataclass(frozen=True, slots=True)
class Ours:
    """An appointment as it is here. ``stands``: it is to come, so it belongs there; ``off``: it does not, any more."""

    customer: str
    id: str
    uid: str
    times: Times
    service: str = ""
    stands: bool = True
    off: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What both sides had last, and what was about to be written when we last looked."""

    times: Times | None = None
    writing: Times | None = None


def agree(ours: Ours, known: Known | None, there: Entry | None) -> What:
    """What is to be done. Done twice, it is done once: after any of it, the answer is ``nothing``."""
    if not ours.stands:
        return _gone(ours, known, there)
    if there is None:
        # What never arrived is written; what was there and is not, somebody has taken away.
        return "cancelled" if known is not None and known.times is not None else "write"
    if there.cancelled:
        # Without anything known, it is booked anew after it was called off.
        return "write" if known is None else "cancelled"
    theirs = (there.start, there.end)
    if same(theirs, ours.times):
        settled = known is not None and known.writing is None and same(known.times, theirs)
        return "nothing" if settled else "settle"
    if known is not None and (same(known.times, theirs) or same(known.writing, theirs)):
        return "write"
    return "moved"


def _gone(ours: Ours, known: Known | None, there: Entry | None) -> What:
    if known is None:
        return "nothing"
    return "remove" if ours.off and there is not None and not there.cancelled else "forget"


def same(one: Times | None, other: Times | None) -> bool:
    """Whether two times are the same, give or take less than a minute."""
    if one is None or other is None:
        return False
    return abs(one[0] - other[0]) < MOVE and abs(one[1] - other[1]) < MOVE
