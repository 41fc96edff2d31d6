"""What SendGrid's Email Activity API knows of an attempt.

https://www.twilio.com/docs/sendgrid/api-reference/email-activity/filter-all-messages: an add-on, six requests a minute.
It searches by a custom argument as ``unique_args``. What it does not list may still come.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from commsched import Ambiguous, Attempt, Receipt
from commsched.builtin.channels.sendgrid_client import Said

OK = 200
STATES: Mapping[str, Literal["delivered", "undelivered"]] = MappingProxyType(
    {"delivered": "delivered", "not_delivered": "undelivered"}
)


def query_of(attempt: Attempt) -> str:
    """The query for the messages of an attempt."""
    if '"' in attempt.id:
        raise Ambiguous("SendGrid cannot be asked about an attempt with such an id.")
    return f"(unique_args['attempt']=\"{attempt.id}\")"


def receipt_of(attempt: Attempt, said: Said) -> Receipt | None:
    """What an answer tells of the attempt, ``None`` if nothing. Raises :class:`Ambiguous` where it is no answer.

    Only one message, and to that address: a server that does not know the query might list any others.
    """
    if said.status != OK:
        raise Ambiguous(f"SendGrid answered {said.status} when it was asked what became of a message.")
    try:
        found = json.loads(said.body)["messages"]
        told = [(str(one["to_email"]), str(one["status"]), str(one["msg_id"])) for one in found]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Ambiguous("SendGrid's answer lists no messages.") from error
    if not told:
        return None
    (to, status, reference), *others = told
    if others or to.lower() != attempt.to.lower():
        raise Ambiguous("SendGrid listed other messages than it was asked for.")
    return Receipt(attempt.id, STATES.get(status, "accepted"), reference.partition(".")[0])
