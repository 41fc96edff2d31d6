"""What SendGrid's answer to a request means; its words are told without ours."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from commsched import Accepted, Ambiguous, Outcome, Refused, TryLater, masked, outcome_of_status, retry_after
from commsched.builtin.channels.sendgrid_client import Said

ACCEPTED, REDIRECT = 202, 300
_TO = re.compile(r"\.to(?:\.|$)")


def outcome_of(post: Callable[[], Said], ours: Sequence[str]) -> Outcome:
    """What came of a request; SendGrid's words are told without ours."""
    try:
        said = post()
    except (TryLater, Ambiguous) as unanswered:
        return unanswered
    if said.status == ACCEPTED:
        return Accepted(said.headers.get("x-message-id", ""))
    if said.status < REDIRECT:
        return Ambiguous(f"SendGrid answered {said.status}, which says nothing of the message.")
    errors = _errors(said.body)
    words = masked("; ".join(message for _, message in errors), *ours)
    detail = f"SendGrid answered {said.status}: {words}".rstrip(": ")
    meant = outcome_of_status(said.status, detail, _after(said.headers))
    if isinstance(meant, Refused) and any(_TO.search(field) for field, _ in errors):
        return Refused(detail, bad_address=True)
    return meant


def _errors(body: bytes) -> list[tuple[str, str]]:
    """What is wrong, each with the field that it is about."""
    with suppress(ValueError, TypeError, AttributeError):
        return [(str(one.get("field") or ""), str(one.get("message") or "")) for one in json.loads(body)["errors"]]
    return []


def _after(headers: Mapping[str, str]) -> timedelta:
    """When to try again: ``Retry-After``, or the second at which SendGrid counts anew."""
    reset = headers.get("x-ratelimit-reset", "")
    if "retry-after" not in headers and reset.isdecimal():
        seconds = int(reset) - int(datetime.now(UTC).timestamp())
        return retry_after(str(max(seconds, 1)))
    return retry_after(headers.get("retry-after"))
