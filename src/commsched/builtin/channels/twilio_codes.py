"""What Twilio's codes mean for a message, for texts and calls alike: https://www.twilio.com/docs/api/errors.

Twilio adds codes as it pleases, so one that is not named here means what its HTTP status says.
"""

from __future__ import annotations

from datetime import timedelta

from commsched import Ambiguous, ChannelDown, EventKind, Refused, TryLater, outcome_of_status

# They have told Twilio to stop; it stands for every text to them from this number or service.
OPTED_OUT = 21610
# A landline, to which texts cannot be sent; it can be called.
NO_TEXTS = frozenset({21614, 21635, 30006})
# The number itself: it is none, or nothing can reach it.
BAD_NUMBER = frozenset({13223, 13224, 13226, 21211, 21217, 21265, 21401, 21421, 21604, 30005})
# About us: credentials, account, the number or service that we send from, the addresses that we give for callbacks.
OURS = frozenset(
    {10001, 10002, 20002, 20003, 20005, 20006, 20008, 20010, 20403, 20404, 21205, 21206, 21210, 21212, 21213, 21218}
    | {21227, 21402, 21403, 21406, 21603, 21606, 21607, 21609, 21626, 21659, 21660, 21661, 21662, 21701, 21702}
    | {21703, 21704, 21705, 30002, 30032, 30033, 30034, 30035, 30037, 63038}
)
# Too much at once; certainly not taken.
TOO_MUCH = frozenset({10004, 14107, 20429, 21611, 30001, 30022})
# How a message or a call stands, by Twilio's word for it.
UNDER_WAY = frozenset(
    {"accepted", "scheduled", "queued", "sending", "sent", "initiated", "ringing", "in-progress", "answered"}
)
ARRIVED = frozenset({"delivered", "read", "completed", "partially_delivered"})
FAILED = frozenset({"undelivered", "failed", "canceled", "busy", "no-answer"})


def outcome_of(status: int, code: int, detail: str, after: timedelta) -> Refused | TryLater | Ambiguous:
    """What a refused request means; ``after`` is what Twilio said of trying again."""
    if code == OPTED_OUT:
        return Refused(detail, opted_out=True)
    if code in BAD_NUMBER:
        return Refused(detail, bad_address=True)
    if code in NO_TEXTS:
        return Refused(detail, unsuited=True)
    if code in TOO_MUCH:
        return TryLater(detail, after=after)
    if code in OURS:
        return ChannelDown(detail, after=after)
    return outcome_of_status(status, detail, after)


def kind_of(status: str, code: int) -> EventKind | None:
    """What a status callback tells; ``None`` for a word that is not known."""
    if status in UNDER_WAY:
        return "accepted"
    if status in ARRIVED:
        return "delivered"
    if status not in FAILED:
        return None
    if code == OPTED_OUT:
        return "opt_out"
    if code in NO_TEXTS:
        return "unsuited"
    return "bounced" if code in BAD_NUMBER else "undelivered"
