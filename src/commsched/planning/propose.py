"""Proposing: what the rules would like to say to a customer, before any policy has had its say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import msgspec
from msgspec.structs import replace

from commsched.model.decisions import Proposal, Reason, TaskDecision
from commsched.model.facts import Sent
from commsched.model.state import Profile, State
from commsched.model.subjects import key_of
from commsched.planning import contact
from commsched.planning.fold import MOVE
from commsched.planning.ledger import Ledger
from commsched.planning.occurrence import Occurrence
from commsched.planning.occurrences import Subjects
from commsched.planning.outlook import ALWAYS
from commsched.planning.prep import Telling, last_told, name_in, shown
from commsched.planning.reach import FIRST, Bounds
from commsched.planning.times import GRACE, Times, times_of
from commsched.planning.world import World
from commsched.rules.rule import Rule, Step

CORRECTIONS = ("moved", "cancelled")
KEY_PARTS = 5
# What these triggers are about is a day, which stays what it was.
DATED = frozenset({"season", "schedule"})


class Wanted(msgspec.Struct, frozen=True, gc=False):
    """A proposal and where it comes from; ``after`` is the key it must follow, ``depth`` how many steps it follows."""

    proposal: Proposal
    rule: Rule
    step: Step
    occurrence: Occurrence
    after: str | None = None
    depth: int = 0


class Proposer:
    """The proposals and tasks of one customer at one instant, and when new ones come into reach."""

    def __init__(self, ledger: Ledger, state: State, world: World, now: datetime) -> None:
        self.state, self.world, self.now = state, world, now
        self.zones = contact.zones(state, world)
        self.subjects = Subjects(state, world, now, self.zones[0])
        self.sent = (*state.sent, *(way.sent for way in ledger.under_way))
        self.settled = {part for sent in self.sent for part in sent.parts}
        self.failed = {(fact.key, fact.medium) for fact in state.undelivered}
        spoken = (done for done in state.tasks_done if done.told and done.outcome != "unreached")
        self.told = {(*_about(done.task), done.told) for done in spoken}
        self.tells = last_told(self.sent)
        self.tasks: list[TaskDecision] = []
        self.next_reach: datetime | None = None

    def wanted(self) -> Iterator[Wanted]:
        """Every message that a rule would like to send within the horizon; fills ``tasks`` on the way."""
        if self.state.profile.status == "deceased":
            return
        for rule in self.world.rules:
            if not self.subjects.knows(rule):
                continue
            role = rule.to.role if rule.to is not None else None
            if role is not None and role not in self.state.profile.roles:
                continue
            bounds = self.world.bounds(rule, self.now)
            for occurrence in self.subjects.of(rule, bounds):
                if (role is not None or not self._shared(occurrence)) and self._in_reach(bounds, occurrence):
                    yield from self._of(rule, occurrence)

    def _shared(self, occurrence: Occurrence) -> bool:
        """Whether it is about something of the organisation's, of which only a rule for a role speaks."""
        shared = self.state.shared
        asset = occurrence.asset
        return bool(shared) and (
            occurrence.subject in shared or occurrence.id in shared or (asset is not None and asset.id in shared)
        )

    def _told_otherwise(self, key: str, name: str) -> bool:
        """Whether a person has said it, in the course of a task of this very occurrence."""
        return bool(self.told) and (*_about(key), name) in self.told

    def _untold(self, rule: Rule, step: Step, occurrence: Occurrence, found: Telling) -> dict[str, datetime]:
        """The preparations of a step that the customer has not been told of, by nobody and in no message."""
        key, known = self._key(rule.name, step, occurrence), self.tells
        return {
            prep: begins
            for prep, begins in found.begins.items()
            if not ((told := known.get(name_in(occurrence.subject, prep))) and told.holds(begins, found.limits[prep]))
            and not self._told_otherwise(key, prep)
        }

    def _told_others(self, key: str, rule: Rule) -> bool:
        """Whether as many colleagues as the rule wants have been told already."""
        return (
            rule.to is not None
            and rule.to.role is not None
            and self.state.told_others.get(key.partition("/")[2], 0) >= rule.to.at_most
        )

    def _in_reach(self, bounds: Bounds, occurrence: Occurrence) -> bool:
        anchors = [_instant(at) for name in bounds.anchors if (at := occurrence.anchors.get(name)) is not None]
        if max(anchors, default=self.now) < bounds.earliest:
            return False
        first = min(anchors, default=self.now)
        if first > bounds.latest:
            self._reach_at(first - bounds.lead)
            return False
        return True

    def _reach_at(self, at: datetime) -> None:
        if at > self.now and (self.next_reach is None or at < self.next_reach):
            self.next_reach = at

    def _of(self, rule: Rule, occurrence: Occurrence) -> Iterator[Wanted]:
        variables = self.subjects.variables(occurrence, rule)
        if not _applies(rule, variables):
            return
        for step in rule.steps:
            if step.unless is not None and step.unless.holds(variables) is not False:
                continue
            if self._open(rule, step, occurrence):
                yield from self._step(rule, step, occurrence, variables)

    def has_reason(self, key: str) -> bool:
        """Whether what a task of this key is about still is so, however long ago it came up.

        A task of a rule that there is no more, or of none, is its owner's to end; so is one that hangs on a date.
        """
        parts = [unquote(part) for part in key.split("/")]
        rule = self.world.rule(parts[1]) if len(parts) == KEY_PARTS else None
        if rule is None or rule.trigger.kind in DATED:
            return True
        if self.state.profile.status == "deceased" or key.partition("!")[0] in self.settled:
            return False
        subject, name = parts[3], parts[4].partition("!")[0]
        ever = msgspec.structs.replace(self.world.bounds(rule, self.now), earliest=FIRST, dates=ALWAYS)
        found = (one for one in self.subjects.of(rule, ever) if one.subject == subject and _is(one.id, name))
        return any(self._still(rule, one, parts[2].partition("!")[0], key) for one in found)

    def _still(self, rule: Rule, occurrence: Occurrence, name: str, key: str) -> bool:
        variables = self.subjects.variables(occurrence, rule)
        step = next((one for one in rule.steps if one.name == name), None)
        if step is None or not _applies(rule, variables) or self._told_otherwise(key, name):
            return False
        left_out = step.unless is not None and step.unless.holds(variables) is not False
        return not left_out and self._open(rule, step, occurrence)

    def _open(self, rule: Rule, step: Step, occurrence: Occurrence) -> bool:
        """Whether the step still has something to say about the occurrence."""
        if occurrence.appointment is None:
            return occurrence.live
        if step.name in CORRECTIONS:
            return _owes_correction(step.name, occurrence, _last_told(self.sent, rule, occurrence.subject))
        if step.prep is not None:
            return occurrence.live and occurrence.appointment.start > self.now
        return occurrence.live and not any(
            sent.step == step.name
            and sent.rule in {rule.name, *rule.was}
            and sent.anchor == occurrence.appointment.start
            and sent.subject == occurrence.subject
            for sent in self.sent
        )

    def _step(self, rule: Rule, step: Step, occurrence: Occurrence, variables: dict[str, object]) -> Iterator[Wanted]:
        service = self.world.services.get(occurrence.service)
        business = self.world.business(rule.department)
        place = occurrence.place or self.zones[0]
        times = times_of(step, service, occurrence.anchors, self.zones, place, business)
        if times is None:
            return
        owed = self._owed(rule, step, occurrence, times.telling)
        if owed is None:
            return
        occurrence, key = owed, self._key(rule.name, step, owed)
        if self._told_otherwise(key, step.name) or self._told_others(key, rule):
            return
        if times.ideal < occurrence.born and step.late == "skip":
            return
        if self._of_old(rule, step, occurrence, times.ideal):
            return
        if occurrence.cause in {"customer", "staff"}:
            times = replace(times, opens=max(times.opens, occurrence.born + self.world.hold_back))
        if times.telling is not None:
            variables = {**variables, **shown(step, times.telling)}
        if step.task is not None:
            seen = _variables(variables, occurrence, step, self.zones[0], rule, self.world)
            self._task(key, rule, step, max(times.ideal, times.opens), step.task, seen)
            return
        if step.prep is None and (times.deadline + GRACE < self.now or times.never_owed(occurrence.born)):
            return
        if times.opens > self.now + self.world.horizon:
            self._reach_at(times.opens - self.world.horizon)
            return
        yield self._wanted(key, rule, step, occurrence, times, variables)

    def _of_old(self, rule: Rule, step: Step, occurrence: Occurrence, ideal: datetime) -> bool:
        """Whether it lies before the rule counts; a preparation for what was booked since then does not."""
        since, one = self.world.since.get(rule.name, ideal), occurrence.appointment
        if ideal >= since or rule.catch_up is not None:
            return False
        return step.prep is None or one is None or max(one.moved_at, one.status_at) < since

    def _owed(self, rule: Rule, step: Step, occurrence: Occurrence, found: Telling | None) -> Occurrence | None:
        """The occurrence, if a message is owed about it; ``None`` if what the step says was said.

        What was told of a preparation that begins at another time by now is owed again, as an occurrence of its own.
        """
        unsettled = self._unsettled(rule, step, occurrence)
        if step.prep is None or found is None:
            return occurrence if unsettled else None
        untold = self._untold(rule, step, occurrence, found)
        if unsettled or not untold:
            return occurrence if untold else None
        again = replace(occurrence, id=f"{occurrence.id}~{min(untold.values()):%Y%m%dT%H%M}")
        owed = self._unsettled(rule, step, again) and self._untold(rule, step, again, found)
        return again if owed else None

    def _unsettled(self, rule: Rule, step: Step, occurrence: Occurrence) -> bool:
        """Whether no such message was accepted, under this rule's name or a former one."""
        names = (rule.name, *rule.was)
        return all(self._key(name, step, occurrence) not in self.settled for name in names)

    def _key(self, rule: str, step: Step, occurrence: Occurrence) -> str:
        return key_of(self.state.profile.id, rule, step.name, occurrence.subject, occurrence.id)

    def _task(self, key: str, rule: Rule, step: Step, at: datetime, text: str, variables: dict[str, object]) -> None:
        if at > self.now + self.world.horizon:
            self._reach_at(at - self.world.horizon)
        elif at + GRACE >= self.now:
            # A person may well be told at a time that is a guess; what is guessed is said.
            waits = self.world.waits_for(rule.name, step.name)
            guess = Reason("commsched", "calendar_unreadable", f"{waits}, so it counts Monday to Friday")
            reasons = (guess,) if waits else ()
            made = task(key, self.state, self.world, rule, step.name, at, text, variables, reasons)
            owner = self.world.text(step.owner, rule.department, variables) if step.owner else ""
            self.tasks.append(replace(made, owner=owner) if owner else made)

    def _wanted(
        self,
        key: str,
        rule: Rule,
        step: Step,
        occurrence: Occurrence,
        times: Times,
        variables: dict[str, object],
    ) -> Wanted:
        template = step.uncertain if step.uncertain and not occurrence.certain else step.template or ""
        recipient = self._recipient(rule)
        order = contact.media(step.media, recipient.profile)
        open_media = tuple(medium for medium in order if (key, medium) not in self.failed)
        customer = self.state.profile.id
        proposal = Proposal(
            key=key,
            customer=customer,
            rule=rule.name,
            step=step.name,
            subject=occurrence.subject,
            occurrence=occurrence.id,
            purpose=rule.purpose,
            topic=rule.topic,
            department=rule.department,
            priority=rule.priority,
            anchor=occurrence.anchor(self.zones[0]),
            ideal=times.ideal,
            span=(times.opens, times.deadline),
            template=template,
            media=order,
            addresses=contact.addresses(open_media, recipient.contacts, recipient.profile, self.world),
            offers=rule.offers,
            content=_content(template, self.world, occurrence, times.telling),
            recipient=recipient.profile.id,
            asset=occurrence.asset.id if occurrence.asset else None,
            tells=_tells(occurrence, times.telling),
            uses=self.world.uses(rule, template),
            variables=_variables(variables, occurrence, step, self.zones[0], rule, self.world),
        )
        after = key_of(customer, rule.name, step.after, occurrence.subject, occurrence.id) if step.after else None
        return Wanted(proposal, rule, step, occurrence, after, depth_of(rule, step))

    def _recipient(self, rule: Rule) -> State:
        """Who is written to: the customer, or their guardian."""
        if rule.to is not None and rule.to.guardian:
            return self.state.guardian or State(Profile(""))
        return self.state


