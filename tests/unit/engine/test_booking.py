"""What must be told for an appointment at a time, as the plan itself reckons it."""

from __future__ import annotations

from datetime import datetime

from commsched.engine.booking import tellings

DEPARTMENTS = """
[departments.ward]
title = "Ward"
calendar = "always"

[[calendars]]
name = "always"
kind = "opening_hours"
weekly = { "mon-sun" = ["08:00-18:00"] }
"""
SERVICES = """\
services:
  scope:
    name: Scope
    duration: 45m
    calendar: always
    prep: [{id: diet, begins: start - 2bd, notice: 24h}]
"""
RULE = """\
rule: {name}
why: You have an appointment.
purpose: transactional
topic: visit
department: {department}
trigger: {{appointment: {{service: scope, status: {status}}}}}
steps:
  - {{step: diet, prep: diet, at: prep - 3d, template: thanks, media: [email], too_late: {{task: Call}}}}
"""


def test_business_days_are_those_of_who_tells_the_preparation(garage, configuration):
    """Of two rules that speak of a preparation, the one that tells it of booked appointments counts."""
    called_off = RULE.format(name="a-called-off", department="desk", status="cancelled")
    shop = garage({
        "config/commsched.toml": configuration + DEPARTMENTS,
        "config/services.yaml": SERVICES,
        "config/rules/a.yaml": called_off,
        "config/rules/b.yaml": RULE.format(name="b-booked", department="ward", status="booked"),
    })  # fmt: skip
    desk = shop.app.desk()
    monday = datetime.fromisoformat("2026-06-22T14:00:00Z")
    (told,) = tellings(desk, desk.world.services["scope"], monday)
    assert (told.begins, told.by) == (
        datetime.fromisoformat("2026-06-20T14:00:00Z"),
        datetime.fromisoformat("2026-06-19T14:00:00Z"),
    )
