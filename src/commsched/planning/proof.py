"""The timing proof: for which bookings a step's message can go in time, and what happens otherwise. Pure.

For a given start, let L be the last allowed instant that is not after the deadline. The message can be told if and only
if it is known by L, less the time that a mis-click waits; how long that is before the start is the *least lead* of that
start. L is taken from the windows of the policies that depend on time alone; it changes only at finitely many points
(edges of windows, midnights, clock changes, first and last starts of a day), and those are looked at, each to the
minute. So the greatest least lead is exact, and whoever books earlier than that, for whatever start, is told in time.

What policies make of facts and history cannot be foreseen; the proof names those that may still refuse.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from commsched.model.decisions import Anchor, Proposal
from commsched.model.state import Profile, State
from commsched.planning.isolation import ask
from commsched.planning.occasions import ENUMERATED, LONG, MINUTE, SUDDEN, Course, Main, starts
from commsched.planning.search import SLACK, Example, Finding, Search
from commsched.planning.world import Applied, World
from commsched.plugin.view import View
from commsched.rules.rule import Fallback, Rule, Service, Step
from commsched.timing.windows import NEVER, Span, Windows


@dataclass(frozen=True, slots=True)
class Proof:
    """What holds of one step: for one service, where the step tells a preparation, else for all of the rule's.

    ``least_lead``: whatever is known at least this long before the moment it hangs on is told in time (less than zero:
    up to so long after it); ``None`` where no lead is enough, or where the step speaks of what has just happened.
    ``worst``: the moment that needs it, with its medium and zone. ``always``: nothing that the step is for goes unsaid.
    ``otherwise``: what happens to whoever cannot be told. ``unanswered``: a case in which nothing happens.
    ``may_refuse``: policies that depend on facts or history and could still refuse. ``leads``: the least lead of each
    start that was looked at.
    """

    rule: Rule
    step: Step
    service: Service | None
    least_lead: timedelta | None
    worst: Example | None
    always: bool
    otherwise: str
    unanswered: Example | None
    may_refuse: tuple[str, ...]
    leads: Mapping[Main, timedelta]


class Prover:
    """Proves the steps of a world's rules.

    ``within``: the starts that count; the calendars in the world and ``open_times`` (by calendar) should reach
    further, as far as :attr:`period` does. ``zones``: where customers may be; several in one tuple are candidates of
    one customer.
    """

    def __init__(
        self,
        world: World,
        within: Span,
        zones: tuple[tuple[ZoneInfo, ...], ...],
        open_times: Mapping[str, Windows],
    ) -> None:
        self.world, self.within, self.zones, self.open_times = world, within, zones, open_times
        self.period = (within[0] - LONG - SLACK, within[1] + 2 * LONG)
        self.failed: dict[str, str] = {}
        self._allowed: dict[tuple[object, ...], Windows] = {}

    def prove(self, rule: Rule, step: Step, media: tuple[str, ...]) -> Iterator[Proof]:
        """The proofs of a step: one for each service where it tells a preparation, else one for all."""
        groups = self._groups(rule, step)
        if step.prep is None:
            yield self._proof(rule, step, None, self._found(rule, step, groups, media))
            return
        for group in groups:
            yield self._proof(rule, step, group[0], self._found(rule, step, [group], media))

    def _found(self, rule: Rule, step: Step, groups: list[list[Service | None]], media: tuple[str, ...]) -> Finding:
        """The worst over services, clocks and media."""
        finding = Finding()
        for group in groups:
            begins = self._starts(rule, group)
            for zones in self.zones:
                course = Course(self.world, rule, step, group[0], zones)
                # Media with the same times have the same proof.
                for allowed, medium in {self.allowed(rule, one, zones): one for one in reversed(media)}.items():
                    Search(course, medium, allowed, self.within, begins, finding).run()
        return finding

    def allowed(self, rule: Rule, medium: str, zones: tuple[ZoneInfo, ...]) -> Windows:
        """When the policies that depend on time alone let such a message go on a medium."""
        key = (rule.purpose, rule.topic, rule.department, medium, zones)
        found = self._allowed.get(key)
        if found is None:
            found = Windows.between(*self.period)
            for applied in self._static(rule):
                found &= self._verdict(applied, rule, medium, zones)
            self._allowed[key] = found
        return found

    def _verdict(self, applied: Applied, rule: Rule, medium: str, zones: tuple[ZoneInfo, ...]) -> Windows:
        if applied.media is not None and medium not in applied.media:
            return Windows.between(*self.period)
        world, state = self.world, State(Profile(""))
        view = View(state, [], zones, world.vocabulary, world.calendars, world.departments)
        # The time limit of a single message is not meant for years; ten times as much still ends a policy that hangs.
        verdict = ask(applied, _proposal(rule, medium, self.period), view, 10 * world.time_limit)
        if isinstance(verdict, str):
            self.failed[applied.name] = verdict
            return NEVER
        windows = verdict.on(medium)
        return windows if windows is not None else Windows.between(*self.period)

    def _static(self, rule: Rule) -> list[Applied]:
        chain = self.world.chain(rule.purpose, rule.topic, rule.department)
        return [applied for applied in chain if applied.policy.depends <= {"time"}]

    def _may_refuse(self, rule: Rule, step: Step) -> tuple[str, ...]:
        chain = self.world.chain(rule.purpose, rule.topic, rule.department)
        names = [applied.name for applied in chain if not applied.policy.depends <= {"time"}]
        return tuple(names + ([f"the step {step.after}, which goes before it"] if step.after else []))

    def _services(self, rule: Rule) -> list[Service | None]:
        if rule.trigger.kind not in {"appointment", "offer"}:
            return [None]
        names = rule.trigger.names or tuple(self.world.services)
        return [self.world.services[name] for name in names if name in self.world.services] or [None]

    def _groups(self, rule: Rule, step: Step) -> list[list[Service | None]]:
        """The services that are alike to a step, the one that can be booked latest first.

        Each is by itself if the step tells a preparation of theirs; how long they take matters only where times are
        counted from the end.
        """
        services = self._services(rule)
        if step.prep is not None:
            return [[one] for one in services if one is not None and any(p.id == step.prep for p in one.prep)]
        by_end = any("end" in time.anchors for time in (step.at, step.not_before, step.deadline) if time is not None)
        alike: dict[object, list[Service | None]] = {}
        for one in sorted(services, key=lambda one: one.min_notice if one is not None else timedelta()):
            alike.setdefault(one.duration if one is not None and by_end else None, []).append(one)
        return list(alike.values())

    def _starts(self, rule: Rule, services: list[Service | None]) -> Windows:
        """When appointments of these services may start; when anything else may happen, which is always."""
        if rule.trigger.kind != "appointment":
            return Windows.between(*self.within)
        hours = {
            (service.calendar, service.duration) if service is not None else (None, MINUTE) for service in services
        }
        spans = (starts(self.open_times.get(name or ""), length, self.within) for name, length in hours)
        return Windows(span for found in spans for span in found)

    def _proof(self, rule: Rule, step: Step, service: Service | None, finding: Finding) -> Proof:
        sudden = rule.trigger.kind in SUDDEN | ENUMERATED
        return Proof(
            rule,
            step,
            service,
            None if sudden or finding.lead == LONG else finding.lead,
            finding.worst,
            not finding.untold,
            otherwise_of(rule, step),
            finding.unanswered,
            self._may_refuse(rule, step),
            finding.leads,
        )


def otherwise_of(rule: Rule, step: Step) -> str:
    """What happens to whoever cannot be told, in a word: ``task``, ``template NAME``, ``skipped``, ``nothing``."""
    fallback: Fallback | None = step.too_late if step.prep is not None else rule.otherwise
    if fallback is None:
        return "skipped" if step.late == "skip" else "nothing"
    return "task" if fallback.task is not None else f"template {fallback.template}"


def _proposal(rule: Rule, medium: str, span: Span) -> Proposal:
    """A message of that kind to somebody of whom nothing else is known."""
    middle = span[0] + (span[1] - span[0]) / 2
    return Proposal(
        key=f"-/{rule.name}/-/-/-",
        customer="-",
        rule=rule.name,
        step="-",
        subject="-",
        occurrence="-",
        purpose=rule.purpose,
        topic=rule.topic,
        department=rule.department,
        priority=rule.priority,
        anchor=Anchor("start", middle),
        ideal=middle,
        span=span,
        template="-",
        media=(medium,),
        addresses={medium: "-"},
        recipient="-",
    )
