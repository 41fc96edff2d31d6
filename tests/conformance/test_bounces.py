"""Real bounces, complaints and automatic answers, as sisimai's collection has sorted them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from corpora import corpus

from commsched.builtin.channels.mail_events import events_of

FOLDER = corpus("email")
CASES = {one["file"]: one["results"][0] for one in json.loads((FOLDER / "sisimai_expected.json").read_text())}
# These say of themselves that they still try.
DELAYS = {f"sisimai/{name}.eml" for name in ("lhost-exim-41", "lhost-messagingserver-07", "rfc3464-07", "rfc3464-09")}
# Sorted otherwise there, but the server says in so many words that there is no such user, or mailbox.
SAYS_UNKNOWN = {
    f"sisimai/{name}.eml"
    for name in (
        "lhost-apachejames-01",
        "lhost-messagingserver-06",
        "lhost-office365-04",
        "lhost-receivingses-01",
        "lhost-zoho-02",
        "rfc3464-01",
    )
}


def told(file):
    return list(events_of((FOLDER / file).read_bytes(), datetime.now(UTC)))


@pytest.mark.parametrize("file", sorted(CASES))
def test_nothing_that_a_machine_wrote_is_an_answer(file):
    """And every event has an address, and an id that stays the same."""
    found = told(file)
    assert "reply" not in {one.kind for one in found}
    assert all(one.address and one.id for one in found)
    assert [one.id for one in told(file)] == [one.id for one in found]


@pytest.mark.parametrize("file", sorted(name for name, one in CASES.items() if one["feedback"]))
def test_a_complaint_is_one(file):
    """And an opt-out that is sent as a feedback report is an opt-out."""
    expected = "opt_out" if CASES[file]["feedback"] == "opt-out" else "complaint"
    assert [one.kind for one in told(file)] == [expected]


@pytest.mark.parametrize("file", sorted(name for name, one in CASES.items() if one["reason"] == "vacation"))
def test_an_absence_note_tells_nothing(file):
    """Nobody has answered."""
    assert told(file) == []


@pytest.mark.parametrize("file", sorted(name for name, one in CASES.items() if not one["hard_bounce"]))
def test_no_address_is_given_up_for_another_reason(file):
    """A full mailbox, a filter, a server that is down."""
    assert file in SAYS_UNKNOWN or "bounced" not in {one.kind for one in told(file)}


def test_every_bounce_is_known_as_one():
    """Those that say so are gone for good, all but a few that say it in their own language or about somebody else."""
    bounces = [name for name, one in CASES.items() if not one["feedback"] and one["reason"] != "vacation"]
    assert all(told(file) for file in bounces if file not in DELAYS)
    assert not any(told(file) for file in DELAYS)
    hard = [name for name in bounces if CASES[name]["hard_bounce"]]
    found = [name for name in hard if told(name)[0].kind == "bounced"]
    assert len(found) >= len(hard) - 3, sorted(set(hard) - set(found))
