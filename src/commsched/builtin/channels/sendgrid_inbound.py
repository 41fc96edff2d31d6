"""Mail that came in, as SendGrid's inbound parse webhook posts it: a form, with the raw message or with its parts.

https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from email import message_from_bytes, message_from_string
from email.message import Message

from commsched import ChannelEvent, WebhookRequest
from commsched.builtin.channels.mail_events import events_of

# What says how the text was written down, which is no longer so.
WRITTEN = ("Content-Type", "Content-Transfer-Encoding", "MIME-Version")
Form = Mapping[str, bytes]


def inbound_events(request: WebhookRequest) -> list[ChannelEvent]:
    """What a mail tells; nobody vouches for who wrote it."""
    form = _form(request)
    mail = form.get("email") or _written(form)
    return [replace(one, proven=False) for one in events_of(mail, request.at)] if mail else []


def _form(request: WebhookRequest) -> Form:
    """The fields of the form (RFC 7578); files are left out, and of two by one name the first counts."""
    head = request.headers.get("content-type", "").replace("\r", " ").replace("\n", " ")
    form = message_from_bytes(f"Content-Type: {head}\r\n\r\n".encode("ascii", "replace") + request.body)
    found: dict[str, bytes] = {}
    for part in form.get_payload() if form.is_multipart() else ():
        if isinstance(part, Message) and part.get_filename() is None:
            name = part.get_param("name", header="Content-Disposition")
            value = part.get_payload(decode=True)
            if isinstance(name, str) and isinstance(value, bytes):
                found.setdefault(name, value)
    return found


def _written(form: Form) -> bytes:
    """The mail as it can be put together from its headers and its text; nothing where there are no headers."""
    heads = _text(form, "headers")
    if not heads.strip():
        return b""
    mail = message_from_string(heads.strip() + "\n\n")
    report = mail.get_content_type() == "multipart/report"
    for name in WRITTEN:
        del mail[name]
    if report and "Auto-Submitted" not in mail:
        mail["Auto-Submitted"] = "auto-generated"  # its parts are gone by which it could be known
    mail.set_payload(_text(form, "text").encode("utf-8", "replace"))
    mail["Content-Type"] = "text/plain; charset=utf-8"
    mail["Content-Transfer-Encoding"] = "8bit"
    return b"".join(_lines(mail))


def _lines(mail: Message) -> Iterator[bytes]:
    for name, value in mail.items():
        yield f"{name}: {value}\n".encode("utf-8", "replace")
    payload = mail.get_payload()
    yield b"\n" + (payload.encode("utf-8", "surrogateescape") if isinstance(payload, str) else b"")


def _text(form: Form, name: str) -> str:
    """A field as text, in the character set that the form names for it."""
    charset = "utf-8"
    with suppress(ValueError, TypeError, AttributeError, RecursionError):
        charset = str(json.loads(form.get("charsets", b"{}")).get(name) or charset)
    try:
        return form.get(name, b"").decode(charset, "replace")
    except (LookupError, ValueError):
        return form.get(name, b"").decode("utf-8", "replace")
