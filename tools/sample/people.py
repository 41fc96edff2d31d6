"""The customers: who they are, where they can be reached, what they have asked for."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import msgspec

from commsched.model.facts import Consent, ContactPoint, Custom, Customer, Intent, Preference
from sample.diary import DAY, Diary, Teller
from sample.words import CONTACT_ROLES, ELSEWHERE, INTENTS, ORGANISATIONS, PEOPLE, TOWNS, WINTERS

OURS = {"+18475550142", "+18475550143"}
MAIL_DOMAINS = ("example.com", "example.org", "example.net")


@dataclass
class Home:
    """Where somebody lives: the lines of the address, its region, the area codes; a zone only where it is not ours."""

    street: str
    town: str
    postal: str
    region: str
    codes: tuple[str, ...]
    zone: str | None = None

    def __str__(self) -> str:
        return f"{self.street}, {self.town}, {self.postal if ' ' in self.postal else f'IL {self.postal}'}"


@dataclass
class Somebody:
    """A customer in the making."""

    id: str
    name: str
    since: date
    home: Home
    spanish: bool = False
    organisation: str | None = None
    household: str | None = None
    roles: tuple[str, ...] = ()
    fleet: int = 0
    prospect: bool = False
    email: str = ""
    phone: str = ""
    gone: bool = False
    contacts: list[str] = field(default_factory=list)

    @property
    def file(self) -> str:
        """The file that this customer's own data stand in."""
        return "people" if self.roles else "customers"


class Addresses:
    """Phone numbers and mail addresses, none of them handed out twice."""

    def __init__(self, diary: Diary) -> None:
        self.rng = diary.rng
        self.taken = set(OURS)

    def phone(self, codes: tuple[str, ...]) -> str:
        """A number of these area codes, in the range that is kept for fiction."""
        for code in (*self.rng.sample(codes, len(codes)), "847", "872", "331", "464", "779", "730"):
            free = [f"+1{code}55501{last:02}" for last in range(100)]
            free = [number for number in free if number not in self.taken]
            if free:
                return self._take(self.rng.choice(free))
        message = "there are no phone numbers left; make fewer customers"
        raise ValueError(message)

    def mail(self, name: str, domain: str | None = None) -> str:
        """An address made of a name."""
        plain = unicodedata.normalize("NFKD", name.lower().replace("ł", "l").replace("-", "")).encode("ascii", "ignore")
        parts = plain.decode().split()
        local = ".".join((parts[0], parts[-1])) if domain or self.rng.random() < 0.6 else parts[0][0] + parts[-1]
        domain = domain or self.rng.choice(MAIL_DOMAINS)
        while f"{local}@{domain}" in self.taken:
            local = f"{local.rstrip('0123456789')}{self.rng.randrange(2, 99)}"
        return self._take(f"{local}@{domain}")

    def _take(self, address: str) -> str:
        self.taken.add(address)
        return address


