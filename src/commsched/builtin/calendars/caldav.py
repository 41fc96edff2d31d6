"""A calendar on a CalDAV server (RFC 4791): its events are when something is closed, or open; our bookings go there.

Events count as in a calendar file (kind ``ics_file``). The events themselves are read and laid out here; what a server
reckons to be free or busy is never asked. While the server cannot be read, the last good copy serves for ``max_age``.

With ``write``, the appointments of this calendar are written to it as events of their own, with the service's name and
nothing of the customer's; what is moved or removed there by hand is heeded here. Needs ``commsched[caldav]``::

    [[calendars]]
    name = "bay-one"
    kind = "caldav"
    url = "https://cloud.example/dav/calendars/workshop/bay-one/"
    user = "commsched"
    password = "env:BAY_ONE_PASSWORD"
    hours = { "mon-fri" = ["07:30-18:00"] }
    write = true
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from io import BytesIO
from pathlib import Path
from time import monotonic
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit
from zoneinfo import ZoneInfo

import icalendar
from pydantic import Field, SecretStr, model_validator

from commsched import (
    OURS,
    Booking,
    CommschedError,
    Copy,
    Entry,
    OutOfStep,
    RemoteCalendar,
    RemoteSettings,
    Span,
    Unreachable,
    ask_web,
    hookimpl,
    web_address,
)

DAV = "{DAV:}"
DATA = "{urn:ietf:params:xml:ns:caldav}calendar-data"
TAG = "{http://calendarserver.org/ns/}getctag"
# What the server's own reading of a span may be off by: no zone is further than a day from UTC.
MARGIN = timedelta(days=2)
# A copy that reaches further than what is asked now stays that far, within reason.
REACH = timedelta(days=3 * 365)
UNCHANGED = f"""<?xml version="1.0" encoding="utf-8"?>
<propfind xmlns="DAV:"><prop><getctag xmlns="{TAG[1:].partition("}")[0]}"/><sync-token/></prop></propfind>"""
EVENTS = """<?xml version="1.0" encoding="utf-8"?>
<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
<D:prop><D:getetag/><C:calendar-data/></D:prop><C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">
<C:time-range start="{start:%Y%m%dT%H%M%SZ}" end="{end:%Y%m%dT%H%M%SZ}"/></C:comp-filter></C:comp-filter></C:filter>
</C:calendar-query>"""


class CalDavSettings(RemoteSettings):
    """The calendar, and how to read and write it."""

    url: str = Field(description="The address of the calendar itself, not of the account.")
    user: str = Field(default="", description="Who we are to the server.")
    password: SecretStr = Field(default=SecretStr(""), description="The password, as `env:NAME` or `file:PATH`.")
    write: bool = Field(
        default=False, description="Whether our appointments are kept in it, and what people do to them there counts."
    )
    timeout: float = Field(
        default=30.0, gt=0, le=120, description="How many seconds the server has for an answer, all of it."
    )
    max_bytes: int = Field(default=20_000_000, gt=0, description="How long an answer of the server may be.")
    title: str = Field(default="", description="What our events are called there; default: the service's name.")

    @model_validator(mode="after")
    def _readable(self) -> CalDavSettings:
        web_address(self.url, allow_private=self.allow_private)
        return self


class Denied(CommschedError):
    """The server said no."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(f"It answered {status}.")


@dataclass(frozen=True, slots=True)
class _Answer:
    etag: str
    body: bytes
    tree: Any


class _Transport:
    """How the library's requests travel: with a limit of time and of size, and to the host of the calendar alone."""

    def __init__(self, settings: CalDavSettings, response: type[Any]) -> None:
        self._settings, self._response = settings, response
        self.until = 0.0

    def send(self, request: Any, **_: object) -> Any:  # noqa: ANN401 - of requests, which is an extra's
        """One request, who we are included; the library's own time-outs are for each packet, so they are not used."""
        mine, body = self._settings, request.body
        answer = ask_web(
            request.method,
            urlsplit(request.url),
            dict(request.headers),
            body.encode() if isinstance(body, str) else body,
            timeout=self.until - monotonic(),
            limit=mine.max_bytes,
            allow_private=mine.allow_private,
        )
        found = self._response()
        found.status_code, found.url, found.request, found.connection = answer.status, request.url, request, self
        found.headers.update(answer.headers)
        found.raw = BytesIO(answer.body)
        # Here, so that it does not depend on the order of the library's hooks what is seen before it is followed.
        _refuse(found)
        return found

    def close(self) -> None:
        """Nothing stays open."""


