"""The timing proof of a whole deployment: two years of starts, every zone in use, every step, every preparation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from commsched.app import App
from commsched.check.messages import media_of
from commsched.check.report import line_of
from commsched.check.steps import SERVICES
from commsched.errors import Problem, StoreError
from commsched.planning.isolation import watched
from commsched.planning.occasions import LONG, MINUTE, starts
from commsched.planning.prep import tellers
from commsched.planning.proof import Proof, Prover
from commsched.planning.search import Example
from commsched.planning.world import World
from commsched.rules.rule import Prep, Rule, Service, Step
from commsched.rules.steps import NO_ANSWER
from commsched.store import queries
from commsched.store.store import Store
from commsched.timing.civil import clock_changes, start_of_day, zone
from commsched.timing.places import zones_of_region
from commsched.timing.windows import Span, Windows

YEARS = timedelta(days=731)


@dataclass(frozen=True, slots=True)
class Proved:
    """What was proved, what was not, and what to know besides."""

    proofs: tuple[Proof, ...]
    problems: tuple[Problem, ...]
    warnings: tuple[str, ...]


# Told how much of the work is done (from 0 to 1) and what comes next.
Progress = Callable[[float, str], None]


def prove(app: App, world: World, progress: Progress = lambda *_: None) -> Proved:
    """Prove every step of every rule of a deployment that can be loaded."""
    now = app.clock.now().replace(second=0, microsecond=0)
    within = (now, now + YEARS)
    around = (now - 2 * LONG, now + YEARS + 3 * LONG)
    # That a calendar cannot be read is said elsewhere.
    read = {name: app.snapshot(name, around, now) for name in app.calendars}
    snapshots = {name: snapshot for name, snapshot in read.items() if snapshot.usable}
    world = replace(world, calendars={name: snapshots[name] for name in world.calendars if name in snapshots})
    open_times = {name: snapshot.open for name, snapshot in snapshots.items()}
    prover = Prover(world, within, zones_in_use(app), open_times)
    steps = [(rule, step) for rule in app.rules for step in rule.steps if step.template is not None]
    proofs: list[Proof] = []
    with watched(10 * world.time_limit):
        for number, (rule, step) in enumerate(steps):
            progress(number / len(steps), f"{rule.name}, {step.name}")
            proofs += prover.prove(rule, step, media_of(app, step))
    problems = [_problem(app, proof, proof.unanswered) for proof in proofs if proof.unanswered is not None]
    problems += _untold(app, world, open_times, within)
    warnings = [f"the policy {name} could not be asked for years ahead: {why}" for name, why in prover.failed.items()]
    return Proved(tuple(proofs), tuple(problems), (*warnings, *_vetoes(app, world), *_sometimes(app)))


def zones_in_use(app: App) -> tuple[tuple[ZoneInfo, ...], ...]:
    """By whose clocks customers may live: the place's, the departments', the region's, and those of known customers."""
    settings = app.configuration.deployment
    found: list[tuple[ZoneInfo, ...]] = [(settings.zone,), *((one.zone,) for one in app.departments.values())]
    found += [zones for region in (settings.region,) if (zones := zones_of_region(region))]
    today = app.clock.now().date()
    known = reversed((*found, *_stated(app)))
    seen = {frozenset(_ways(place, today) for place in zones): zones for zones in known}
    return tuple(seen.values())[::-1]


def _ways(place: ZoneInfo, today: date) -> tuple[object, ...]:
    """How a clock goes in the years of the proof: many zones have names of their own and go alike."""
    moments = (start_of_day(today, place), *clock_changes(place, today - YEARS, today + 3 * YEARS))
    return tuple((at, at.astimezone(place).utcoffset()) for at in moments)


def _stated(app: App) -> Iterator[tuple[ZoneInfo, ...]]:
    """The zones that customers in the store have, by their own word or by their region. Looks, and writes nothing."""
    store = Store(app.configuration.deployment.store, folder=app.folder)
    if store.sqlite and not (store.url.database and (app.folder / str(store.url.database)).is_file()):
        return
    try:
        with store.read() as connection:
            stated = queries.places(connection)
    except StoreError:
        return
    finally:
        store.close()
    for timezone, region in stated:
        found = (zone(timezone),) if timezone else zones_of_region(region or "")
        if found:
            yield found


def _problem(app: App, proof: Proof, example: Example) -> Problem:
    rule, step = proof.rule, proof.step
    fix = "too_late" if step.prep is not None else "otherwise"
    message = f"{step.name} has no answer for some cases; let `{fix}` make a task, or give it more time"
    line = line_of(app.folder, rule.file, "step:", step.name)
    return Problem(rule.file, line, NO_ANSWER, message, in_words(app, proof.service, proof, example))


