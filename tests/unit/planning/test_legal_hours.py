"""What waits for legal hours falls back where none comes in time; what the law forbids does not."""

from __future__ import annotations

import pytest
from worlds import at, ledger, world

from commsched.builtin.policies.rules_of_place import RulesOfPlace, RulesOfPlaceSettings
from commsched.planning.plan import plan
from commsched.planning.world import Applied

# Wanted late on a Saturday and over on Sunday at eleven: in Texas no text may go between.
RULE = """
rule: thanks
why: You were here.
purpose: service
topic: oil
department: service
trigger: {event: visit}
steps:
  - {step: thank, at: event, deadline: event + 13h, template: thanks, media: [sms]}
otherwise: {task: "Call {{ customer.name }}: {{ reason }}"}
"""
VISIT = {"type": "event", "at": "2026-11-14 22:00", "kind": "visit", "data": {}}
PHONE = {
    "type": "contact_point",
    "at": "2024-01-01 10:00",
    "kind": "phone",
    "address": "+12145550142",
    "media": ["sms"],
    "stated_by": "customer",
}
LAW = Applied("law", RulesOfPlace(RulesOfPlaceSettings(), name="law"), None, None, None, None)


def region(code):
    return {"type": "customer", "at": "2024-01-02 10:00", "region": code}


@pytest.mark.parametrize(("place", "tasks"), [("US-TX", 1), ("CA-ON", 0)])
def test_hours_that_never_come_fall_back_and_a_missing_consent_does_not(tmp_path, place, tasks):
    """In Texas the rule's task is made, for somebody who calls later; in Canada nobody is called without a consent."""
    rule = RULE if place == "US-TX" else RULE.replace("purpose: service", "purpose: survey")
    known = ledger(PHONE, region(place), VISIT)
    found = plan(known, world(tmp_path, rule, policies=(LAW,)), at("2026-11-15 12:00"))
    assert [(one.state, one.final) for one in found.decisions] == [("refused", True)]
    assert len(found.tasks) == tasks