class CalDav(RemoteCalendar[CalDavSettings]):
    """Closed, or open, at the events of a calendar on a CalDAV server, which keeps our appointments too."""

    kind = "caldav"
    writable = True

    def __init__(
        self, settings: CalDavSettings, *, name: str, folder: Path = Path(), zone: ZoneInfo | None = None
    ) -> None:
        super().__init__(settings, name=name, folder=folder, zone=zone)
        try:
            client, response = import_module("caldav").DAVClient, import_module("requests").Response
        except ImportError as error:
            raise CommschedError("The kind caldav needs a library: pip install 'commsched[caldav]'.") from error
        self._address = web_address(settings.url, allow_private=settings.allow_private)
        self._base = self._address.geturl().rstrip("/") + "/"
        self._client = client(
            url=self._base,
            username=settings.user or None,
            password=settings.password.get_secret_value() or None,
        )
        self._transport = _Transport(settings, response)
        for scheme in ("https://", "http://"):
            self._client.session.mount(scheme, self._transport)
        # No proxy and no password that the configuration does not name.
        self._client.session.trust_env = False

    @property
    def source(self) -> str:
        """The calendar's address."""
        return self._base

    @property
    def writes(self) -> bool:
        """Whether it is configured to keep our appointments."""
        return self.settings.write

    def fetch(self, kept: Copy | None, within: Span, now: datetime) -> Copy:
        """The calendar as it is; its events are only read if it says that something has changed."""
        version = self._version()
        if kept and version and kept.validators.get("version") == version and _inside(within, kept.covers):
            return replace(kept, taken_at=now)
        covers = _covers(within, kept)
        answer = self._ask("REPORT", body=EVENTS.format(start=covers[0] - MARGIN, end=covers[1] + MARGIN), Depth="1")
        return Copy(tuple(self._events(answer.tree)), now, covers, {"version": version} if version else {})

    def entries(self, within: Span, now: datetime) -> tuple[Entry, ...]:
        """Our own events as they stand there now, never from a copy. A token is the event's address and its ETag."""
        kept = self.kept()
        copy = self.fetch(kept, within, now)
        found = self.listed((one for one in copy.documents if OURS.encode() in one[1]), within)
        if kept is None or kept.documents is not copy.documents:
            self.keep(copy)
        return found

    def put(self, booking: Booking, token: str) -> str:
        """Write an event. What people added to one that stands there, stays."""
        if not token:
            address, document, only_if = f"{quote(booking.uid, safe='')}.ics", _document(), {"If-None-Match": "*"}
        else:
            address, etag = _parted(token)
            document, only_if = self._standing(address, etag), {"If-Match": etag}
        _write(document, booking, self.settings.title)
        try:
            kind = {"Content-Type": "text/calendar; charset=utf-8"}
            answer = self._ask("PUT", address, document.to_ical().decode(), **kind, **only_if)
        except Denied as denied:
            raise _plain(denied) from denied
        return f"{urlsplit(urljoin(self._base, address)).path} {answer.etag}" if answer.etag else ""

    def remove(self, uid: str, token: str) -> None:
        """Take an event away."""
        del uid  # the token says where it stands
        address, etag = _parted(token)
        try:
            self._ask("DELETE", address, **{"If-Match": etag})
        except Denied as denied:
            if denied.status not in {404, 410}:
                raise _plain(denied) from denied

    def _standing(self, address: str, etag: str) -> icalendar.Calendar:
        try:
            answer = self._ask("GET", address)
        except Denied as denied:
            raise _plain(denied) from denied
        if answer.etag and answer.etag != etag:
            raise OutOfStep
        return icalendar.Calendar.from_ical(answer.body)

    def _events(self, tree: Any) -> Iterator[tuple[str, bytes]]:  # noqa: ANN401 - lxml's element, which is an extra's
        """Token and document of each event in a server's answer, all of them or none."""
        if tree is None or tree.tag != f"{DAV}multistatus":
            raise Unreachable("The server's answer is not what CalDAV says.")
        for response in tree.iterfind(f"{DAV}response"):
            data, address = response.findtext(f".//{DATA}"), response.findtext(f"{DAV}href", "").strip()
            # A server that has too much to say says so for one address (RFC 4791, 7.8.1): the rest would be missing.
            if data is None:
                raise Unreachable("The server left something out of its answer.")
            self._within(address)
            yield f"{address} {response.findtext(f'.//{DAV}getetag', '')}", data.encode()

    def _within(self, address: str) -> str:
        """Where an event stands; it is told our password, so nowhere but in this calendar."""
        target = urlsplit(urljoin(self._base, address))
        # One and the same path may be written in several ways: `/ann%40home/` is `/ann@home/`.
        path, calendar = unquote(target.path), unquote(self._address.path).rstrip("/") + "/"
        name = path.removeprefix(calendar)
        if target[:2] != self._address[:2] or name in {path, "", ".", ".."} or "/" in name or target.query:
            raise Unreachable("The server names events that do not stand in this calendar.")
        return target.geturl()

    def _version(self) -> str:
        """The server's word for the state of the calendar; empty if it has none."""
        tree = self._ask("PROPFIND", body=UNCHANGED, Depth="0").tree
        found = (tree.findtext(f".//{name}") for name in (TAG, f"{DAV}sync-token")) if tree is not None else ()
        return next((text for text in found if text), "")

    def _ask(self, method: str, address: str = "", body: str = "", **headers: str) -> _Answer:
        target = self._within(address) if address else self._base
        self._transport.until = monotonic() + self.settings.timeout
        try:
            answer = self._client.request(target, method, body, headers)
        except CommschedError:
            raise
        except Exception as error:
            refused = type(error).__name__ == "AuthorizationError"
            why = "does not let us in; look at user and password" if refused else f"failed ({type(error).__name__})"
            raise Unreachable(f"The server {self._address.hostname} {why}.") from error
        raw = answer.raw
        return _Answer(answer.headers.get("ETag", ""), raw.encode() if isinstance(raw, str) else raw, answer.tree)


