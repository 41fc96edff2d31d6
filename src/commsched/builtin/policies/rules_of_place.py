"""What the law of the customer's place says about hours, numbers and permissions.

The rules are rows of data, each with its source, the day on which that was looked at, and how sure it is; an uncertain
one is applied at its strictest. Somebody who may be in several places (a region, a postal address, a telephone number
of another state) is in all of them, and goes by every clock of theirs: only what all of them allow is allowed. Rows of
your own stand in a file of the deployment; one with the id of a shipped row takes its place. A missing consent and a
number that is used up are vetoes. Hours are none: what found no legal hour before its deadline merely could not go, and
the rule's fallback runs. This is not legal advice::

    [[policies]]
    kind = "rules_of_place"
    path = "config/places.yaml"
    sectors = { health = ["clinic"] }
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache, reduce
from operator import and_
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import yaml
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from commsched import (
    ALWAYS,
    NEVER,
    CommschedError,
    Force,
    Length,
    Longest,
    Policy,
    Proposal,
    Settings,
    Verdict,
    View,
    Week,
    Windows,
    crowded,
    hookimpl,
    must_not,
    only,
    parse_week,
    permission,
    start_of_day,
    together,
    weekly,
    zone,
    zones_of_region,
)

SHIPPED = tuple(Path(__file__).parent / "law" / name for name in ("us.yaml", "elsewhere.yaml"))
DAY = timedelta(days=1)
# Of how many rules a sentence tells by name: of somebody who may be anywhere a dozen may count.
NAMED = 3
# What a rule asks for, in the words of the reason.
HOURS = "allows such messages only at certain hours"
NUMBERS = "allows only so many messages in so long"
CONSENT = "needs a consent that can be shown"
FORBIDDEN = "does not allow such messages"


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _places(codes: tuple[str, ...]) -> tuple[str, ...]:
    for code in codes:
        if code != code.upper() or not zones_of_region(code):
            message = (
                f"{code!r} is no place; write an ISO 3166 code such as DE or US-TX (and GB for the United Kingdom)"
            )
            raise ValueError(message)
    return codes


class Limit(Settings):
    """At most ``count`` messages in any stretch of ``per``: about the same topic, or to the same customer."""

    count: int = Field(ge=1)
    per: Length
    same: Literal["topic", "customer"]


class Row(Settings):
    """One rule of one place, or of several that share it."""

    id: str = Field(min_length=1)
    place: Annotated[tuple[str, ...], BeforeValidator(_several)] = Field(min_length=1)
    media: frozenset[Literal["email", "sms", "voice", "letter"]] = Field(min_length=1)
    purposes: frozenset[str] = Field(min_length=1)
    sector: str = ""
    hours: Week | None = None
    at_most: tuple[Limit, ...] = ()
    consent: Literal["given", "proven"] | None = None
    characters: int | None = Field(default=None, ge=1)
    handled: str = ""
    effective_from: date | None = None
    effective_to: date | None = None
    source: str = Field(min_length=1)
    verified_on: date | None = None
    confidence: Literal["primary", "secondary", "disputed", "memory"]

    @cached_property
    def table(self) -> dict[int, tuple[tuple[time, time], ...]]:
        """The hours by weekday."""
        return parse_week(self.hours or {})

    @model_validator(mode="after")
    def _holds_together(self) -> Row:
        _places(self.place)
        asks = bool(self.hours is not None or self.at_most or self.consent or self.characters)
        if asks == bool(self.handled):
            message = "a row asks for hours, at_most, consent or characters, or else says in `handled` where it is kept"
            raise ValueError(message)
        if (self.verified_on is None) != (self.confidence == "memory"):
            message = "a row that was looked up says when in verified_on; one that was not has the confidence memory"
            raise ValueError(message)
        if self.effective_from and self.effective_to and self.effective_to < self.effective_from:
            message = "effective_to is before effective_from"
            raise ValueError(message)
        return self


def read_rows(text: str, name: str) -> tuple[Row, ...]:
    """The rows of a YAML file; :class:`CommschedError` names the file, the row and what would be right."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise CommschedError(f"{name} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(found, list):
        raise CommschedError(f"{name} must be a list of rows, each with an id, a place, media, purposes and a source")
    rows = tuple(_row(number, value, name) for number, value in enumerate(found, start=1))
    ids = [row.id for row in rows]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise CommschedError(f"{name}: the id {twice[0]!r} stands twice; give one of the rows another")
    return rows


