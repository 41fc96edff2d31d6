"""The waiting list, as far as one customer is concerned: whether a wish is still one."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from commsched.model.facts import Wish
from commsched.model.state import State
from commsched.timing.civil import local_date

# How many offers may lapse unanswered, and how long is waited after each.
OFFERS = 3
LEFT_ALONE = timedelta(days=3)
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


def asked_next(wish: str, state: State, now: datetime) -> datetime | None:
    """From when another time may be offered for a wish; ``None``: not any more, for silence is an answer (story 16).

    Whoever let an offer lapse is left alone for some days, and after some offers for good.
    """
    lapsed = [one.expires for one in state.offers.values() if one.wish == wish and one.expires <= now]
    if len(lapsed) >= OFFERS:
        return None
    return max(lapsed) + LEFT_ALONE if lapsed else now
