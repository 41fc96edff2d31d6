"""What SendGrid is asked: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send."""

from __future__ import annotations

from collections.abc import Sequence
from email import policy
from email.headerregistry import Address
from email.parser import BytesHeaderParser
from functools import lru_cache
from typing import Any

from commsched import Outgoing

BATCH = 1000
# SendGrid sets these itself and refuses a message that has them.
THEIRS = frozenset(
    {"from", "to", "cc", "bcc", "subject", "reply-to", "received", "dkim-signature", "content-type", "mime-version"}
    | {"content-transfer-encoding", "date", "list-unsubscribe", "list-unsubscribe-post"}
)


def request_body(group: Sequence[Outgoing], categories: Sequence[str]) -> dict[str, Any]:
    """A request to ``/v3/mail/send``; tracking is off, so that no link leads elsewhere and no picture spies."""
    first = group[0]
    head = _head(first)
    reply_to = head["Reply-To"].addresses[:1] if head["Reply-To"] else ()
    texts = [("text/plain", first.text), ("text/html", first.html)]
    body: dict[str, Any] = {
        "from": _address(head["From"].addresses[0]),
        "subject": first.subject,
        "content": [{"type": kind, "value": text} for kind, text in texts if text.strip()],
        "personalizations": [_personal(one) for one in group],
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": False},
            "subscription_tracking": {"enable": False},
        },
    }
    if reply_to:
        body["reply_to"] = _address(reply_to[0])
    if categories:
        body["categories"] = list(categories)
    return body


def alike(messages: Sequence[Outgoing]) -> list[list[Outgoing]]:
    """The messages whose words and sender are the same, together; an address only once in a request."""
    groups: dict[tuple[str, str, str, str, int], list[Outgoing]] = {}
    seen: dict[tuple[str, str, str, str, str], int] = {}
    for one in messages:
        head = _head(one)
        words = (str(head["From"]), str(head["Reply-To"]), one.text, one.html)
        number = seen[(*words, one.to.lower())] = seen.get((*words, one.to.lower()), -1) + 1
        groups.setdefault((*words, number), []).append(one)
    return [group[start : start + BATCH] for group in groups.values() for start in range(0, len(group), BATCH)]


def _head(message: Outgoing) -> Any:  # noqa: ANN401 - headers by name
    return _parsed(message.mime)


@lru_cache(maxsize=2 * BATCH)
def _parsed(mime: bytes) -> Any:  # noqa: ANN401 - as above; kept, as it is asked for thrice
    return BytesHeaderParser(policy=policy.default).parsebytes(mime)


def _personal(message: Outgoing) -> dict[str, Any]:
    """What differs from message to message; the attempt is the only thing that comes back."""
    to = {"email": message.to, "name": message.name} if message.name else {"email": message.to}
    headers = {name: str(value) for name, value in _head(message).items() if name.lower() not in THEIRS}
    if message.unsubscribe:  # RFC 8058
        headers["List-Unsubscribe"] = f"<{message.unsubscribe}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    elif stated := _head(message)["List-Unsubscribe"]:
        headers["List-Unsubscribe"] = str(stated)
    return {
        "to": [to],
        "subject": message.subject,
        "headers": headers,
        "custom_args": {"attempt": message.attempt},
    }


def _address(address: Address) -> dict[str, str]:
    named = {"name": address.display_name} if address.display_name else {}
    return {"email": address.addr_spec, **named}
