"""The patients: who they are, where they can be reached, what they have asked for."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta

import msgspec

from clinic.diary import DAY, Diary
from clinic.words import CHILDREN, ELSEWHERE, FIRST, HOLDS, LAST, STREETS, TOWNS
from commsched.model.facts import Consent, ContactPoint, Custom, Customer, Hold, Intent, Interaction, Preference

DOMAINS = ("example.com", "example.org", "example.net")
PLAIN = str.maketrans({"ł": "l", "ß": "ss", "ä": "ae", "ö": "oe", "ü": "ue"})
# What the Bundesnetzagentur keeps for films: mobile numbers, and landlines of Munich (below 300: the clinic's own).
MOBILES = [f"+4917604069{last:03}" for last in range(100)] + [f"+491713920{last:03}" for last in range(100)]
LANDLINES = [f"+498999998{last:03}" for last in range(300, 1000)]


@dataclass
class Patient:
    """A patient in the making."""

    id: str
    name: str
    since: date
    postal: str
    minor: bool = False
    guardian: str | None = None
    household: str | None = None
    region: str = "DE-BY"
    zone: str | None = None
    locale: str | None = None
    email: str = ""
    phone: str = ""


class Addresses:
    """Phone numbers and mail addresses, none of them handed out twice."""

    def __init__(self, diary: Diary) -> None:
        self.rng = diary.rng
        self.mobiles = diary.rng.sample(MOBILES, len(MOBILES))
        self.landlines = diary.rng.sample(LANDLINES, len(LANDLINES))
        self.taken: set[str] = set()

    def mail(self, name: str) -> str:
        """An address made of a name."""
        plain = unicodedata.normalize("NFKD", name.lower().translate(PLAIN)).encode("ascii", "ignore").decode()
        local, domain, number = ".".join(plain.split()), self.rng.choice(DOMAINS), 1
        address = f"{local}@{domain}"
        while address in self.taken:
            number += 1
            address = f"{local}{number}@{domain}"
        self.taken.add(address)
        return address


def make_people(diary: Diary) -> list[Patient]:
    """All patients, written down with their contact points and wishes."""
    addresses, people = Addresses(diary), list[Patient]()
    names = diary.rng.sample([f"{first} {last}" for first in FIRST.split() for last in LAST.split()], diary.patients)
    for name in names[: diary.patients - len(CHILDREN)]:
        people.append(_patient(diary, addresses, name))
    _elsewhere(diary, people)
    _couples(diary, people)
    people += _children(diary, people)
    for patient in people:
        _introduce(diary, patient, addresses)
    for patient in people:
        if not patient.minor:
            _wishes(diary, patient)
    _departures(diary, people)
    _held(diary, people)
    return people


def _patient(diary: Diary, addresses: Addresses, name: str) -> Patient:
    postal = f"{diary.rng.choice(STREETS)} {diary.rng.randint(1, 60)}, {diary.rng.choice(TOWNS)}"
    # A third of them come for the first time in the course of the sample.
    new = diary.chance(0.35)
    since = diary.between(diary.first, diary.last - 60 * DAY) if new else diary.first - diary.rng.randint(30, 900) * DAY
    made = Patient(diary.next_id("P"), name, since, postal)
    made.email = addresses.mail(name) if diary.chance(0.86) else ""
    made.phone = addresses.mobiles.pop() if diary.chance(0.9) or (not made.email and diary.chance(0.7)) else ""
    return made


def _elsewhere(diary: Diary, people: list[Patient]) -> None:
    for patient, (postal, region, zone, locale, phone) in zip(
        diary.rng.sample(people, len(ELSEWHERE)), ELSEWHERE, strict=True
    ):
        patient.postal, patient.region, patient.zone, patient.locale = postal, region, zone, locale
        patient.phone = phone or patient.phone


def _couples(diary: Diary, people: list[Patient]) -> None:
    """Some live together, and share a mailbox or a phone."""
    at_home = [patient for patient in people if patient.zone is None]
    pairs = diary.some(at_home, 12)
    for one, other in zip(pairs[::2], pairs[1::2], strict=False):
        one.household = other.household = diary.next_id("H")
        other.postal = one.postal
        other.name = f"{other.name.split()[0]} {one.name.split()[1]}"
        if diary.chance(0.5):
            other.email = one.email
        else:
            other.phone = one.phone


def _children(diary: Diary, people: list[Patient]) -> list[Patient]:
    """Minors have no address of their own: whoever brings them is written to."""
    parents = diary.rng.sample([one for one in people if one.email and one.phone and not one.zone], len(CHILDREN))
    made = []
    for name, parent in zip(CHILDREN, parents, strict=True):
        parent.household = parent.household or diary.next_id("H")
        child = Patient(diary.next_id("P"), f"{name} {parent.name.split()[1]}", parent.since, parent.postal, minor=True)
        child.guardian, child.household = parent.id, parent.household
        made.append(child)
    return made


def _introduce(diary: Diary, patient: Patient, addresses: Addresses) -> None:
    at = diary.desk(patient.since)
    person = Customer(customer=patient.id, at=at, name=patient.name, region=patient.region, postal=patient.postal)
    extra: dict[str, object] = {
        "household": patient.household,
        "guardian": patient.guardian,
        "roles": ["minor"] if patient.minor else None,
        "timezone": patient.zone,
        "locale": patient.locale,
        "born": date(2012, 5, 1) + diary.rng.randrange(1500) * DAY if patient.minor else None,
    }
    stated = {name: value for name, value in extra.items() if value is not None}
    diary.note("patients", msgspec.structs.replace(person, **stated), "desk")
    if patient.email:
        diary.note("patients", ContactPoint(customer=patient.id, at=at, kind="email", address=patient.email), "said")
    if patient.phone:
        point = ContactPoint(customer=patient.id, at=at, kind="phone", address=patient.phone, media=["sms", "voice"])
        diary.note("patients", point, "said")
    elif not patient.minor:
        line = addresses.landlines.pop()
        point = ContactPoint(customer=patient.id, at=at, kind="phone", address=line, media=["voice"])
        diary.note("patients", point, "said")


def _wishes(diary: Diary, patient: Patient) -> None:
    day = max(patient.since, diary.first) + diary.rng.randint(1, 40) * DAY
    if patient.email and patient.phone and diary.chance(0.3):
        order = diary.rng.choice((["sms", "email"], ["sms", "email"], ["email", "sms"], ["email"]))
        diary.note("preferences", Preference(customer=patient.id, at=diary.home(day), media=order), "website")
    if diary.chance(0.06):
        hours = diary.rng.choice(({"mon-fri": ["17:00-20:00"]}, {"mon-fri": ["08:00-12:00"]}))
        diary.note("preferences", Preference(customer=patient.id, at=diary.desk(day), contact_hours=hours), "said")
    if diary.chance(0.15):
        note = Custom(customer=patient.id, at=diary.desk(day), facts={"anticoagulant": True})
        diary.note("preferences", note, "doctor")
    if diary.chance(0.05):
        language = diary.rng.choice(("Turkish", "Ukrainian", "Vietnamese"))
        note = Custom(customer=patient.id, at=diary.desk(day), facts={"interpreter": language})
        diary.note("preferences", note, "said")
    _refusals(diary, patient, day)


# How often somebody said it: medium, purpose, and by what means.
REFUSALS = (
    (0.05, "sms", "*", "texted STOP"),
    (0.04, "email", "survey", "replied stop to a survey"),
    (0.025, "*", "*", "said so on the phone: calls only"),
)


def _refusals(diary: Diary, patient: Patient, day: date) -> None:
    for share, medium, purpose, method in REFUSALS:
        if diary.chance(share):
            at = diary.desk(day + diary.rng.randint(5, 200) * DAY)
            said = Consent(customer=patient.id, at=at, medium=medium, purpose=purpose, granted=False, method=method)
            diary.note("preferences", said, "said")
            if medium == "*":
                call = Interaction(
                    customer=patient.id, at=at, direction="in", medium="voice", by="Frau Lang",
                    summary="Wants no messages of any kind. Please telephone.",
                )  # fmt: skip
                diary.note("history", call, "desk")
    if diary.chance(0.03):
        no = Intent(customer=patient.id, at=diary.home(day), topic="check_up", stance="never", words="My GP does that.")
        diary.note("preferences", no, "website")


def _departures(diary: Diary, people: list[Patient]) -> None:
    """Two move away, and one dies."""
    leaving = diary.rng.sample([one for one in people if not one.household], 3)
    for patient, status in zip(leaving, ("former", "former", "deceased"), strict=True):
        at = diary.desk(diary.between(diary.first + 200 * DAY, diary.last - 60 * DAY))
        diary.note("patients", Customer(customer=patient.id, at=at, status=status), "desk")  # type: ignore[arg-type]


def _held(diary: Diary, people: list[Patient]) -> None:
    for patient, reason in zip(diary.rng.sample(people, len(HOLDS)), HOLDS, strict=True):
        at = diary.desk(diary.between(diary.first + 190 * DAY, diary.last - 90 * DAY))
        hold = Hold(
            customer=patient.id, at=at, purposes=["*"], reason=reason, until=at + timedelta(days=28), by="Frau Lang"
        )
        diary.note("history", hold, "desk")
