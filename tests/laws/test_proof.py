"""The timing proof against the planner: what it promises is what happens, to the minute (story 15)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from worlds import ledger, policy, world

from commsched.planning.occasions import starts
from commsched.planning.plan import plan
from commsched.planning.proof import Proof, Prover
from commsched.planning.world import Applied
from commsched.plugin.view import Department, Snapshot
from commsched.timing.civil import weekly
from commsched.timing.windows import Windows

NOW = datetime(2026, 10, 1, tzinfo=UTC)
# A little over half a year, with both clock changes of Chicago and of Berlin in it.
WITHIN = (NOW, NOW + timedelta(days=200))
AROUND = (NOW - timedelta(days=900), NOW + timedelta(days=2000))
CHICAGO = ZoneInfo("America/Chicago")
CLOCKS = (CHICAGO, *map(ZoneInfo, ("Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Auckland")))
RULE = """
rule: told
why: It works only if you prepare.
purpose: transactional
topic: appointment
department: service
trigger: {{appointment: {{service: [scope], status: [booked]}}}}
steps:
  - {step}
otherwise: {{task: call}}
"""
SERVICES = """
services:
  scope: {{name: Colonoscopy, duration: 45m, calendar: hours, prep: [{{id: diet, begins: {begins}, notice: {notice}}}]}}
"""
PREP = "{{step: tell, prep: diet, at: {at}, not_before: {opens}, template: x, too_late: {{task: call}}}}"
PLAIN = "{{step: tell, at: {at}, not_before: {opens}, deadline: '{deadline}', template: x, late: {late}}}"
BEGINS = (
    "start - 72h", "start - 3d", "start - 1d at 18:00", "start - 5d at 03:00", "start - 2bd at 09:00", "start - 4h",
)  # fmt: skip
OPENS = ("start - 30d", "start - 14d at 09:00", "start - 3w")
IDEALS = ("start - 6d at 10:00", "start - 4d", "start - 7d at 09:00", "booked", "booked + 2h")
DEADLINES = ("start - 20h", "start - 1d at 12:00", "earliest(booked + 1d, start - 1h)", "start - 2bd at 10:00")


def deployment(folder, step, services, policies, hours):
    calendar = Snapshot("hours", hours, NOW)
    return world(
        folder,
        RULE.format(step=step),
        services_text=services,
        policies=policies,
        departments={"service": Department("service", "Service", CHICAGO, "hours")},
        calendars={"hours": calendar},
        channels={"email": "mail"},
        horizon=timedelta(days=400),
    )


def proved(made, hours, clock) -> Proof:
    rule = made.rules[0]
    (found,) = Prover(made, WITHIN, ((clock,),), {"hours": hours}).prove(rule, rule.steps[0], ("email",))
    return found


def told(made, clock, start, booked) -> bool:
    """Whether the planner, asked at the moment of booking, puts the message on the plan."""
    moved = {"type": "customer", "at": "2024-02-01 10:00", "timezone": str(clock), "stated_by": "customer"}
    fact = {
        "type": "appointment", "at": booked.isoformat(), "id": "A1", "service": "scope", "status": "booked",
        "booked_by": "customer", "stated_by": "customer", "start": start.isoformat(),
    }  # fmt: skip
    found = plan(ledger(moved, fact), made, booked)
    return any(decision.state == "planned" for decision in found.decisions)


@st.composite
def hours_of(draw) -> Windows:
    """Opening hours by weekday, with some closures of several days."""
    opens = draw(st.sampled_from([time(0), time(7, 30), time(9)]))
    closes = draw(st.sampled_from([time(12), time(17), time(20, 15)]))
    days = draw(st.sampled_from([range(7), range(5), (0, 2, 5), (6,)]))
    hours = weekly(dict.fromkeys(days, ((opens, closes),)), (CHICAGO,), AROUND)
    closed = draw(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 5)), max_size=4))
    return hours - Windows(
        (NOW + timedelta(days=day), NOW + timedelta(days=day + length)) for day, length in closed
    )


def policies_of(draw) -> tuple[Applied, ...]:
    quiet = policy("quiet_hours", opens=time(8), closes=draw(st.sampled_from([time(9), time(21)])))
    known = [policy("business_hours"), Applied(quiet.name, quiet.policy)]
    return tuple(one for one in known if draw(st.booleans()))


@st.composite
def steps(draw) -> str:
    if draw(st.booleans()):
        ideal = draw(st.sampled_from(("prep - 2d", "start - 8d at 10:00")))
        return PREP.format(at=ideal, opens=draw(st.sampled_from(OPENS)))
    late = draw(st.sampled_from(["skip", "send"]))
    ideal = draw(st.sampled_from(IDEALS))
    opens = ideal if "booked" in ideal else draw(st.sampled_from(OPENS))
    return PLAIN.format(at=ideal, opens=opens, deadline=draw(st.sampled_from(DEADLINES)), late=late)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(hours_of(), steps(), st.sampled_from(CLOCKS), st.data())
def test_the_proof_says_what_the_planner_does(tmp_path_factory, hours, step, clock, data):
    """Booked the least lead before any start: told. Booked a minute later than that for the worst start: not told."""
    begins, notice = data.draw(st.sampled_from(BEGINS)), data.draw(st.sampled_from(["0h", "12h", "24h"]))
    services = SERVICES.format(begins=begins, notice=notice)
    made = deployment(tmp_path_factory.mktemp("proof"), step, services, policies_of(data.draw), hours)
    proof = proved(made, hours, clock)
    if proof.worst is None:
        assert not starts(hours, timedelta(minutes=45), WITHIN)
        return
    worst = proof.worst
    if proof.least_lead is None:
        assert not told(made, clock, worst.main, worst.born)
        return
    latest = worst.main - proof.least_lead
    assert told(made, clock, worst.main, latest)
    assert not told(made, clock, worst.main, latest + timedelta(minutes=1))
    spans = starts(hours, timedelta(minutes=45), WITHIN).spans
    for first, last in data.draw(st.lists(st.sampled_from(spans), max_size=6)):
        minutes = int((last - first).total_seconds() // 60) - 1
        start = first + timedelta(minutes=data.draw(st.integers(0, minutes)))
        earlier = data.draw(st.just(0) | st.integers(0, 20 * 24 * 60))
        assert told(made, clock, start, start - proof.least_lead - timedelta(minutes=earlier))
