"""What an e-mail that came in tells: a bounce, a complaint, a person's answer, or nothing, as a machine wrote it.

Bounces by their report (RFC 3464) or, where a server writes its own, by ``flufl.bounce``; complaints by ARF (RFC 5965);
what a machine wrote by itself by RFC 3834 and what mail programs add. An absence note is neither an answer nor a stop.
A bounce says ``bounced`` only if the address is the reason; a full mailbox, a filter or a server that is down is
``undelivered``.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses, parseaddr
from hashlib import sha256
from importlib import import_module

from commsched import ChannelEvent, EventKind

LONGEST_TEXT = 4000
LONGEST_HEAD = 20_000
_CODE = re.compile(r"(?<![\d.])[45]\.\d{1,3}\.\d{1,3}(?![\d.])")
# The address or its domain is the reason (RFC 3463, 3.2; RFC 7505): no mailbox, no host, moved away.
_GONE_CODES = re.compile(r"(?<![\d.])5\.1\.(?:1|2|3|6|10)(?![\d.])")
_GONE = re.compile(
    r"user\s+(?:is\s+)?unknown|unknown\s+(?:user|recipient|mailbox|local.part|address)|no\s+such\s+(?:user|recipient|"
    r"address|mailbox|person|account)|no\s+mailbox\s+here|not\s+listed\s+in\s+(?:the\s+)?(?:domino|directory|public)|"
    r"(?:user|recipient|mailbox|account|address)\b[^.;\n]{0,60}\b(?:not\s+found|does(?:\s+not|n.t)\s+exist|unavailable|"
    r"not\s+exist|is\s+not\s+valid|invalid)|(?:host|domain)\b[^.;\n]{0,40}\b(?:not\s+found|unknown)|bad-mailbox|"
    r"(?:bad\s+destination|invalid)\s+(?:mailbox|recipient|address|email)|unrouteable|unknown\s+host|host\s+unknown|"
    r"has\s+moved|user\s+doesn.t\s+have|not\s+a\s+valid\s+(?:user|recipient|mailbox)|all\s+relevant\s+mx\s+records\s+point",
    re.IGNORECASE,
)
# Something else is the reason, whatever the code.
_OTHERWISE = re.compile(
    r"quota|mailbox\s+(?:is\s+)?full|over\s+?quota|too\s+large|exceed|spam|blocked|block\s*list|black\s*list|reputation|"
    r"policy|denied|relay|virus|dmarc|spf\b|dkim|reverse\s+dns|ptr\b|timed?\s*out|expired|temporar|try\s+again|refused|"
    r"suspended|deactivat|disabled|inactive|command\s+(?:failed|died|output)|rejected\s+by\s+filter|loop",
    re.IGNORECASE,
)
# A program on their side failed, whatever it says besides.
_LOCAL_TROUBLE = re.compile(r"command\s+(?:output|died|failed)", re.IGNORECASE)
# Where a server that writes no report quotes the message that came back.
_COPY = re.compile(
    r"(?im)^[\s-]*(?:(?:this\s+is\s+a\s+)?copy\s+of\s+(?:the|your)\s+message|message\s+headers\s+follow|returned\s+"
    r"message|original\s+message|below\s+this\s+line\s+is\s+a\s+copy|unsent\s+message).*$"
)
_DAEMON = re.compile(r"(?:^|<)\s*(?:mailer-?daemon|post[_-]?master|mail.?delivery|mdaemon|bounce)", re.IGNORECASE)
_FAILED = re.compile(
    r"undeliver|not\s+delivered|delivery\s+(?:status|fail|notif|problem|error)|returned\s+mail|failure\s+notice|mail\s+"
    r"(?:delivery|failure)|bounce|warning:\s+could\s+not\s+send|unzustellbar|retourn|no\s+se\s+ha\s+podido\s+entregar",
    re.IGNORECASE,
)
_ABSENT = re.compile(
    r"^\s*(?:re:\s*)?(?:auto(?:matic|mated)?[ -]?(?:reply|response|antwort)|auto:|out[ -]of[ -](?:the[ -])?office|"
    r"on\s+vacation|abwesend|abwesenheit|respuesta\s+autom|fuera\s+de\s+la\s+oficina|absence|ooo\b)",
    re.IGNORECASE,
)
_MESSAGE_ID = re.compile(r"(?im)^message-id:\s*<([^<>\s]+)>")
_ADDRESS = re.compile(r"[\w.+=&'/-]+@[\w-]+(?:\.[\w-]+)+")
_SENDER = re.compile(r"(?im)^from:[^\n]{0,300}?([\w.+=&'/-]{1,64}@[\w.-]{1,250})")
_QUOTED = re.compile(
    r"(?im)^\s*(?:>|-{2,}\s*(?:original|urspr|mensaje)|_{10,}|(?:on|am|el|le)\b.{0,200}\d.{0,200}(?::|wrote)\s*$|from:\s)"
)


def events_of(data: bytes, at: datetime) -> tuple[ChannelEvent, ...]:
    """The events of one e-mail, as bytes, that came in at ``at``; each has an id of its own that stays the same.

    Never raises: anybody may write anything, and a mail that cannot be read must not keep the others from being read.
    It is a person's answer then, with what stands there as it came.
    """
    try:
        return tuple(_events_of(data, at))
    except Exception:  # noqa: BLE001 - Python's reader of mails raises what it likes, RecursionError among others
        sender = _SENDER.search(data[:LONGEST_HEAD].decode("utf-8", "replace"))
        if sender is None:
            return ()
        text = data.decode("utf-8", "replace").replace("\0", "")
        body = text.replace("\r\n", "\n").partition("\n\n")[2].strip()[:LONGEST_TEXT]
        return (_event("reply", at, sender[1], sha256(data).hexdigest(), "", text=body),)


def _events_of(data: bytes, at: datetime) -> Iterator[ChannelEvent]:
    message = message_from_bytes(data)
    mark = (_header(message, "Message-ID").strip("<>") or sha256(data).hexdigest())[:200]
    returned = _returned(message)
    reference = _id_of(returned, message)
    if (report := _feedback(message)) is not None:
        yield from _complaint(report, returned, at, mark, reference)
        return
    failed, delayed = _failures(message, returned)
    if failed or delayed:
        yield from _bounces(message, failed, at, mark, reference)
    elif not _by_machine(message):
        answered = _header(message, "In-Reply-To") or _header(message, "References").rpartition("<")[2]
        sender = parseaddr(_header(message, "From"))[1]
        if sender:
            yield _event("reply", at, sender, mark, answered.strip("<> \t\r\n"), text=_written(message))


def _event(kind: EventKind, at: datetime, address: str, mark: str, reference: str, **more: str) -> ChannelEvent:
    """An event; our own Message-ID begins with the attempt."""
    attempt = reference.partition("@")[0]
    return ChannelEvent(
        kind,
        at,
        attempt,
        address.lower(),
        more.get("detail", ""),
        {},
        f"{mark}:{kind}:{address}"[:250],
        reference,
        more.get("text", ""),
    )


def _bounces(
    message: Message, failed: Iterable[str], at: datetime, mark: str, reference: str
) -> Iterator[ChannelEvent]:
    addresses, words = sorted(set(failed) - {reference}), _said(message)
    for address in addresses:
        mine = words if len(addresses) == 1 else _about(address, words)
        kind: EventKind = "bounced" if is_gone(mine) else "undelivered"
        codes = _CODE.findall(mine)
        yield _event(kind, at, address, mark, reference, detail=codes[-1] if codes else "It came back.")


def _about(address: str, words: str) -> str:
    """The paragraphs in which an address stands, of a report about several."""
    return "\n".join(block for block in re.split(r"\n\s*\n", words) if address.lower() in block.lower())


def is_gone(words: str) -> bool:
    """Whether a server's words say that there is no such address."""
    if _LOCAL_TROUBLE.search(words):
        return False
    plain = any(_GONE.search(line) and not _OTHERWISE.search(line) for line in words.splitlines())
    return plain or (bool(_GONE_CODES.search(words)) and not _OTHERWISE.search(words))