def _applies(rule: Rule, variables: Mapping[str, object]) -> bool:
    """Whether a rule has anything to say in this case, by its own conditions."""
    if any(
        condition is not None and condition.holds(variables) is not True
        for condition in (rule.when, rule.trigger.where)
    ):
        return False
    return rule.stop_when is None or rule.stop_when.holds(variables) is False


def _is(occurrence: str, name: str) -> bool:
    """Whether a key names this occurrence; what is told again of a preparation adds its beginning to the name."""
    return name == occurrence or (name.startswith(f"{occurrence}~") and "~" not in occurrence)


def task(
    key: str,
    state: State,
    world: World,
    rule: Rule,
    step: str,
    at: datetime,
    text: str,
    variables: Mapping[str, object],
    reasons: tuple[Reason, ...] = (),
) -> TaskDecision:
    """Something for a person to do; it is done once somebody says so, and stays on the plan until then.

    Whoever was not reached still has to be.
    """
    done = any(fact.task == key and fact.outcome != "unreached" for fact in state.tasks_done)
    because = "; ".join(reason.told for reason in reasons) or "it is due"
    words = world.text(text, rule.department, {**variables, "reason": because})
    return TaskDecision(
        key, state.profile.id, rule.name, step, rule.department, at, words, "done" if done else "open", reasons
    )


