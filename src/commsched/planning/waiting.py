"""The waiting list, as far as one customer is concerned: whether a wish is still one."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from commsched.model.facts import Wish
from commsched.model.state import State
from commsched.timing.civil import local_date

HOLDING = frozenset({"booked", "confirmed", "completed"})


def is_wanted(wish: Wish, state: State, place: ZoneInfo, now: datetime) -> bool:
    """Whether a wish that was not taken back is open: its dates are not over, and no appointment lies within them.

    Who has an appointment outside those dates may still want one inside them. ``place``: where the dates are dates.
    """
    first, last = wish.between
    return local_date(now, place) <= last and not any(
        one.service == wish.service and one.status in HOLDING and first <= local_date(one.start, place) <= last
        for one in state.appointments.values()
    )
