"""Occurrences: what in a customer's state makes a rule come to life, and the anchors that its steps hang on.

An occurrence's identity is made of ids, never of forecasts: a new odometer reading moves its due date and makes no
second occurrence (DESIGN §7).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from commsched.model.facts import AnyFact, Sent
from commsched.model.state import Asset, Promise, State
from commsched.model.subjects import digest_of, key_of
from commsched.planning.due import Dues, asset_values, customer_values, due_values
from commsched.planning.occurrence import Occurrence, repeated, scheduled, seasons
from commsched.planning.reach import FIRST, Bounds
from commsched.planning.waiting import is_wanted
from commsched.planning.world import World
from commsched.rules.rule import Rule, Trigger
from commsched.timing.civil import zone

UPCOMING = frozenset({"booked", "confirmed", "completed"})


class Subjects:
    """A customer's state in a world, from which the occurrences of every rule are read; what is shared is kept."""

    def __init__(self, state: State, world: World, now: datetime, place: ZoneInfo) -> None:
        self.state, self.world, self.now, self.place = state, world, now, place
        self._dues: Dues | None = None
        self._earliest = FIRST
        self.customer = customer_values(state)
        self._absent = frozenset(kind for kind, kept in _KEPT.items() if not getattr(state, kept))
        self._sent = {part: sent for sent in state.sent for part in sent.parts}

    def knows(self, rule: Rule) -> bool:
        """Whether the ledger has anything of the kind that a rule is about; of most kinds most have nothing."""
        return rule.trigger.kind not in self._absent

    def of(self, rule: Rule, bounds: Bounds) -> Iterable[Occurrence]:
        """The occurrences of a rule; those of a repeated rule come again and again.

        What lies out of the rule's bounds may be left out where that is quick to see.
        """
        kind = rule.trigger.kind
        # A round of a repeated rule may come long after the first.
        self._earliest = bounds.earliest if rule.repeat is None and "event" in bounds.anchors else FIRST
        self._bounds = bounds
        found = _READERS[kind](self, rule.trigger)
        return found if rule.repeat is None else repeated(found, rule.repeat.every, rule.repeat.at_most)

    def asset(self, name: str | None) -> Asset | None:
        return self.state.assets.get(name) if name is not None else None

    def service_due(self, trigger: Trigger) -> Iterator[Occurrence]:
        if self._dues is None:
            self._dues = Dues(self.state, self.world)
        for due in self._dues.of(trigger.names, self._bounds.dates):
            subject = f"{due.asset.id}+{due.service.id}" if due.asset else due.service.id
            yield Occurrence(
                subject,
                due.occurrence,
                "due",
                {"due": due.on, "last": due.last},
                due.known or FIRST,
                asset=due.asset,
                service=due.service.id,
                since=due.last,
                certain=due.when.certain,
                values=due_values(due, self.world),
            )

    def service_record(self, trigger: Trigger) -> Iterator[Occurrence]:
        for identity, record in self.state.records:
            if record.at < self._earliest and record.recheck_on is None:
                continue
            if _matches(record.service, trigger.names) and _matches(record.outcome, trigger.values):
                values: dict[str, object] = {"record.outcome": record.outcome, "record.severity": record.severity or ""}
                values["record.dated"] = record.recheck_on is not None
                found = self._once(identity, record, record.asset, service=record.service, values=values)
                if record.recheck_on is not None:
                    found = replace(found, anchors={**found.anchors, "recheck": record.recheck_on})
                yield found

    def event(self, trigger: Trigger) -> Iterator[Occurrence]:
        for identity, event in self.state.events:
            if event.kind in trigger.names and event.at >= self._earliest:
                values = {f"event.{name}": value for name, value in event.data.items() if value is not None}
                values |= {"event.kind": event.kind, "event.item": event.item or ""}
                if event.amount is not None:
                    values["event.amount"] = float(event.amount)
                yield self._once(identity, event, event.asset, values=values)

    def feedback(self, trigger: Trigger) -> Iterator[Occurrence]:
        for identity, feedback in self.state.feedback:
            if _matches(feedback.mood, trigger.values) and feedback.at >= self._earliest:
                values = {"feedback.mood": feedback.mood, "feedback.department": feedback.department or ""}
                yield self._once(identity, feedback, None, values=values)

    def reply(self, trigger: Trigger) -> Iterator[Occurrence]:
        for reply in self.state.replies:
            if reply.meaning is not None and _matches(reply.meaning, trigger.values) and reply.at >= self._earliest:
                values = {"reply.meaning": reply.meaning, "reply.medium": reply.medium, "reply.text": reply.text or ""}
                yield self._once(digest_of(reply).hex(), reply, None, values=values)

    def _once(
        self, identity: str, fact: AnyFact, asset: str | None, *, values: Mapping[str, object], service: str = ""
    ) -> Occurrence:
        return Occurrence(
            asset or "-",
            identity,
            "event",
            {"event": fact.at},
            fact.recorded_at or fact.at,
            cause=fact.stated_by or "import",
            asset=self.asset(asset),
            service=service,
            since=fact.at.date(),
            values=values,
        )

    def appointment(self, trigger: Trigger) -> Iterator[Occurrence]:
        for a in self.state.appointments.values():
            if _matches(a.service, trigger.names):
                place = zone(a.place_zone) if a.place_zone else self.world.zone
                anchors = {"start": a.start, "booked": a.booked_at, "changed": max(a.moved_at, a.status_at)}
                service = self.world.services.get(a.service)
                yield Occurrence(
                    a.id,
                    a.occurrence,
                    "start",
                    {**anchors, "end": a.end or a.start + (service.duration if service else timedelta(hours=1))},
                    max(a.moved_at, a.status_at) if a.status in {"proposed", "cancelled"} else a.moved_at,
                    cause=a.status_by if a.status_at > a.moved_at else a.moved_by,
                    live=_matches(a.status, trigger.values),
                    asset=self.asset(a.asset),
                    service=a.service,
                    place=place,
                    appointment=a,
                    values={
                        "appointment.id": a.id,
                        "appointment.status": a.status,
                        "appointment.booked_by": a.booked_by,
                        "appointment.disowned": a.disowned,
                    },
                )

    def obligation(self, trigger: Trigger) -> Iterator[Occurrence]:
        for o in self.state.obligations.values():
            if o.kind in trigger.names:
                values: dict[str, object] = {
                    "obligation.id": o.id,
                    "obligation.kind": o.kind,
                    "obligation.status": o.status,
                    **({"obligation.amount": float(o.amount)} if o.amount is not None else {}),
                }
                yield Occurrence(
                    o.id,
                    o.due.isoformat(),
                    "due",
                    {"due": o.due},
                    o.recorded_at,
                    live=o.status == "open",
                    asset=self.asset(o.asset),
                    since=o.since.date(),
                    values=values,
                )

    def case(self, trigger: Trigger) -> Iterator[Occurrence]:
        for case in self.state.cases.values():
            anchor = "closed" if case.status == "closed" else "opened"
            yield Occurrence(
                case.id,
                case.change,
                anchor,
                {anchor: case.changed},
                case.recorded_at,
                live=_matches(case.status, trigger.values),
                values={
                    "case.id": case.id,
                    "case.kind": case.kind,
                    "case.status": case.status,
                    "case.severity": case.severity or "",
                },
            )

    def commitment(self, trigger: Trigger) -> Iterator[Occurrence]:
        for identity, promise in self.state.commitments:
            if isinstance(promise.due, datetime):
                was = self.state.promises.get(identity, Promise())
                # A promise that was put off is due again; one that was kept has that to tell, and no other time counts.
                said = was.kept or was.moved or promise
                anchors = {"kept": was.kept, "moved": was.moved}
                yield Occurrence(
                    identity,
                    f"{identity}~{promise.due:%Y%m%dT%H%MZ}" if was.moved else identity,
                    "due",
                    {"due": promise.due, **{name: fact.at for name, fact in anchors.items() if fact is not None}},
                    said.recorded_at or said.at,
                    cause=said.stated_by or "import",
                    live=_matches(str(was.kept is not None).lower(), trigger.values),
                    values={
                        "commitment.id": identity,
                        "commitment.what": str(promise.what),
                        "commitment.owner": str(promise.owner),
                    },
                )

    def hold(self, trigger: Trigger) -> Iterator[Occurrence]:
        for hold in self.state.holds:
            bound = not trigger.values or not {"*", *trigger.values}.isdisjoint(hold.purposes)
            # A hold on a whole organisation is the business of whoever keeps that account, not of each of its people.
            if bound and (hold.customer is not None or self.state.profile.kind == "organisation"):
                identity = hold.id or digest_of(hold).hex()
                yield Occurrence(
                    identity,
                    f"{hold.until:%Y%m%dT%H%M%S}",
                    "until",
                    {"until": hold.until, "began": hold.at},
                    hold.recorded_at or hold.at,
                    cause=hold.stated_by or "import",
                    asset=self.asset(hold.about),
                    values={f"hold.{name}": getattr(hold, name) for name in ("by", "reason")}
                    | {"hold.id": identity, "hold.about": hold.about or "", "hold.purposes": tuple(hold.purposes)},
                )

    def offer(self, trigger: Trigger) -> Iterator[Occurrence]:
        for offer in self.state.offers.values():
            if offer.service in trigger.names:
                wish = self.state.wishes.get(offer.wish)
                is_open = wish is not None and is_wanted(wish, self.state, self.world.zone, self.now)
                yield Occurrence(
                    offer.wish,
                    offer.id,
                    "offered",
                    {"offered": offer.at, "expires": offer.expires},
                    offer.recorded_at or offer.at,
                    live=is_open and self.now < offer.expires,
                    service=offer.service,
                    place=self.world.zone,
                    values={
                        "offer.id": offer.id,
                        "offer.wish": offer.wish,
                        "offer.start": offer.start,
                        "offer.end": offer.end,
                        "booked": not is_open,
                    },
                )

    def season(self, trigger: Trigger) -> Iterator[Occurrence]:
        region = self.state.profile.region or self.world.region
        if trigger.season is None or (trigger.regions and not _in_regions(region, trigger.regions)):
            return
        yield from seasons(*trigger.season, self.now.year - 1, (self.now + self.world.horizon).year + 1)

    def schedule(self, trigger: Trigger) -> Iterator[Occurrence]:
        yield from scheduled(trigger.cron, str(self.world.zone), *self._bounds.days)

    def variables(self, occurrence: Occurrence, rule: Rule) -> dict[str, object]:
        """Everything that expressions and templates see of an occurrence."""
        said = self._said(occurrence.subject, occurrence.id, rule)
        answered = {reply.key for reply in self.state.replies}
        return {
            **self.customer,
            **(asset_values(occurrence.asset) if occurrence.asset else {}),
            **({"service": occurrence.service} if occurrence.service else {}),
            "sent": tuple(said),
            "replied": tuple(
                step.name for step in rule.steps if answered and self._answered(step.name, occurrence, rule, answered)
            ),
            "booked": self._booked(occurrence),
            "served": self._served(occurrence),
            **occurrence.values,
        }

    def _answered(self, step: str, occurrence: Occurrence, rule: Rule, answered: set[str | None]) -> bool:
        """Whether a step was answered; an answer to one round of a repeated rule answers all of them."""
        first, _, count = occurrence.id.partition("#") if rule.repeat else (occurrence.id, "", "")
        rounds = [first, *(f"{first}#{number}" for number in range(2, int(count or 1) + 1))]
        said = [self._said(occurrence.subject, one, rule).get(step) for one in rounds]
        return any(sent is not None and sent.key in answered for sent in said)

    def _said(self, subject: str, occurrence: str, rule: Rule) -> dict[str, Sent]:
        """The messages of an occurrence that were accepted, by step; alone or as part of another."""
        if not self._sent:
            return {}
        keys = {
            step.name: key_of(self.state.profile.id, name, step.name, subject, occurrence)
            for name in (*rule.was, rule.name)
            for step in rule.steps
        }
        return {step: self._sent[key] for step, key in keys.items() if key in self._sent}

    def _booked(self, occurrence: Occurrence) -> bool:
        since = occurrence.since
        return any(
            a.service == occurrence.service
            and a.status in UPCOMING
            and (occurrence.asset is None or a.asset in {None, occurrence.asset.id})
            and (since is None or a.start.date() > since)
            for a in self.state.appointments.values()
        )

    def _served(self, occurrence: Occurrence) -> bool:
        since = occurrence.since
        return since is not None and any(
            record.service == occurrence.service
            and (occurrence.asset is None or record.asset in {None, occurrence.asset.id})
            and record.outcome != "advised"
            and record.at.date() > since
            for _, record in self.state.records
        )


def _matches(value: str, wanted: tuple[str, ...]) -> bool:
    return not wanted or value in wanted


def _in_regions(region: str, regions: tuple[str, ...]) -> bool:
    return any(region == wanted or region.startswith(f"{wanted}-") for wanted in regions)


# Where the state keeps what a trigger of some kind is about.
_KEPT = {
    "service_record": "records",
    "appointment": "appointments",
    "obligation": "obligations",
    "event": "events",
    "feedback": "feedback",
    "reply": "replies",
    "case": "cases",
    "commitment": "commitments",
    "hold": "holds",
    "offer": "offers",
}
_READERS: dict[str, Callable[[Subjects, Trigger], Iterator[Occurrence]]] = {
    "service_due": Subjects.service_due,
    "service_record": Subjects.service_record,
    "appointment": Subjects.appointment,
    "obligation": Subjects.obligation,
    "event": Subjects.event,
    "feedback": Subjects.feedback,
    "reply": Subjects.reply,
    "case": Subjects.case,
    "commitment": Subjects.commitment,
    "hold": Subjects.hold,
    "offer": Subjects.offer,
    "season": Subjects.season,
    "schedule": Subjects.schedule,
}