def _failures(message: Message, returned: Message | None) -> tuple[set[str], set[str]]:
    """The addresses that a bounce is about, of those that failed and of those that are only late."""
    late, gone = _known_bounce(message)
    if gone or late:
        return gone, late
    report = message.get_content_type() == "multipart/report"
    machine = _DAEMON.search(_header(message, "From")) or _header(message, "Return-Path").strip() == "<>"
    words = _said(message)
    if report or (machine and (_FAILED.search(_header(message, "Subject")) or is_gone(words))):
        others = (one for one in _ADDRESS.findall(words) if one not in _header(message, "To"))
        address = _to(returned) or next(others, "")
        return ({address} if address else set()), set()
    return set(), set()


def _known_bounce(message: Message) -> tuple[set[str], set[str]]:
    """The addresses that are late and those that failed, where the library knows the form of the bounce."""
    # Imported when the first mail is read: it is fifty modules, one for each way to write a bounce.
    library = import_module("flufl.bounce")
    # A reader that fails is passed over; the traceback that it would log may quote the mail.
    logging.getLogger("flufl.bounce").disabled = True
    try:
        late, gone = library.all_failures(message)
    except Exception:  # noqa: BLE001 - some of its fifty readers fail on mails without a From; such a one is no bounce
        return set(), set()
    return {one.decode("ascii", "replace") for one in late}, {one.decode("ascii", "replace") for one in gone}