def _row(number: int, value: object, name: str) -> Row:
    try:
        return Row.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        label = value.get("id", "no id") if isinstance(value, dict) else "no id"
        field, what = ".".join(map(str, first["loc"])), str(first["msg"]).removeprefix("Value error, ")
        hint = (
            ' (YAML reads NO as "no": write "NO")'
            if field.startswith("place") and first["type"] == "string_type"
            else ""
        )
        where = f"row {number} ({label})"
        raise CommschedError(f"{name}: {where}: {field + ': ' if field else ''}{what}{hint}") from error


class RulesOfPlaceSettings(Settings):
    """Rows of your own, and who works in a sector that has rules of its own."""

    path: str = Field(default="", description="A file with rows of your own, inside the deployment.")
    sectors: dict[str, frozenset[str]] = Field(
        default={}, description='Departments by sector, for rules of one sector: `{ health = ["clinic"] }`.'
    )


class RulesOfPlace(Policy[RulesOfPlaceSettings]):
    """Leaves what every rule of every place allows where the customer may be."""

    kind = "rules_of_place"
    code = must_not("rules_of_place")
    depends = frozenset({"time", "facts", "history"})

    def __init__(
        self, settings: RulesOfPlaceSettings, *, name: str, folder: Path = Path(), zone: ZoneInfo | None = None
    ) -> None:
        super().__init__(settings, name=name, folder=folder, zone=zone)
        known = {row.id: row for row in shipped_rows()}
        for path in self.files:
            if not path.is_file():
                raise CommschedError(
                    f"there is no file {settings.path}; write rows of your own there, or leave out path"
                )
            known |= {row.id: row for row in read_rows(path.read_text("utf-8"), settings.path)}
        self.rows = tuple(row for row in known.values() if not row.handled)
        self._of_place: dict[tuple[str, ...], tuple[Row, ...]] = {}

    @property
    def files(self) -> tuple[Path, ...]:
        """The shipped rows, and the file with rows of the deployment's own."""
        return (*SHIPPED, *((self.folder / self.settings.path,) if self.settings.path else ()))

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """What is left of each medium, with the rules that left it."""
        found: dict[tuple[frozenset[str], str], list[tuple[Row, Windows]]] = {}
        for row in self._rows_of(view.places):
            if not self._binds(row, proposal):
                continue
            for media, asks, times in _allowed(row, proposal, view):
                if times != ALWAYS:
                    found.setdefault((media, asks), []).append((row, times))
        return together(_verdict(media, asks, answers) for (media, asks), answers in found.items())

    def longest(self, proposal: Proposal, view: View) -> Iterator[Longest]:
        """The number of characters that a rule of their place allows a text."""
        for row in self._rows_of(view.places):
            if row.characters is None or not self._binds(row, proposal):
                continue
            if Windows.between(*proposal.span) - _free(row, _zones(row, view)):
                detail = f"the law where you are allows no more ({row.id}, {row.source})"
                yield from (Longest(medium, row.characters, detail) for medium in sorted(row.media))

    def _rows_of(self, places: tuple[str, ...]) -> tuple[Row, ...]:
        rows = self._of_place.get(places)
        if rows is None:
            rows = tuple(row for row in self.rows if any(_meet(one, place) for one in row.place for place in places))
            self._of_place[places] = rows
        return rows

    def _binds(self, row: Row, proposal: Proposal) -> bool:
        return (
            bool(row.purposes & {proposal.purpose, "*"})
            and not row.media.isdisjoint(proposal.media)
            and (not row.sector or proposal.department in self.settings.sectors.get(row.sector, ()))
        )


def shipped_rows() -> Iterator[Row]:
    """The rows that come with commsched, those that are kept elsewhere among them."""
    for path in SHIPPED:
        yield from read_rows(path.read_text("utf-8"), path.name)


