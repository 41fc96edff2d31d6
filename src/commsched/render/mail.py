"""E-mail as bytes: RFC 5322 headers, RFC 2047 names and subjects, RFC 2045 quoted-printable, CRLF everywhere.

Written by hand because the standard library's ``EmailMessage`` takes a millisecond for each mail; the tests hold it
against the standard library's parser. What comes from people (names, subjects) loses its control characters; what
comes from programs (addresses, ids, headers) is refused if it has any, so nothing can add a header of its own.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha256
from types import MappingProxyType

from commsched.errors import UnsafeHeader
from commsched.render.content import Content

_WIDTH = 76
_OURS = frozenset(
    {
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "auto-submitted",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
    }
)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_SPECIAL = re.compile(r'["\\]')
_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+@(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])")
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,39}")
_MAILTO = re.compile(r"mailto:[!#-;=?-~]+@[!#-;=?-~]+")
_HTTPS = re.compile(r"https?://[!#-;=?-~]+")
_SAFE = bytes((9, 10, *range(32, 127)))
_BLANKS = (b" ", b"\t")
# A line is cut so short that escaping its first character keeps it within the 76 columns.
_LONGEST = 74
_CUT = 73
_RISKY = re.compile(rb"\n(?:\.|F(?=rom ))")
_EQUALS = ord("=")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Somebody's name, which may be empty, and e-mail address."""

    name: str
    address: str


_NO_HEADERS: Mapping[str, str | Mailbox] = MappingProxyType({})


def frame(
    content: Content,
    sender: Mailbox,
    recipient: Mailbox,
    message_id: str,
    date: datetime,
    headers: Mapping[str, str | Mailbox] = _NO_HEADERS,
    *,
    unsubscribe: str = "",
    one_click: str = "",
) -> bytes:
    """The whole mail as it goes over the wire, the same for the same arguments.

    ``message_id``: ``id@domain``, with or without angle brackets. ``headers``: more of them, such as ``Reply-To``.
    ``unsubscribe``: a ``mailto:`` address for ``List-Unsubscribe`` (RFC 2369); ``one_click``: a web address to which
    one POST stops such mail (RFC 8058). :class:`UnsafeHeader`: what is wrong.
    """
    identity = _identity(message_id)
    lines = [
        _mailbox("From", sender.name, sender.address),
        _mailbox("To", recipient.name, recipient.address),
        _unstructured("Subject", content.subject),
        _date(date),
        f"Message-ID: <{identity}>",
        "Auto-Submitted: auto-generated",
    ]
    lines += _stopping(unsubscribe, one_click)
    lines += [_extra(name, value) for name, value in headers.items()]
    lines.append("MIME-Version: 1.0")
    head = "\r\n".join(lines).encode("ascii")
    if not content.html:
        return b"".join((head, b"\r\n", _part("plain", content.text)))
    boundary = _boundary(identity)
    return b"".join(
        (
            head,
            b'\r\nContent-Type: multipart/alternative;\r\n boundary="%b"\r\n\r\n--%b\r\n' % (boundary, boundary),
            _part("plain", content.text),
            b"\r\n--%b\r\n" % boundary,
            _part("html", content.html),
            b"\r\n--%b--\r\n" % boundary,
        )
    )


def _stopping(unsubscribe: str, one_click: str) -> list[str]:
    """How to stop such mail. The web address comes first: mail programs take the first that they know."""
    ways = [f"<{_checked(_HTTPS, one_click, 'List-Unsubscribe')}>"] if one_click else []
    ways += [f"<{_checked(_MAILTO, unsubscribe, 'List-Unsubscribe')}>"] if unsubscribe else []
    lines = ["List-Unsubscribe: " + ",\r\n ".join(ways)] if ways else []
    return [*lines, "List-Unsubscribe-Post: List-Unsubscribe=One-Click"] if one_click else lines


def _boundary(identity: str) -> bytes:
    """A boundary of the message's own. "=_" cannot occur in quoted-printable text, so no text can contain it."""
    return b"=_" + sha256(identity.encode()).hexdigest()[:32].encode()


_PARTS = {
    kind: f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'.encode()
    for kind in ("plain", "html")
}


def _part(kind: str, text: str) -> bytes:
    return _PARTS[kind] + quoted_printable(text)