def _feedback(message: Message) -> dict[str, str] | None:
    """The fields of a feedback report, if it is one."""
    parts = (part for part in message.walk() if part.get_content_type() == "message/feedback-report")
    return next(map(_fields, parts), None)


def _complaint(
    report: Mapping[str, str], returned: Message | None, at: datetime, mark: str, reference: str
) -> Iterator[ChannelEvent]:
    """What a feedback report says (RFC 5965), and of whom."""
    named = _ADDRESS.search(report.get("original-rcpt-to", "") or report.get("removal-recipient", ""))
    address = named[0] if named else _to(returned)
    kind = report.get("feedback-type", "abuse").lower()
    if kind != "not-spam":
        yield _event("opt_out" if kind.startswith("opt-out") else "complaint", at, address, mark, reference)


def _by_machine(message: Message) -> bool:
    """Whether nobody sat at it (RFC 3834, 5, and what mail programs add)."""
    submitted = _header(message, "Auto-Submitted").partition(";")[0].strip().lower()
    bulk = _header(message, "Precedence").strip().lower() in {"bulk", "junk", "list", "auto_reply"}
    marked = any(_header(message, name) for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "List-Id"))
    reports = message.get_content_type() == "multipart/report"
    machine = bool(_DAEMON.search(_header(message, "From")))
    absent = bool(_ABSENT.match(_header(message, "Subject")))
    return bulk or marked or reports or machine or absent or submitted not in {"", "no"}


def _returned(message: Message) -> Message | None:
    """The message that came back, or its headers."""
    for part in message.walk():
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload()
            return inner[0] if isinstance(inner, list) and isinstance(inner[0], Message) else None
        if part.get_content_type() in {"text/rfc822-headers", "message/rfc822-headers"}:
            return message_from_bytes(_bytes(part))
    return None


def _id_of(returned: Message | None, message: Message) -> str:
    """The Message-ID of what came back."""
    known = _header(returned, "Message-ID").strip("<> \t\r\n") if returned is not None else ""
    found = _MESSAGE_ID.findall(_all(message))
    return known or (found[-1] if found else "")


def _to(returned: Message | None) -> str:
    found = getaddresses([_header(returned, "To")]) if returned is not None else []
    return found[0][1] if found else ""


def _said(message: Message) -> str:
    """The words of the report itself, without the message that came back."""
    return _COPY.split(_all(message), maxsplit=1)[0]


def _all(message: Message) -> str:
    words = []
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/rfc822":
            break
        if kind == "message/delivery-status":
            words.append(part.as_string())
        elif kind == "text/plain" or not part.is_multipart():
            words.append(_text(part))
    return "\n".join(words)


def _written(message: Message) -> str:
    """What they wrote themselves: the plain text above what they quote."""
    for part in message.walk():
        if part.get_content_type() == "text/plain":
            text = _text(part).replace("\r\n", "\n")
            quoted = _QUOTED.search(text)
            return text[: quoted.start() if quoted else len(text)].strip()[:LONGEST_TEXT]
    return ""


def _fields(part: Message) -> dict[str, str]:
    inner = part.get_payload()
    if isinstance(inner, list) and inner and isinstance(inner[0], Message):
        return {name.lower(): str(value) for name, value in inner[0].items()}
    return {name.lower(): str(value) for name, value in message_from_bytes(_bytes(part)).items()}


def _bytes(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _text(part: Message) -> str:
    try:
        return _bytes(part).decode(part.get_content_charset() or "utf-8", "replace")
    except (LookupError, ValueError):
        # No alphabet, or one like `idna` that is none for a text.
        return _bytes(part).decode("utf-8", "replace")


def _header(message: Message, name: str) -> str:
    """A header as text; what cannot be decoded stays as it is."""
    value = str(message.get(name, ""))
    try:
        return str(make_header(decode_header(value)))
    except (ValueError, LookupError, MessageError):
        return value