def _meet(one: str, other: str) -> bool:
    """Whether somebody in one place may be in the other: the same, one within the other, or anywhere."""
    return not other or one == other or one.startswith(f"{other}-") or other.startswith(f"{one}-")


def _allowed(row: Row, proposal: Proposal, view: View) -> Iterator[tuple[frozenset[str], str, Windows]]:
    """What one rule leaves, by the media that it leaves it on, and by what it asks for."""
    zones = _zones(row, view)
    free = _free(row, zones)
    if row.hours is not None:
        asks = HOURS if any(row.table.values()) else FORBIDDEN
        yield row.media, asks, weekly(row.table, zones, proposal.span) | free
    for limit in row.at_most:
        yield row.media, NUMBERS, ~crowded(list(_counted(row, limit, proposal, view)), limit.count, limit.per) | free
    if row.consent:
        missing = frozenset(one for one in row.media & {*proposal.media} if not _permitted(row, one, proposal, view))
        if missing:
            yield missing, CONSENT, free


def _free(row: Row, zones: tuple[ZoneInfo, ...]) -> Windows:
    """When the rule does not hold: before it came into force, after it has ended, by every clock."""
    return _outside(row.effective_from, row.effective_to, zones)


@lru_cache(maxsize=4096)
def _outside(first: date | None, last: date | None, zones: tuple[ZoneInfo, ...]) -> Windows:
    free = NEVER
    if first is not None:
        free |= ~Windows.onward(min(start_of_day(first, place) for place in zones))
    if last is not None:
        free |= Windows.onward(max(start_of_day(last + DAY, place) for place in zones))
    return free


def _zones(row: Row, view: View) -> tuple[ZoneInfo, ...]:
    """Every clock that theirs may be, if the rule is about them; the one they stated, where that is known."""
    return _clocks(row.place, view.places, view.customer.timezone or "") or view.zones


@lru_cache(maxsize=4096)
def _clocks(rule: tuple[str, ...], theirs: tuple[str, ...], timezone: str) -> tuple[ZoneInfo, ...]:
    narrow = {max(one, place, key=len) for one in rule for place in theirs if _meet(one, place)}
    found = dict.fromkeys(clock for place in sorted(narrow) for clock in zones_of_region(place))
    if not timezone:
        return tuple(found)
    stated = zone(timezone)
    return (stated,) if stated in found or not found else (*found, stated)


def _counted(row: Row, limit: Limit, proposal: Proposal, view: View) -> Iterator[datetime]:
    """The instants of the other messages that count together with this one, in order."""
    covers = view.vocabulary.covers
    for one in sorted(view.history, key=lambda one: one.at):
        same = limit.same == "customer" or covers(one.topic, proposal.topic) or covers(proposal.topic, one.topic)
        if one.key != proposal.key and one.medium in row.media and row.purposes & {one.purpose, "*"} and same:
            yield one.at


def _permitted(row: Row, medium: str, proposal: Proposal, view: View) -> bool:
    """Whether a permission stands; a proven one has the text that was shown."""
    said = [one for one in view.consents if row.consent == "given" or not one.granted or one.text]
    return (
        permission(said, medium=medium, purpose=proposal.purpose, topic=proposal.topic, vocabulary=view.vocabulary)
        is True
    )


def _verdict(media: frozenset[str], asks: str, answers: list[tuple[Row, Windows]]) -> Verdict:
    rows: Mapping[str, Row] = {row.id: row for row, _ in answers}
    named = "; ".join(f"{row.id}, {row.source}" for row in list(rows.values())[:NAMED])
    more = f"; and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    times = reduce(and_, (times for _, times in answers))
    # To wait for an hour that is legal is no veto; a person may still telephone at one.
    force: Force | None = "could_not" if asks == HOURS else None
    return only(times, detail=f"the law where you are {asks} ({named}{more})", media=media, force=force)


@hookimpl
def register_policies() -> list[type[RulesOfPlace]]:
    """Announce the kind."""
    return [RulesOfPlace]