def make_people(diary: Diary) -> list[Somebody]:
    """All customers, written down with their contact points and wishes."""
    addresses = Addresses(diary)
    people: list[Somebody] = []
    organisations = diary.some(ORGANISATIONS, len(ORGANISATIONS))
    places = diary.rng.sample(range(max(len(organisations), diary.customers * 3 // 4)), len(organisations))
    joins = dict(zip(sorted(places), organisations, strict=True))
    while len(people) < diary.customers:
        if joins and len(people) >= min(joins):
            people += _organisation(diary, addresses, *joins.pop(min(joins)))
        else:
            people += _household(diary, addresses)
    people = people[: diary.customers]
    _prospects(diary, people)
    for somebody in people:
        _introduce(diary, addresses, somebody)
        _wishes(diary, somebody)
    _corrections(diary, addresses, people)
    _departures(diary, people)
    return people


def _home(diary: Diary) -> Home:
    number = diary.rng.randrange(100, 7400)
    if diary.chance(0.07):
        town, postal, region, place, street, code = diary.rng.choice(ELSEWHERE)
        return Home(f"{number} {street}", town, postal, region, (code,), None if place == "America/Chicago" else place)
    town, postal, streets, codes = diary.rng.choice(TOWNS)
    return Home(f"{number} {diary.rng.choice(streets.split('|'))}", town, postal, "US-IL", codes)


def _names(diary: Diary, last: str = "") -> tuple[str, str, bool]:
    group = diary.rng.choices(PEOPLE, [row.share for row in PEOPLE])[0]
    if last:
        group = next(row for row in PEOPLE if last in row.last.split())
    return diary.rng.choice(group.first.split()), last or diary.rng.choice(group.last.split()), group.spanish


def _household(diary: Diary, addresses: Addresses) -> list[Somebody]:
    """One to three people at one address; in some homes they share a phone, in some a mailbox."""
    size = diary.rng.choices((1, 2, 3), (68, 26, 6))[0]
    home, since = _home(diary), diary.ago(20, 3600)
    household = diary.next_id("H", 3) if size > 1 else None
    first, last, spanish = _names(diary)
    spanish = spanish and diary.chance(0.5)
    members: list[Somebody] = []
    for number in range(size):
        if number:
            first, _, _ = _names(diary, last)
        taken = {member.name for member in members}
        while f"{first} {last}" in taken:
            first, _, _ = _names(diary, last)
        somebody = Somebody(diary.next_id("C"), f"{first} {last}", since, home, spanish, household=household)
        since = min(since + diary.rng.randrange(0, 900) * DAY, diary.today - 20 * DAY)
        members.append(somebody)
    shared = diary.rng.choice(("phone", "mail", ""))
    for somebody in members:
        somebody.email = addresses.mail(somebody.name) if diary.chance(0.88) else ""
        somebody.phone = addresses.phone(home.codes) if diary.chance(0.93) or not somebody.email else ""
        if size > 1 and shared == "phone":
            somebody.phone = members[0].phone
        if size > 1 and shared == "mail":
            somebody.email = members[0].email
    return members


def _organisation(diary: Diary, addresses: Addresses, name: str, domain: str, fleet: int) -> list[Somebody]:
    """A company, and the people there: who signs, who keeps the vans, who pays."""
    organisation, home, since = diary.next_id("O", 2), _home(diary), diary.ago(500, 3600)
    company = Somebody(diary.next_id("C"), name, since, home, organisation=organisation, fleet=fleet)
    company.email, company.phone = f"office@{domain}", addresses.phone(home.codes)
    contacts = []
    for roles in CONTACT_ROLES[: diary.rng.randint(2, 3 if fleet < 6 else 5)]:
        first, last, spanish = _names(diary)
        person = Somebody(diary.next_id("C"), f"{first} {last}", since, home, spanish, organisation, roles=roles)
        person.email, person.phone = addresses.mail(person.name, domain), addresses.phone(home.codes)
        person.since = min(since + diary.rng.randrange(0, 700) * DAY, diary.today - 20 * DAY)
        contacts.append(person)
    return [company, *contacts]


def _prospects(diary: Diary, people: list[Somebody]) -> None:
    """Some have bought nothing yet: they asked for a quote, or came in for a look."""
    alone = [somebody for somebody in people if not somebody.organisation and not somebody.household]
    for somebody in diary.some(alone, 14):
        somebody.prospect = True
        somebody.since = diary.ago(5, 200)


def _introduce(diary: Diary, addresses: Addresses, somebody: Somebody) -> None:
    """The facts that a customer begins with, as the dealer management system has them."""
    at, home = diary.desk(somebody.since), somebody.home
    person = Customer(
        customer=somebody.id,
        at=at,
        name=somebody.name,
        kind="organisation" if somebody.fleet else "person",
        region=home.region,
        postal=str(home),
    )
    extra: dict[str, object] = {
        "organisation": somebody.organisation,
        "household": somebody.household,
        "timezone": home.zone,
        "locale": "es" if somebody.spanish else None,
        "status": "prospect" if somebody.prospect else None,
        "roles": list(somebody.roles) or None,
    }
    for name, value in extra.items():
        if value is not None:
            person = _with(person, name, value)
    teller: Teller = "crm" if somebody.prospect else "dms"
    diary.note(somebody.file, person, teller)
    for point in _points(diary, addresses, somebody):
        diary.note(somebody.file, point, teller)


def _with(person: Customer, name: str, value: object) -> Customer:
    return msgspec.structs.replace(person, **{name: value})


def _points(diary: Diary, addresses: Addresses, somebody: Somebody) -> Iterator[ContactPoint]:
    at = diary.desk(somebody.since)
    if somebody.phone:
        yield ContactPoint(customer=somebody.id, at=at, kind="phone", address=somebody.phone, media=["sms", "voice"])
    if somebody.phone and diary.chance(0.08) and not somebody.household:
        landline = addresses.phone(somebody.home.codes)
        yield ContactPoint(customer=somebody.id, at=at, kind="phone", address=landline, media=["voice"])
    if somebody.email:
        yield ContactPoint(customer=somebody.id, at=at, kind="email", address=somebody.email)


def _wishes(diary: Diary, somebody: Somebody) -> None:
    """What some of them have asked for: how to be reached, what not to be sent, what they are going to do."""
    if somebody.prospect or somebody.fleet:
        return
    day = diary.ago(10, max(11, min(900, (diary.today - somebody.since).days)))
    _preferences(diary, somebody, day)
    _consents(diary, somebody, day)
    if not somebody.roles:
        _customs(diary, somebody, day)
    if diary.chance(0.08):
        _intent(diary, somebody)


def _preferences(diary: Diary, somebody: Somebody, day: date) -> None:
    hours = diary.rng.choice(({"mon-fri": ["17:00-21:00"]}, {"mon-fri": ["09:00-12:00"]}, {"mon-sun": ["10:00-20:00"]}))
    visits = diary.rng.choice(({"mon-fri": ["07:30-09:30"]}, {"sat": ["08:00-13:00"]}, {"tue": ["15:00-18:00"]}))
    if somebody.email and somebody.phone and diary.chance(0.25):
        order = diary.rng.choice((["sms", "email"], ["sms", "email"], ["email", "sms"], ["email"]))
        diary.note("preferences", Preference(customer=somebody.id, at=diary.home(day), media=order), "website")
    if diary.chance(0.07):
        diary.note("preferences", Preference(customer=somebody.id, at=diary.desk(day), contact_hours=hours), "said")
    if diary.chance(0.14):
        diary.note("preferences", Preference(customer=somebody.id, at=diary.home(day), visit_hours=visits), "website")


# How often somebody said it: medium, purpose, topic, yes or no, and by what means.
CONSENTS = (
    (0.16, "sms", "marketing", None, True, "checkbox on the service form"),
    (0.05, "sms", "sales", None, True, "checkbox on the service form"),
    (0.05, "sms", "*", None, False, "texted STOP"),
    (0.07, "email", "marketing", None, False, "unsubscribe link"),
    (0.03, "*", "*", "sales", False, "said so at the desk"),
    (0.03, "*", "survey", None, False, "unsubscribe link"),
    (0.02, "voice", "*", None, False, "said so on the phone"),
    (0.012, "*", "*", None, False, "letter"),
)


def _consents(diary: Diary, somebody: Somebody, day: date) -> None:
    for share, medium, purpose, topic, granted, method in CONSENTS:
        if (
            not diary.chance(share)
            or (medium == "sms" and not somebody.phone)
            or (medium == "email" and not somebody.email)
        ):
            continue
        at = diary.desk(day)
        wording = "Yes, text me offers. Reply STOP to end." if granted else None
        consent = Consent(
            customer=somebody.id,
            at=at,
            medium=medium,
            purpose=purpose,
            topic=topic,
            granted=granted,
            method=method,
            text=wording,
        )
        diary.note("preferences", consent, "said" if method.startswith("said") or method == "letter" else "website")
        if not granted and medium == "sms" and diary.chance(0.3):
            again = msgspec.structs.replace(
                consent, at=diary.home(diary.ago(2, 9)), granted=True, method="texted START"
            )
            diary.note("preferences", again, "website")


def _customs(diary: Diary, somebody: Somebody, day: date) -> None:
    told: dict[str, str | float | int | bool | None] = {}
    if diary.chance(0.14):
        told["winter_driving"] = diary.rng.choice(
            [words for words in WINTERS if somebody.spanish or "manejo" not in words]
        )
    if diary.chance(0.34):
        told["shares_mileage"] = True
    if diary.chance(0.1):
        told["waits_in_lounge"] = True
    if told:
        diary.note("preferences", Custom(customer=somebody.id, at=diary.desk(day), facts=told), "said")
    kept: dict[str, str | float | int | bool | None] = {}
    if diary.chance(0.3):
        kept["loyalty_tier"] = diary.rng.choice(("blue", "blue", "silver", "gold"))
    if diary.chance(0.06):
        kept["referred_by"] = diary.rng.choice(("a neighbor", "her brother", "a colleague", "the parish bulletin"))
    if kept:
        diary.note("preferences", Custom(customer=somebody.id, at=diary.desk(day), facts=kept), "crm")


def _intent(diary: Diary, somebody: Somebody) -> None:
    topic, stance, length, words = diary.rng.choice(INTENTS)
    until = diary.today + diary.rng.randrange(60, 900) * DAY if stance == "not_before" else None
    at = diary.desk(diary.ago(5, max(6, min(1400, (diary.today - somebody.since).days))))
    intent = Intent(customer=somebody.id, at=at, topic=topic, stance=stance, until=until, for_=length, words=words)
    diary.note("preferences", intent, "said")


def _corrections(diary: Diary, addresses: Addresses, people: list[Somebody]) -> None:
    """Somebody puts an address right, and a later import brings the wrong one back."""
    settled = [person for person in people if person.email and not person.household and _known(diary, person) > 400]
    for person in diary.some(settled, 12):
        corrected, again = diary.ago(120, 380), diary.ago(3, 100)
        right = person.email.replace("@", f"{diary.rng.randrange(60, 99)}@")
        _correct(diary, person, ("email", person.email, right), corrected, again)
    numbers = [person for person in people if person.phone and not person.household and _known(diary, person) > 400]
    for person in diary.some(numbers, 8):
        right = addresses.phone(person.home.codes)
        _correct(diary, person, ("phone", person.phone, right), diary.ago(120, 380), diary.ago(3, 100))
    for person in diary.some(
        [one for one in settled if not one.fleet], 6
    ):  # moved, and still written to where they were
        new = _home(diary)
        moved = Customer(customer=person.id, at=diary.home(diary.ago(60, 300)), postal=str(new), region=new.region)
        diary.note(person.file, moved, "website")
        back = Customer(customer=person.id, at=diary.desk(diary.ago(3, 50)), postal=str(person.home))
        diary.note(person.file, back, "dms")
    for person in diary.some([one for one in settled if not one.fleet], 4):
        first, _, last = person.name.rpartition(" ")
        wrong, when = f"{first} {last[:-1]}", diary.ago(150, 300)
        diary.note(person.file, Customer(customer=person.id, at=diary.desk(when - 60 * DAY), name=wrong), "dms")
        diary.note(person.file, Customer(customer=person.id, at=diary.home(when), name=person.name), "website")
        diary.note(person.file, Customer(customer=person.id, at=diary.desk(diary.ago(4, 90)), name=wrong), "dms")


def _known(diary: Diary, person: Somebody) -> int:
    return (diary.today - person.since).days


def _correct(diary: Diary, person: Somebody, change: tuple[str, str, str], when: date, again: date) -> None:
    kind, wrong, right = change
    at = diary.home(when)
    media = ["sms", "voice"] if kind == "phone" else None
    new = ContactPoint(customer=person.id, at=at, kind="email", address=right, primary=True)
    if kind == "phone":
        new = ContactPoint(customer=person.id, at=at, kind="phone", address=right, media=media, primary=True)
    old = msgspec.structs.replace(new, address=wrong, valid=False, primary=False)
    diary.note(person.file, new, "website")
    diary.note(person.file, old, "website")
    back = msgspec.structs.replace(old, at=diary.desk(again), valid=True, primary=True)
    diary.note(person.file, back, "dms")


def _departures(diary: Diary, people: list[Somebody]) -> None:
    """A few have moved away for good, sold the car, or died; some stand in the books twice."""
    old = [
        person for person in people if person.since < diary.today - 900 * DAY and not person.fleet and not person.roles
    ]
    leavers = diary.some(old, 14)
    dead = leavers[: max(1, len(leavers) // 4)]
    for person in leavers:
        person.gone = True
        status, teller = ("deceased", "said") if person in dead else ("former", "desk")
        fact = Customer(customer=person.id, at=diary.desk(diary.ago(8, 500)), status="former")
        diary.note(person.file, msgspec.structs.replace(fact, status=status), "said" if teller == "said" else "desk")
    stay = [
        person
        for person in people
        if person.phone and not (person.gone or person.fleet or person.roles or person.household)
    ]
    for person in diary.some(stay, 2):
        twin = diary.next_id("C")
        at = diary.desk(diary.ago(30, 200))
        diary.note("customers", Customer(customer=twin, at=at, name=person.name.upper(), kind="person"), "crm")
        diary.note("customers", ContactPoint(customer=twin, at=at, kind="phone", address=person.phone), "crm")
        joined = Customer(customer=twin, at=diary.desk(diary.ago(3, 25)), same_as=person.id)
        diary.note("customers", joined, "desk")