def depth_of(rule: Rule, step: Step) -> int:
    """How many steps must have gone before this one."""
    return 0 if step.after is None else 1 + depth_of(rule, rule.step(step.after))


def _tells(occurrence: Occurrence, found: Telling | None) -> dict[str, datetime]:
    return {name_in(occurrence.subject, prep): at for prep, at in found.begins.items()} if found is not None else {}


def _content(template: str, world: World, occurrence: Occurrence, found: Telling | None) -> str:
    """What the text is a function of: the same template about the same thing says the same again."""
    start = occurrence.appointment.start.isoformat() if occurrence.appointment else ""
    begins = [at.isoformat() for at in found.begins.values()] if found is not None else []
    return "|".join((template, world.templates.get(template, ""), occurrence.subject, occurrence.id, start, *begins))


def _about(key: str) -> tuple[str, str, str]:
    """Rule, subject and occurrence of a message's or a task's key; empty ones for a key that has none."""
    parts = key.split("/")
    return (parts[1], parts[3], parts[4].partition("!")[0]) if len(parts) == KEY_PARTS else ("", "", "")


def _last_told(sent: Sequence[Sent], rule: Rule, subject: str) -> Sent | None:
    """The last message about an appointment that was accepted, whichever step it came from."""
    about = [one for one in sent if one.subject == subject and (one.rule == rule.name or one.rule in rule.was)]
    return max(about, key=lambda one: one.at, default=None)