def in_words(app: App, service: Service | None, proof: Proof, example: Example) -> str:
    """A counterexample as a sentence; times are the place's."""
    place = app.configuration.deployment.zone
    started = _began(proof.rule, example, place)
    times = example.times
    if proof.step.prep is not None and times.telling is not None:
        begins = _when(times.telling.begins[proof.step.prep], place)
        why = f"{proof.step.prep} begins {begins} and must be told by {_when(times.deadline, place)}"
    else:
        why = f"{proof.step.name} may go from {_when(times.opens, place)} to {_when(times.deadline, place)}"
    where = "" if example.zones == (place,) else f", for customers in {' or '.join(map(str, example.zones))}"
    about = f" ({service.name})" if service is not None else ""
    return f"{started}{about}: {why}; on {example.medium} nothing tells the customer{where}"


def _began(rule: Rule, example: Example, place: ZoneInfo) -> str:
    if rule.trigger.kind == "appointment" and isinstance(example.main, datetime):
        return f"booked {full(example.born, place)} for {full(example.main, place)}"
    if isinstance(example.main, datetime):
        return f"{rule.trigger.kind.replace('_', ' ')} on {full(example.main, place)}"
    return f"{rule.trigger.kind.replace('_', ' ')} on {example.main:%a} {example.main.day} {example.main:%b %Y}"


def full(at: datetime | date, place: ZoneInfo) -> str:
    """``Fri 27 Nov 2026 17:10``."""
    there = (at if isinstance(at, datetime) else start_of_day(at, place)).astimezone(place)
    return f"{there:%a} {there.day} {there:%b %Y %H:%M}"


def _when(at: datetime, place: ZoneInfo) -> str:
    there = at.astimezone(place)
    return f"{there:%a} {there.day} {there:%b %H:%M}"


def _untold(app: App, world: World, open_times: dict[str, Windows], within: Span) -> Iterator[Problem]:
    """Preparations that no rule tells."""
    for service in app.services.values():
        for prep in service.prep:
            if not tellers(app.rules, service, prep.id):
                line = line_of(app.folder, SERVICES, prep.id)
                message = f"no rule tells customers of {service.id} to prepare: add a step with `prep: {prep.id}`"
                example = _untold_example(app, world, service, prep, open_times, within)
                yield Problem(SERVICES, line, "prep_untold", message, example)


def _sometimes(app: App) -> Iterator[str]:
    """Preparations that are told under conditions only, so that somebody may be told by nobody."""
    for service in app.services.values():
        for prep in service.prep:
            told = tellers(app.rules, service, prep.id)
            what = f"{prep.id} of {service.id}"
            if told and not any(not rule.trigger.values or "confirmed" in rule.trigger.values for rule, _ in told):
                yield f"{what} is not told to who confirms before the message goes: add `confirmed` to the status"
            asked = {_condition(rule, step) for rule, step in told}
            if told and "" not in asked and not any(f"!({one})" in asked for one in asked):
                rules = ", ".join(dict.fromkeys(rule.name for rule, _ in told))
                yield f"{what} is told on conditions only (in {rules}); nobody else is told of it"


def _condition(rule: Rule, step: Step) -> str:
    """When a step does not speak to everybody, in words that can be compared."""
    parts = [one.text for one in (rule.when, step.unless) if one is not None]
    parts += [rule.to.role or "guardian"] if rule.to is not None and rule.when is None else []
    return " && ".join(parts)


def _untold_example(
    app: App, world: World, service: Service, prep: Prep, open_times: dict[str, Windows], within: Span
) -> str | None:
    place = app.configuration.deployment.zone
    hours = open_times.get(service.calendar) if service.calendar else None
    found = starts(hours, service.duration, (within[0] + timedelta(days=14), within[1]))
    if not found:
        return None
    start = next(iter(found))[0]
    business = world.business(next(iter(app.departments)))
    begins = prep.begins.resolve({"start": start, "end": start + service.duration}, (place,), business)
    told = f"{prep.id} begins {_when(begins, place)}; " if begins is not None else ""
    booked, begun = full(within[0], place), full(start, place)
    return f"booked {booked} for {begun} ({service.name}): {told}nothing tells the customer"


def _vetoes(app: App, world: World) -> Iterator[str]:
    """Steps that tell a preparation, of which a policy may forbid the message, and nobody would be told."""
    for rule in app.rules:
        chain = world.chain(rule.purpose, rule.topic, rule.department)
        names = [applied.name for applied in chain if applied.policy.code.force == "must_not"]
        for step in rule.steps:
            if step.prep is not None and step.on_veto is None and names:
                told = f"the step {step.name} of {rule.name} has no `on_veto`"
                yield f"{told}: if {' or '.join(names)} forbids the message, nobody tells the customer of {step.prep}"


def lead_in_words(lead: timedelta) -> str:
    """A lead as one would type it, to the next minute: ``98h 2m``; less than nothing has a minus."""
    hours, rest = divmod(abs(-(-lead // MINUTE)), 60)
    text = " ".join(part for part in (f"{hours}h" if hours else "", f"{rest}m" if rest else "") if part) or "0m"
    return text if lead >= timedelta() else f"-{text}"
