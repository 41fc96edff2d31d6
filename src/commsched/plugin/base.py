"""The base classes of plugins: a class is a *kind*; configuration declares named *instances* of kinds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Generic, Protocol, TypeVar, get_args
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from commsched.errors import CommschedError
from commsched.model.decisions import Code, Proposal, Verdict
from commsched.plugin.view import Snapshot, View
from commsched.timing.civil import zone
from commsched.timing.windows import Span


class Settings(BaseModel):
    """Settings of a plugin instance: validated, frozen; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoSettings(Settings):
    """For a kind that has nothing to set."""


S = TypeVar("S", bound=Settings)


class Plugin(Generic[S]):
    """What all kinds share: a name of the instance, its settings, the folder and the zone of the deployment."""

    kind: ClassVar[str]

    def __init__(self, settings: S, *, name: str, folder: Path = Path(), zone: ZoneInfo | None = None) -> None:
        self.settings = settings
        self.name = name
        self.folder = folder
        self.zone = zone

    @property
    def files(self) -> tuple[Path, ...]:
        """Files that it was made from besides its settings: a change of theirs makes another world."""
        return ()

    @classmethod
    def settings_type(cls) -> type[Settings]:
        """The settings model, from the class's type parameter (``Policy[QuietHoursSettings]``)."""
        for base in cls.__mro__:
            for generic in getattr(base, "__orig_bases__", ()):
                for argument in get_args(generic):
                    if isinstance(argument, type) and issubclass(argument, Settings):
                        return argument
        return NoSettings


@dataclass(frozen=True, slots=True)
class Longest:
    """How many characters a text on a medium may have, and why: ``detail`` is a sentence as a verdict's."""

    medium: str
    characters: int
    detail: str


class Condition(Protocol):
    """An expression of the configuration, checked when it was loaded."""

    @property
    def names(self) -> frozenset[str]:
        """The variables that it reads, such as ``customer.status``."""

    def holds(self, values: Mapping[str, object]) -> bool | None:
        """Whether it is true of these values; ``None`` is no answer: a value is missing, or CEL met an error."""


class Policy(Plugin[S], ABC):
    """Narrows or vetoes messages. Pure: the same proposal and view always give the same verdict.

    ``code``: the reason's code, :func:`must_not` or :func:`could_not`. ``depends``: what the verdict may depend on
    besides the proposal, of ``time``, ``facts``, ``history``. ``purposes`` and ``media``: what it applies to when the
    configuration does not say (``None``: everything). ``compiled``: its ``expressions``, under the same names.
    """

    code: Code
    depends: ClassVar[frozenset[str] | set[str]]
    purposes: ClassVar[frozenset[str] | set[str] | None] = None
    media: ClassVar[frozenset[str] | set[str] | None] = None
    compiled: Mapping[str, Condition] = MappingProxyType({})

    @property
    def expressions(self) -> Mapping[str, str]:
        """CEL in the settings, by the setting's name; it is checked and compiled when the configuration is loaded."""
        return {}

    @property
    def sources(self) -> frozenset[str]:
        """The sources that its verdicts ask about; they must be declared."""
        return frozenset()

    @property
    def words(self) -> Mapping[str, Iterable[str]]:
        """Words of the vocabulary in the settings: by ``roles``, ``topics``, ``purposes``; all must be declared."""
        return {}

    @abstractmethod
    def review(self, proposal: Proposal, view: View) -> Verdict:
        """When the proposal may go, on which media: :func:`allow`, :func:`deny` or :func:`only`."""

    def longest(self, proposal: Proposal, view: View) -> Iterable[Longest]:  # noqa: ARG002 - most have nothing to say
        """How long its text may be. Asked once it is written: one that is longer is not sent, and never cut."""
        return ()


# How the UIDs of our own events end.
OURS = "@commsched"


class Unreadable(CommschedError):
    """A calendar cannot be read."""

    # ``since`` is when it was read last, if ever.
    def __init__(self, calendar: str, problem: str, *, since: datetime | None = None) -> None:
        self.problem, self.since = problem, since
        super().__init__(f"{calendar}: {problem}")


class OutOfStep(CommschedError):
    """The entry in the calendar is no longer what it was; nothing was written."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One occurrence of an event: ``[start, end)`` in UTC.

    ``busy``: it takes time, so it is neither cancelled nor marked as transparent. ``token`` is the server's word for
    the version of the event, where it has one (an ETag).
    """

    uid: str
    start: datetime
    end: datetime
    busy: bool = True
    cancelled: bool = False
    token: str = ""


@dataclass(frozen=True, slots=True)
class Booking:
    """An appointment as it is to stand in a calendar.

    ``uid`` is opaque and the same for ever; ``title`` says nothing of who comes.
    """

    uid: str
    start: datetime
    end: datetime
    title: str


class Calendar(Plugin[S], ABC):
    """Says when something is open: a department's hours, a technician's free time.

    A calendar of a kind that sets ``writable``, and says so of itself (:attr:`writes`), keeps our appointments too.
    """

    writable: ClassVar[bool] = False

    @property
    def writes(self) -> bool:
        """Whether this calendar is to keep our appointments."""
        return self.writable

    def place(self, stated: str = "") -> ZoneInfo:
        """The zone that a setting names; the deployment's, where it names none."""
        if stated:
            return zone(stated)
        if self.zone is None:
            raise CommschedError(f'The calendar {self.name} does not know its time zone; set zone = "Area/City".')
        return self.zone

    @abstractmethod
    def snapshot(self, within: Span, now: datetime) -> Snapshot:
        """When it is open inside ``within``. May read files or the network; the result is frozen into the world.

        Raises :class:`Unreadable`, or anything else: what depends on the calendar then waits.
        """

    def entries(self, within: Span, now: datetime) -> Iterable[Entry]:
        """Every event of ours that stands in the calendar now, with its token: those whose UID ends with ``OURS``.

        Raises where that cannot be read; an old copy is no answer.
        """
        del now
        raise Unreadable(self.name, f"its kind cannot tell what stands in it between {within[0]} and {within[1]}")

    def put(self, booking: Booking, token: str) -> str:
        """Write an event: a new one where ``token`` is empty, else in the place of the one that has that token.

        Returns the new token, or an empty string if the server tells none. Raises :class:`OutOfStep` if there is one
        already, or it has another token; anything else means that it may or may not stand there.
        """
        raise Unreadable(self.name, f"its kind cannot write ({booking.uid}, {token})")

    def remove(self, uid: str, token: str) -> None:
        """Take an event away; one that is not there is no error. Raises :class:`OutOfStep` if its token is another."""
        raise Unreadable(self.name, f"its kind cannot remove ({uid}, {token})")


class Source(Plugin[S], ABC):
    """A system that facts come from.

    ``delivers``: it brings what it has, so that finding nothing is no sign that it is still there. Without it, a source
    that could be asked and had nothing new has been heard of.
    """

    delivers: ClassVar[bool] = False

    @abstractmethod
    def read(self) -> Iterable[tuple[str, Iterable[bytes]]]:
        """Batches of fact lines (JSON Lines), each with the name under which its lines are reported."""

    def taken(self, batch: str) -> None:
        """Called when a batch's facts are durable; the source may then move it aside."""
