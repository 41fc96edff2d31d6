"""Rules against the clock, the channels and the store; policies against the words that are declared."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from difflib import get_close_matches

from commsched.app import App
from commsched.check.messages import media_of
from commsched.check.rehearsal import first_days
from commsched.check.report import line_of
from commsched.config import FILE
from commsched.errors import Problem, StoreError
from commsched.instance import InstanceSettings
from commsched.model.vocabulary import MEDIA
from commsched.planning.world import World
from commsched.rules.rule import Rule, Step, TriggerKind
from commsched.store import queries
from commsched.store.store import Store

SERVICES = "config/services.yaml"
_AT = datetime(2026, 6, 15, 15, tzinfo=UTC)
_DAY = timedelta(days=1)


def step_problems(app: App, world: World) -> Iterator[Problem]:
    """Steps that could never go: too early a deadline, or no channel."""
    for rule in app.rules:
        for step in rule.steps:
            line = line_of(app.folder, rule.file, "step:", step.name)
            if step.template is not None and not media_of(app, step):
                message = f"no channel serves {', '.join(step.media)}; {step.name} could never go"
                yield Problem(rule.file, line, "no_channel", message)
            for message in _times(rule, step, app, world):
                yield Problem(rule.file, line, "times", message)


def _times(rule: Rule, step: Step, app: App, world: World) -> Iterator[str]:
    """The order of the step's times, for an ordinary occurrence."""
    if step.prep is not None or step.deadline is None:
        return
    anchors, zones = _anchors(rule), (app.configuration.deployment.zone,)
    business = world.business(rule.department)
    ideal = step.at.resolve(anchors, zones, business)
    deadline = step.deadline.resolve(anchors, zones, business, end_of_day=True)
    opens = step.not_before.resolve(anchors, zones, business) if step.not_before is not None else ideal
    if ideal is None or deadline is None or opens is None:
        return
    if deadline < ideal:
        yield f"the deadline of {step.name} is before its ideal time"
    if opens > ideal:
        yield f"not_before of {step.name} is after its ideal time"


def _anchors(rule: Rule) -> Mapping[str, datetime | date]:
    day = _AT.date()
    season = rule.trigger.season
    opens, closes = (date(2026, *season[0]), date(2026, *season[1])) if season else (day, day + 90 * _DAY)
    found: dict[TriggerKind, Mapping[str, datetime | date]] = {
        "service_due": {"due": day, "last": day - 365 * _DAY},
        "appointment": {
            "start": _AT,
            "end": _AT + _DAY / 24,
            "booked": _AT - 10 * _DAY,
            "changed": _AT - 5 * _DAY,
        },
        "obligation": {"due": day},
        "case": {"opened": _AT, "closed": _AT},
        "commitment": {"due": _AT, "kept": _AT, "moved": _AT - _DAY},
        "hold": {"until": _AT, "began": _AT - 10 * _DAY},
        "season": {"opens": opens, "closes": closes if closes > opens else closes.replace(year=2027)},
    }
    return found.get(rule.trigger.kind, {"event": _AT})


def policy_problems(app: App) -> Iterator[Problem]:
    """Words in what a policy applies to that nobody has declared."""
    words = app.vocabulary
    known: Mapping[str, Collection[str]] = {
        "purposes": words.purposes,
        "topics": words.topics,
        "departments": app.configuration.departments,
        "media": MEDIA,
    }
    for policy in app.configuration.policies:
        for field, declared in known.items():
            for name in getattr(policy, field) or ():
                if name not in declared:
                    yield _undeclared(app, policy, field, name, declared)


def _undeclared(app: App, policy: InstanceSettings, field: str, name: str, known: Collection[str]) -> Problem:
    close = get_close_matches(name, known, 1)
    hint = f"did you mean {close[0]!r}?" if close else f"there is {', '.join(sorted(known)) or 'none'}"
    line = line_of(app.folder, str(FILE), field, f'"{name}"')
    return Problem(
        str(FILE), line, "undeclared", f"{policy.label}: {field} has {name!r}, which is not declared; {hint}"
    )


def calendar_problems(app: App) -> Iterator[Problem]:
    """Calendars that cannot be read."""
    now = app.clock.now()
    for name in app.calendars:
        snapshot = app.snapshot(name, (now, now + 365 * _DAY), now)
        if snapshot.stale:
            line = line_of(app.folder, str(FILE), f'"{name}"')
            yield Problem(str(FILE), line, "calendar", f"the calendar {name} cannot be read: {snapshot.problem}")


def service_problems(app: App) -> Iterator[Problem]:
    """Services whose calendar is not declared."""
    for service in app.services.values():
        if service.calendar is not None and service.calendar not in app.calendars:
            close = get_close_matches(service.calendar, app.calendars, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"there is {', '.join(sorted(app.calendars)) or 'none'}"
            message = f"the service {service.id} uses the calendar {service.calendar!r}, which is not declared; {hint}"
            line = line_of(app.folder, SERVICES, "calendar:", service.calendar)
            yield Problem(SERVICES, line, "unknown_calendar", message)


def purposes_without_policy(app: App, world: World) -> Iterator[str]:
    """Purposes of rules that nothing stands in the way of."""
    for rule in app.rules:
        if not world.chain(rule.purpose, rule.topic, rule.department):
            yield f"no policy applies to messages of the purpose {rule.purpose}, such as those of {rule.name}"


def vanished_rules(app: App) -> Iterator[Problem]:
    """Rules that the store knows and the deployment has no more. Looks, and writes nothing."""
    store = Store(app.configuration.deployment.store, folder=app.folder)
    if store.sqlite and not _is_file(app, store):
        return
    try:
        with store.read() as connection:
            known = queries.rules(connection)
    except StoreError as error:
        yield Problem(str(FILE), line_of(app.folder, str(FILE), "store"), "store", f"the store cannot be read: {error}")
        return
    finally:
        store.close()
    named = {name for rule in app.rules for name in (rule.name, *rule.was)}
    for name in sorted(known.keys() - named):
        close = get_close_matches(name, [rule.name for rule in app.rules], 1)
        hint = f"write `was: [{name}]` in the rule that took its place" + (f", {close[0]} perhaps" if close else "")
        message = f"the rule {name} has gone, and with it the memory of what it has sent; {hint}, or bring it back"
        yield Problem("config/rules", None, "rule_vanished", message)


def rules_to_come(app: App) -> Iterator[str]:
    """What rules that changed would do on their first day, where there is a store that knew them. Writes nothing."""
    store = Store(app.configuration.deployment.store, folder=app.folder)
    try:
        if store.sqlite and not _is_file(app, store):
            return
        limit = app.configuration.deployment.first_day
        for one in first_days(app, store):
            more = f"; `run` and `tick` will want --accept {one.customers}" if one.customers > limit else ""
            yield f"{one}{more}"
    except StoreError:
        return  # it is told as a problem, or is brought up to date at the next start
    finally:
        store.close()


def _is_file(app: App, store: Store) -> bool:
    return bool(store.url.database) and (app.folder / str(store.url.database)).is_file()
