"""Hypothesis strategies for what policies are shown: times, customers, histories, proposals.

The values are few and near each other on purpose, so that they meet: two topics of one tree, two assets, an address
that others share, instants around clock changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import TypeVar

from hypothesis import strategies as st
from msgspec import UNSET

from commsched.model.decisions import Anchor, Placed, Proposal
from commsched.model.facts import (
    Commitment,
    Consent,
    Event,
    Feedback,
    Hold,
    Intent,
    Interaction,
    Reply,
    ServiceRecord,
)
from commsched.model.state import Appointment, Asset, Case, Profile, State
from commsched.model.vocabulary import Vocabulary
from commsched.plugin.view import Department, Snapshot, View
from commsched.timing.civil import zone
from commsched.timing.windows import Span, Windows

T = TypeVar("T")
FIRST = datetime(2026, 2, 20, tzinfo=UTC)
LAST = datetime(2026, 12, 20, tzinfo=UTC)
ADDRESSES: Mapping[str, str] = MappingProxyType(
    {"email": "ann@mail.example", "sms": "+13125550142", "voice": "+13125550142"}
)
MEDIA = ("email", "sms", "voice")
PURPOSES = ("safety", "legal", "transactional", "service", "survey", "sales", "marketing", "collections")
TOPICS = ("maintenance", "oil", "sales", "trade_in")
ITEMS = ("winter-tires", "blizzak-set", "floor-mats")
CUSTOMERS = ("ann", "ben")
CAR = "car-1"
VOCABULARY = Vocabulary(
    topics={"maintenance": None, "oil": "maintenance", "sales": None, "trade_in": "sales"},
    events={"purchase": {}, "visit": {}},
    equivalents=dict.fromkeys(ITEMS[:2], frozenset(ITEMS[:2])),
    departments=frozenset({"service", "sales"}),
)
ZONES = tuple(map(zone, ("UTC", "America/Chicago", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe")))

_asked = st.sampled_from(CUSTOMERS)
_topics = st.sampled_from(TOPICS)
_stated_by = st.sampled_from(["customer", "staff", "import", None])


def instants(first: datetime = FIRST, last: datetime = LAST) -> st.SearchStrategy[datetime]:
    """Whole seconds between two instants, often a full hour."""
    seconds = int((last - first).total_seconds())
    hours = st.integers(0, seconds // 3600).map(lambda hour: hour * 3600)
    return (hours | st.integers(0, seconds)).map(lambda after: first + timedelta(seconds=after))


def spans(first: datetime = FIRST, last: datetime = LAST) -> st.SearchStrategy[Span]:
    """Stretches of at least a second."""
    pairs = st.tuples(instants(first, last), instants(first, last))
    return pairs.map(lambda pair: (min(pair), max(*pair, min(pair) + timedelta(seconds=1))))


def windows(max_size: int = 6) -> st.SearchStrategy[Windows]:
    """Sets of times, empty ones too."""
    return st.lists(spans(), max_size=max_size).map(Windows)


def consents() -> st.SearchStrategy[Consent]:
    """Permissions given and taken back, by anybody."""
    return st.builds(
        Consent,
        at=instants(),
        customer=_asked,
        stated_by=_stated_by,
        medium=st.sampled_from([*MEDIA, "*"]),
        purpose=st.sampled_from([*PURPOSES, "*"]),
        topic=st.none() | _topics,
        granted=st.booleans(),
        method=st.just("form"),
    )


def intents() -> st.SearchStrategy[Intent]:
    """What customers say they want and never want."""
    return st.builds(
        Intent,
        at=instants(),
        customer=st.just("ann"),
        stated_by=_stated_by,
        topic=st.sampled_from([*TOPICS, "*"]),
        stance=st.sampled_from(["never", "not_before", "wants"]),
        until=st.none() | instants().map(datetime.date),
        for_=st.none() | st.sampled_from(["6mo", "1y", "10y"]),
        asset=st.none() | st.sampled_from([CAR, "car-2", "*"]),
    )


def states() -> st.SearchStrategy[State]:
    """Customers as they stand."""
    return st.builds(
        State,
        profile=_profiles("ann"),
        consents=_several(consents()),
        intents=_several(intents()),
        assets=st.fixed_dictionaries({}, optional={name: _assets(name) for name in (CAR, "car-2")}),
        records=_several(_named(_records())),
        events=_several(_named(_events())),
        appointments=st.fixed_dictionaries({}, optional={"a1": _appointments()}),
        cases=st.fixed_dictionaries({}, optional={"case-1": _cases()}),
        holds=_several(_holds()),
        commitments=_several(_named(_commitments())),
        interactions=_several(_interactions()),
        replies=_several(_replies()),
        colleagues=st.fixed_dictionaries({}, optional={"ben": _colleagues("ben")}),
        feedback=_several(_named(_feedback())),
        said_by=st.fixed_dictionaries(
            {}, optional=dict.fromkeys(("facts.loyalty_tier", "car-1.model"), st.sampled_from(["customer", "staff"]))
        ),
        address_consents=st.fixed_dictionaries(
            {}, optional={address: _several(consents()) for address in ADDRESSES.values()}
        ),
    )


def histories() -> st.SearchStrategy[list[Placed]]:
    """What was sent or is planned, in order of time."""
    return st.lists(_placed(), max_size=6).map(lambda history: sorted(history, key=lambda one: one.at))


def views() -> st.SearchStrategy[View]:
    """All that a policy is shown."""
    snapshots = st.builds(Snapshot, st.just("hours"), windows(), instants(), st.booleans())
    return st.builds(
        View,
        state=states(),
        history=histories(),
        zones=st.lists(st.sampled_from(ZONES), min_size=1, max_size=3, unique=True).map(tuple),
        vocabulary=st.just(VOCABULARY),
        calendars=st.fixed_dictionaries({}, optional={"hours": snapshots}),
        departments=st.fixed_dictionaries({}, optional={name: _departments(name) for name in ("service", "sales")}),
        region=st.sampled_from(["", "US", "US-IL", "US-FL", "DE"]),
        stale=st.fixed_dictionaries({}, optional={"dms": instants()}),
    )


@st.composite
def proposals(draw: st.DrawFn) -> Proposal:
    """Messages that a rule would like to send."""
    span = draw(spans())
    media = tuple(draw(st.lists(st.sampled_from(MEDIA), min_size=1, unique=True)))
    usable = draw(st.sets(st.sampled_from(media)))
    ideal = draw(instants(*span))
    rule, step = draw(st.sampled_from(["oil-change-due", "trade-in"])), draw(st.sampled_from(["invite", "second"]))
    return Proposal(
        key=f"ann/{rule}/{step}/{CAR}/1",
        customer="ann",
        rule=rule,
        step=step,
        subject=CAR,
        occurrence="1",
        purpose=draw(st.sampled_from(PURPOSES)),
        topic=draw(_topics),
        department=draw(st.sampled_from(["service", "sales"])),
        priority=5,
        anchor=Anchor("due", span[1]),
        ideal=ideal,
        span=span,
        template=rule,
        media=media,
        addresses={medium: ADDRESSES[medium] for medium in media if medium in usable},
        offers=draw(_several(st.sampled_from(ITEMS))),
        content=draw(st.sampled_from(["", "text-1", "text-2"])),
        recipient="ann",
        asset=draw(st.none() | st.just(CAR)),
        variables=draw(_variables()),
        uses=draw(st.frozensets(st.sampled_from(["facts.loyalty_tier", "asset.model", "customer.region"]))),
    )


def _several(one: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(one, max_size=4).map(tuple)


def _named(fact: st.SearchStrategy[T]) -> st.SearchStrategy[tuple[str, T]]:
    return st.tuples(st.uuids().map(str), fact)


def _variables() -> st.SearchStrategy[dict[str, object]]:
    moods = st.sampled_from(["", "delighted", "fine", "annoyed", "trapped"])
    tiers = {"facts.loyalty_tier": st.sampled_from(["blue", "gold"])}
    return st.fixed_dictionaries({"mood": moods, "booked": st.booleans()}, optional=tiers)


def _assets(name: str) -> st.SearchStrategy[Asset]:
    bought = st.none() | st.dates(date(2016, 1, 1), date(2026, 6, 1))
    return st.builds(Asset, st.just(name), st.just("car"), acquired_on=bought, in_use=st.booleans())


def _records() -> st.SearchStrategy[ServiceRecord]:
    outcomes = st.sampled_from(["done", "declined", "done_elsewhere", "advised"])
    return st.builds(ServiceRecord, at=instants(), service=st.just("oil_change"), asset=st.just(CAR), outcome=outcomes)


def _events() -> st.SearchStrategy[Event]:
    items = st.none() | st.sampled_from(ITEMS)
    return st.builds(Event, at=instants(), kind=st.sampled_from(["purchase", "visit"]), item=items)


def _feedback() -> st.SearchStrategy[Feedback]:
    moods = st.sampled_from(["delighted", "fine", "annoyed", "trapped"])
    of = st.none() | st.sampled_from(["service", "sales"])
    return st.builds(Feedback, at=instants(), customer=st.just("ann"), mood=moods, department=of)


def _cases() -> st.SearchStrategy[Case]:
    status, at = st.sampled_from(["open", "closed"]), instants()
    nothing = st.none()
    return st.builds(Case, st.just("case-1"), st.just("complaint"), status, nothing, nothing, st.just("f"), at, at)


def _profiles(name: str) -> st.SearchStrategy[Profile]:
    roles = st.sampled_from([(), ("driver",), ("buyer", "owner")])
    status = st.sampled_from(["prospect", "active", "former", "deceased"])
    return st.builds(Profile, st.just(name), status=status, organisation=st.none() | st.just("firm"), roles=roles)


def _colleagues(name: str) -> st.SearchStrategy[State]:
    cases = st.fixed_dictionaries({}, optional={"case-2": _cases()})
    return st.builds(State, profile=_profiles(name), cases=cases, commitments=_several(_named(_commitments())))


def _holds() -> st.SearchStrategy[Hold]:
    purposes = st.lists(st.sampled_from([*PURPOSES, "*"]), min_size=1, max_size=2)
    words = {"reason": st.just("explained"), "by": st.just("Tom")}
    return st.builds(Hold, at=instants(), until=instants(), purposes=purposes, about=st.none() | st.just(CAR), **words)


def _commitments() -> st.SearchStrategy[Commitment]:
    due = instants() | st.just(UNSET)
    return st.builds(Commitment, at=instants(), id=st.just("p1"), what=st.just("Call"), due=due, kept=st.booleans())


def _interactions() -> st.SearchStrategy[Interaction]:
    words = {"medium": st.just("voice"), "by": st.just("Tom"), "summary": st.just("called")}
    purpose = st.none() | st.sampled_from(PURPOSES)
    return st.builds(Interaction, at=instants(), direction=st.sampled_from(["in", "out"]), purpose=purpose, **words)


def _replies() -> st.SearchStrategy[Reply]:
    keys = st.none() | st.sampled_from([f"ann/other/{number}/{CAR}/1" for number in (1, 2, 3)])
    return st.builds(Reply, at=instants(), medium=st.just("email"), key=keys)


def _appointments() -> st.SearchStrategy[Appointment]:
    def made(status: str, booked_by: str, booked_at: datetime) -> Appointment:
        start, nothing = booked_at + timedelta(days=3), None
        where = (nothing, nothing, "d1", booked_at, booked_at, "staff", booked_at, "staff")
        return Appointment("a1", "oil_change", CAR, start, nothing, status, booked_by, *where)

    status = st.sampled_from(["proposed", "booked", "cancelled"])
    return st.builds(made, status, st.sampled_from(["customer", "staff", "system"]), instants())


def _departments(name: str) -> st.SearchStrategy[Department]:
    calendars = st.sampled_from([None, "hours", "unknown"])
    return st.builds(Department, st.just(name), st.just(name.title()), st.sampled_from(ZONES), calendars)


@st.composite
def _placed(draw: st.DrawFn) -> Placed:
    number = draw(st.integers(1, 3))
    return Placed(
        key=f"ann/other/{number}/{CAR}/1",
        at=draw(instants()),
        rule="other",
        step=str(number),
        subject=draw(st.sampled_from([CAR, "car-2"])),
        occurrence="1",
        purpose=draw(st.sampled_from(PURPOSES)),
        topic=draw(_topics),
        department="service",
        medium="email",
        address=ADDRESSES["email"],
        template="other",
        content=draw(st.sampled_from(["text-1", "text-2"])),
        sent=draw(st.booleans()),
    )
