"""What a customer saves on the page of preferences: each thing becomes a fact of theirs, of the highest rank."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import time, timedelta
from typing import Literal

from commsched.app import App
from commsched.delivery.answers import Stated, no_more, refusal, stated, taken_back
from commsched.errors import FactRejected
from commsched.model.facts import AnyFact, ContactPoint, Customer, Intent, Preference, Reading, Reply, Unit
from commsched.replies.meaning import meaning
from commsched.timing.civil import WEEKDAYS
from commsched.web.letters import Letter
from commsched.web.wishes import ALWAYS_TOLD, YEARS

Form = Mapping[str, str]
# A new address is for a person to see to; nobody gives them more of that in a day by one link.
ADDRESSES, A_DAY = 3, timedelta(days=1)
# No meter shows more.
HIGHEST = 1e7


def saved(app: App, letter: Letter, form: Form) -> list[AnyFact] | None:
    """The facts that a form states; ``None`` if it is none of ours.

    Raises :class:`FactRejected`, with what is wrong.
    """
    handler = _FORMS.get(form.get("what", ""))
    if handler is None:
        return None
    facts = list(handler(app, letter, form))
    for fact in facts:
        app.checker.check(fact)
    return facts


def too_often(letter: Letter, form: Form) -> bool:
    """Whether so many new addresses were given by this link today that somebody should call."""
    since = letter.now - A_DAY
    given = [one for one in letter.state.replies if one.key == letter.message.key and one.meaning == "unclear"]
    return form.get("what") in {"email", "phone"} and sum(one.at > since for one in given) >= ADDRESSES


def _common(letter: Letter) -> Stated:
    return stated(letter.message.customer, letter.now, letter.now)


def _save_topics(_: App, letter: Letter, form: Form) -> Iterator[AnyFact]:
    """What is not ticked is refused; a tick takes that refusal back, and lifts no other."""
    for name, parent in letter.world.vocabulary.topics.items():
        if parent is None and name not in ALWAYS_TOLD:
            refused = no_more(letter.message.customer, letter.now, "preferences", topic=name)
            wanted = f"topic-{name}" in form
            yield from taken_back(refused, letter.state) if wanted else refusal(refused, letter.state)


def _save_media(_: App, letter: Letter, form: Form) -> Iterator[AnyFact]:
    first = form.get("medium", "")
    if first not in letter.world.channels:
        raise FactRejected("medium", "choose one of those that are shown")
    others = [one for one in letter.state.profile.media if one != first]
    yield Preference(**_common(letter), media=[first, *others])


def _save_hours(_: App, letter: Letter, form: Form) -> Iterator[AnyFact]:
    days = [day for day in WEEKDAYS if f"day-{day}" in form]
    begins, ends = form.get("begins", ""), form.get("ends", "")
    if not days:
        raise FactRejected("days", "choose a day on which you may be reached")
    hours = f"{_clock(begins, '00:00')}-{_clock(ends, '24:00')}"
    everything = len(days) == len(WEEKDAYS) and hours == "00:00-24:00"
    yield Preference(**_common(letter), contact_hours=None if everything else {day: [hours] for day in days})


def _clock(text: str, default: str) -> str:
    if not text:
        return default
    try:
        return time.fromisoformat(text).strftime("%H:%M")
    except ValueError:
        raise FactRejected("hours", "write a time such as 17:00") from None


def _save_language(app: App, letter: Letter, form: Form) -> Iterator[AnyFact]:
    settings, wanted = app.configuration.deployment, form.get("language", "")
    if wanted not in (settings.locales or (settings.locale,)):
        raise FactRejected("language", "choose one of those that are shown")
    yield Preference(**_common(letter), language=wanted)


def _save_keeping(app: App, letter: Letter, form: Form) -> Iterator[AnyFact]:
    topic, years, asset = app.configuration.pages.keeping, form.get("years", ""), _owned(letter, form)
    if not topic or not (years.isdecimal() and 0 < int(years) <= YEARS[-1]):
        raise FactRejected("years", "choose how many years")
    said = f"keeps it {int(years)} years"
    yield Intent(**_common(letter), topic=topic, stance="never", for_=f"{int(years)}y", asset=asset, words=said)


def _save_reading(app: App, letter: Letter, form: Form) -> Iterator[AnyFact]:
    said = meaning(form.get("value", ""))
    if said.kind != "number" or said.number is None or said.number >= HIGHEST:
        raise FactRejected("reading", "write the number on the meter, such as 41200")
    ours: Unit = "mi" if app.configuration.deployment.units == "mi" else "km"
    unit: Unit = "km" if said.unit == "km" else "mi" if said.unit == "mi" else ours
    yield Reading(**_common(letter), asset=_owned(letter, form), value=said.number, unit=unit)


def _save_name(_: App, letter: Letter, form: Form) -> Iterator[AnyFact]:
    name = " ".join(form.get("value", "").split())
    if not name:
        raise FactRejected("name", "write your name")
    yield Customer(**stated(None, letter.now, letter.now), id=letter.message.customer, name=name)


def _save_address(kind: str) -> Callable[[App, Letter, Form], Iterator[AnyFact]]:
    def save(app: App, letter: Letter, form: Form) -> Iterator[AnyFact]:
        new = form.get("value", "").strip()
        if not new:
            raise FactRejected(kind, "write the new one")
        point: Literal["email", "phone"] = "email" if kind == "email" else "phone"
        app.checker.check(ContactPoint(**_common(letter), kind=point, address=new))
        # Whoever has a link must not be able to send all that follows to themselves: a person makes sure who it is.
        yield Reply(
            **_common(letter),
            medium=letter.message.medium or "",
            key=letter.message.key,
            text=f"My new {'mail address' if kind == 'email' else 'phone number'} is {new}",
            meaning="unclear",
        )

    return save


def _owned(letter: Letter, form: Form) -> str:
    asset = form.get("asset", "")
    if asset not in letter.state.assets:
        raise FactRejected("asset", "choose one of yours")
    return asset


_FORMS: Mapping[str, Callable[[App, Letter, Form], Iterator[AnyFact]]] = {
    "topics": _save_topics,
    "media": _save_media,
    "hours": _save_hours,
    "language": _save_language,
    "keeping": _save_keeping,
    "reading": _save_reading,
    "name": _save_name,
    "email": _save_address("email"),
    "phone": _save_address("phone"),
}