def _owes_correction(step: str, occurrence: Occurrence, told: Sent | None) -> bool:
    """Whether what was last said of an appointment is no longer so; who changed it themselves is not told."""
    appointment = occurrence.appointment
    if appointment is None or told is None or told.step == "cancelled":
        return False
    if step == "cancelled":
        return appointment.status == "cancelled" and appointment.status_by != "customer"
    moved = told.anchor is not None and abs(told.anchor - appointment.start) >= MOVE
    return occurrence.live and moved and appointment.moved_by != "customer"


def _variables(
    variables: Mapping[str, object], occurrence: Occurrence, step: Step, place: ZoneInfo, rule: Rule, world: World
) -> dict[str, object]:
    """What the template sees: the variables of the occurrence, its anchors, and the zone of its place."""
    anchors = {
        f"{name}.date" if name == "due" and not isinstance(at, datetime) else name: at
        for name, at in occurrence.anchors.items()
    }
    seen = {**variables, **anchors, "place_zone": str(occurrence.place or place), "step": step.name}
    return {**seen, "reference": world.text(rule.reference, rule.department, seen)} if rule.reference else seen


def _instant(at: datetime | date) -> datetime:
    return at if isinstance(at, datetime) else _midnight(at)


@lru_cache(maxsize=65536)
def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