def quoted_printable(text: str) -> bytes:
    """Text as quoted-printable UTF-8 (RFC 2045, 6.7). A leading dot or "From " is encoded: some relays alter them."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    data = text.encode("utf-8", "replace").replace(b"=", b"=3D")
    for byte in set(data.translate(None, _SAFE)):
        data = data.replace(bytes((byte,)), b"=%02X" % byte)
    lines = data.split(b"\n")
    # The newline in front is for what looks at the beginning of lines, and goes again at the end.
    whole = [line if len(line) <= _LONGEST and not line.endswith(_BLANKS) else _cut(line) for line in lines]
    data = b"\n" + b"\n".join(whole)
    if b"\n." in data or b"\nFrom " in data:
        data = _RISKY.sub(lambda found: b"\n=%02X" % found[0][1], data)
    return data[1:].replace(b"\n", b"\r\n")


def _cut(line: bytes) -> bytes:
    """A line with soft breaks: no escape is cut in two, and no line ends with a blank."""
    if line.endswith(_BLANKS):
        line = line[:-1] + b"=%02X" % line[-1]
    pieces, start, end = [], 0, len(line)
    while end - start > _LONGEST:
        stop = start + _CUT
        if line[stop - 1] == _EQUALS:
            stop -= 1
        elif line[stop - 2] == _EQUALS:
            stop -= 2
        pieces.append(line[start:stop])
        start = stop
    pieces.append(line[start:])
    return b"=\n".join(pieces)


def _identity(message_id: str) -> str:
    return _checked(_ADDRESS, message_id.removeprefix("<").removesuffix(">"), "Message-ID")


@lru_cache(maxsize=64)
def _date(date: datetime) -> str:
    return "Date: " + format_datetime(date.astimezone(UTC))


def _checked(shape: re.Pattern[str], value: str, field: str) -> str:
    if shape.fullmatch(value) is None:
        raise UnsafeHeader(f"{field}: {value!r} has not the form that it must have.")
    return value


def _extra(name: str, value: str | Mailbox) -> str:
    if _FIELD.fullmatch(name) is None or name.lower() in _OURS:
        raise UnsafeHeader(f"{name!r} is not a header that can be added.")
    if isinstance(value, Mailbox):
        return _mailbox(name, value.name, value.address)
    if _CONTROLS.search(value):
        raise UnsafeHeader(f"{name}: {value!r} has control characters.")
    return _unstructured(name, value)


def _clean(text: str) -> str:
    """One line of single spaces, without control characters."""
    return " ".join(_CONTROLS.sub(" ", text).split())


@lru_cache(maxsize=4096)
def _mailbox(field: str, name: str, address: str) -> str:
    """An address header; a sender's is the same in every mail, so they are kept."""
    route = f"<{_checked(_ADDRESS, _ascii_domain(address), field)}>"
    phrase = _phrase(field, _clean(name))
    if not phrase:
        return f"{field}: {route}"
    last = phrase.rpartition("\n")[2]
    joint = " " if len(last) + len(route) < _WIDTH else "\r\n "
    return f"{phrase}{joint}{route}"


def _ascii_domain(address: str) -> str:
    """The address with an internationalised domain in its ASCII form."""
    if address.isascii():
        return address
    local, at, domain = address.rpartition("@")
    try:
        return local + at + domain.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise UnsafeHeader(f"{address!r} has a domain that cannot be written in a mail.") from error


def _phrase(field: str, name: str) -> str:
    if not name:
        return ""
    if not name.isascii() or "=?" in name:
        return _encoded(field, name)
    if not _ATOMS.fullmatch(name):
        name = f'"{_SPECIAL.sub(_escaped, name)}"'
    return _folded(field, name)


def _escaped(found: re.Match[str]) -> str:
    return "\\" + found[0]


def _unstructured(field: str, text: str) -> str:
    """A header of free text, folded at its spaces; encoded where it is not plain ASCII or has too long a word."""
    clean = _clean(text)
    return _folded(field, clean) if clean.isascii() and "=?" not in clean else _encoded(field, clean)


def _folded(field: str, text: str) -> str:
    if len(field) + len(text) + 2 <= _WIDTH:
        return f"{field}: {text}"
    lines, line = [], f"{field}:"
    for word in text.split(" "):
        if len(word) >= _WIDTH:
            return _encoded(field, text)
        if len(line) + len(word) >= _WIDTH and line != f"{field}:":
            lines.append(line)
            line = ""
        line += " " + word
    return "\r\n".join((*lines, line))


def _encoded(field: str, text: str) -> str:
    """A header as encoded words (RFC 2047): none over 75 characters, no character cut in two."""
    chunks = _chunks(text.encode("utf-8", "replace").decode(), (_WIDTH - len(field) - 14) // 4 * 3)
    words = (f"=?utf-8?b?{b2a_base64(chunk, newline=False).decode()}?=" for chunk in chunks)
    return f"{field}: " + "\r\n ".join(words)


def _chunks(text: str, room: int) -> Iterator[bytes]:
    """UTF-8 in pieces: the first of at most ``room`` bytes, as it shares its line with the header's name, then 45.

    They end at a space where they can: some parsers put one of their own between two encoded words.
    """
    start = space = used = 0
    for end, character in enumerate(text):
        used += len(character.encode())
        if used > room:
            stop = space or end
            yield text[start:stop].encode()
            start, space, room = stop, 0, 45
            used = len(text[start : end + 1].encode())
        if character == " ":
            space = end + 1
    yield text[start:].encode()