def _refuse(response: Any) -> None:  # noqa: ANN401 - requests' Response, which is an extra's
    """Stop at what is no answer, before the library follows it or prints it. With 401 the server asks who we are."""
    status, kind = response.status_code, response.headers.get("Content-Type", "")
    if status in {404, 409, 410, 412}:
        raise Denied(status)
    if status != 401 and status >= 300:  # noqa: PLR2004 - where success ends, and the question who we are
        raise Unreachable(f"The server answered {status}.")
    if status == 207 and "xml" not in kind:  # noqa: PLR2004 - Multi-Status
        raise Unreachable("The server's answer is no XML.")


def _plain(denied: Denied) -> CommschedError:
    if denied.status == 412:  # noqa: PLR2004 - Precondition Failed
        return OutOfStep()
    return Unreachable(denied.detail)


def _parted(token: str) -> tuple[str, str]:
    address, _, etag = token.partition(" ")
    if not etag:
        raise Unreachable("The server does not tell versions of events apart, so nothing can safely be changed there.")
    return address, etag


def _document() -> icalendar.Calendar:
    document = icalendar.Calendar()
    document.add("VERSION", "2.0")
    document.add("PRODID", "-//commsched//EN")
    document.add_component(icalendar.Event())
    return document


def _write(document: icalendar.Calendar, booking: Booking, title: str) -> None:
    """Put the booking into the first event of a document."""
    event = document.walk("VEVENT")[0]
    values: Mapping[str, object] = {
        "DTSTART": booking.start,
        "DTEND": booking.end,
        "DTSTAMP": datetime.now(UTC),
        "SEQUENCE": int(event.get("SEQUENCE", -1)) + 1,
        "STATUS": "CONFIRMED",
        "UID": booking.uid,
        "SUMMARY": event.get("SUMMARY") or title or booking.title,
    }
    for name in (*values, "DURATION"):
        event.pop(name, None)
    for name, value in values.items():
        event.add(name, value)


def _inside(span: Span, other: Span) -> bool:
    return other[0] <= span[0] and span[1] <= other[1]


def _covers(within: Span, kept: Copy | None) -> Span:
    """Whole years, so that spans which are asked for one after the other do not make it read all again."""
    start = datetime(within[0].year, 1, 1, tzinfo=UTC)
    end = datetime(within[1].year + 1, 1, 1, tzinfo=UTC)
    if kept is None:
        return start, end
    return max(min(start, kept.covers[0]), start - REACH), min(max(end, kept.covers[1]), end + REACH)


@hookimpl
def register_calendars() -> list[type[CalDav]]:
    """Announce the kind."""
    return [CalDav]
