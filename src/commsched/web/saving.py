"""What a customer saves on the page of preferences: each thing becomes a fact of theirs, of the highest rank."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import time
from typing import Any

from msgspec import UNSET

from commsched.app import App
from commsched.delivery.answers import SOURCE
from commsched.errors import FactRejected
from commsched.model.consents import permission
from commsched.model.facts import AnyFact, Consent, ContactPoint, Customer, Intent, Preference, Reading, Unit
from commsched.planning import contact
from commsched.web.letters import Letter
from commsched.web.wishes import ALWAYS_TOLD, DAYS, YEARS

Form = Mapping[str, str]
# A meter has no more digits.
DIGITS = 8


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


def _common(letter: Letter) -> dict[str, Any]:
    return {
        "at": letter.now,
        "recorded_at": letter.now,
        "customer": letter.message.customer,
        "source": SOURCE,
        "stated_by": "customer",
    }


def _save_topics(_: App, letter: Letter, form: Form) -> Iterator[AnyFact]:
    for name, parent in letter.world.vocabulary.topics.items():
        if parent is None and name not in ALWAYS_TOLD:
            wanted = f"topic-{name}" in form
            said = permission(
                letter.state.consents, medium="*", purpose="*", topic=name, vocabulary=letter.world.vocabulary
            )
            if wanted != (said is not False):
                yield Consent(
                    **_common(letter), medium="*", purpose="*", topic=name, granted=wanted, method="preferences"
                )


def _save_media(_: App, letter: Letter, form: Form) -> Iterator[AnyFact]:
    first = form.get("medium", "")
    if first not in letter.world.channels:
        raise FactRejected("medium", "choose one of those that are shown")
    others = [one for one in letter.state.profile.media if one != first]
    yield Preference(**_common(letter), media=[first, *others])


def _save_hours(_: App, letter: Letter, form: Form) -> Iterator[AnyFact]:
    days = [day for day in DAYS if f"day-{day}" in form]
    begins, ends = form.get("begins", ""), form.get("ends", "")
    if not days:
        raise FactRejected("days", "choose a day on which you may be reached")
    hours = f"{_clock(begins, '00:00')}-{_clock(ends, '24:00')}"
    everything = len(days) == len(DAYS) and hours == "00:00-24:00"
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
    text = form.get("value", "").strip().replace(",", "").replace(".", "").replace(" ", "")
    if not text.isdecimal() or len(text) > DIGITS:
        raise FactRejected("reading", "write the number on the meter, such as 41200")
    unit: Unit = "mi" if app.configuration.deployment.units == "mi" else "km"
    yield Reading(**_common(letter), asset=_owned(letter, form), value=float(text), unit=unit)


def _save_name(_: App, letter: Letter, form: Form) -> Iterator[AnyFact]:
    name = " ".join(form.get("value", "").split())
    if not name:
        raise FactRejected("name", "write your name")
    common = _common(letter)
    yield Customer(**{**common, "customer": None}, id=common["customer"], name=name)


def _save_address(kind: str) -> Callable[[App, Letter, Form], Iterator[AnyFact]]:
    medium = "email" if kind == "email" else "sms"

    def save(_: App, letter: Letter, form: Form) -> Iterator[AnyFact]:
        new, old = form.get("value", "").strip(), contact.best(letter.state.contacts, medium)
        if not new:
            raise FactRejected(kind, "write the new one")
        media = list(old.media) if old is not None and old.media else UNSET
        yield ContactPoint(**_common(letter), kind=kind, address=new, valid=True, primary=True, media=media)  # type: ignore[arg-type]
        if old is not None and old.address != new:
            yield ContactPoint(**_common(letter), kind=kind, address=old.address, valid=False, primary=False)  # type: ignore[arg-type]

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
