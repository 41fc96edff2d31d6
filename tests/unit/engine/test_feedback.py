"""Corrections reported back to the source that keeps sending the wrong value, over real HTTP to another process."""

from __future__ import annotations

import hmac
import json
from datetime import timedelta
from hashlib import sha256

import pytest
from pydantic import ValidationError
from webhook_server import receiver

from commsched.config import FeedbackSettings
from commsched.engine.feedback import AGAIN, Feedback
from commsched.errors import ConfigurationError
from commsched.store import queries

SECRET = "s3cret-of-more-than-sixteen"


@pytest.fixture
def server(tmp_path):
    with receiver(tmp_path / "crm") as running:
        yield running


@pytest.fixture
def crm(garage, configuration, server, monkeypatch):
    """The small deployment, which tells the source crm what it has wrong."""
    monkeypatch.setenv("CRM_SECRET", SECRET)
    table = f'[feedback.crm]\nreport_to = "{server.url}"\nsecret = "env:CRM_SECRET"\nallow_private = true\n'
    return garage({"config/commsched.toml": f"{configuration}\n{table}"})


@pytest.fixture
def wrong(crm, fact):
    """Ann corrected her name; the crm sends the old one again."""

    def imported(source="crm", name="Anna Ortis", **fields):
        said = {"at": "2026-06-01T12:00:00Z", "recorded_at": "2026-06-01T12:00:00Z"}
        mine = fact("customer", customer="ann", name="Ann Ortiz", stated_by="customer", **said)
        again = fact("customer", customer="ann", name=name, source=source, at="2026-06-10T12:00:00Z", **fields)
        crm.app.record([("c:ann", mine)])
        crm.app.record([("c:ann", again)])

    return imported


def send(crm, **later):
    crm.clock.at += timedelta(**later)
    return Feedback(crm.store, crm.app.configuration.feedback).send(crm.clock.at)


def rows(crm):
    with crm.store.read() as connection:
        return list(queries.corrections(connection).values())


def test_a_source_is_told_once_and_signed(crm, wrong, server):
    """What it sent, what stands, and who says so; the signature covers the time and the body."""
    wrong()
    assert send(crm).told == 1
    assert send(crm, days=1).told == 0
    (got,) = server.got
    body = json.loads(got["body"])
    assert {name: body[name] for name in ("type", "source", "customer", "field", "refused", "stands", "stated_by")} == {
        "type": "correction",
        "source": "crm",
        "customer": "ann",
        "field": "name",
        "refused": "Anna Ortis",
        "stands": "Ann Ortiz",
        "stated_by": "customer",
    }
    stamp = got["headers"]["commsched-timestamp"]
    expected = hmac.new(SECRET.encode(), f"{stamp}.{got['body']}".encode(), sha256).hexdigest()
    assert got["headers"]["commsched-signature"] == f"sha256={expected}"
    assert int(stamp) == int(crm.clock.at.timestamp()) - 86400


def test_the_same_import_again_is_no_new_report(crm, wrong, server):
    """Every night the same value: one report. Another wrong value is another."""
    wrong()
    wrong()
    send(crm)
    wrong(name="Hanna")
    send(crm, days=1)
    assert [json.loads(got["body"])["refused"] for got in server.got] == ["Anna Ortis", "Hanna"]


def test_who_did_not_ask_is_not_told(crm, wrong, server):
    """A source without a table, and an import that was not refused, are nobody's business."""
    wrong(source="dms")
    wrong(name="Ann Ortiz")
    assert rows(crm) == []
    assert send(crm).told == 0
    assert server.got == []


def test_a_server_that_fails_is_asked_again_ever_more_rarely(crm, wrong, server):
    """After a minute, five, half an hour; the report is the same, and goes once it is taken."""
    wrong()
    server.answers(503)
    assert send(crm).problems == ["crm takes no corrections: the server answered 503"]
    assert send(crm, seconds=59).problems == []
    assert send(crm, seconds=1).problems
    assert send(crm, minutes=4).problems == []
    server.answers(204)
    assert send(crm, minutes=1).told == 1
    ids = {json.loads(got["body"])["id"] for got in server.got}
    assert (len(server.got), len(ids)) == (3, 1)


def test_in_the_end_it_is_given_up(crm, wrong, server):
    """A server that never takes it is not asked for ever; the row says why."""
    wrong()
    server.answers(500)
    send(crm)
    for pause in AGAIN:
        crm.clock.at += pause
        send(crm)
    assert [(row.state, row.detail) for row in rows(crm)] == [("given_up", "the server answered 500")]
    assert send(crm, days=30).problems == []
    assert len(server.got) == len(AGAIN) + 1


def test_a_dead_server_is_asked_once_in_a_pass(crm, wrong, server):
    """Of many reports only the first meets the dead server; none is lost."""
    for name in ("a1", "a2", "a3"):
        wrong(name=name)
    server.answers(500)
    send(crm)
    assert len(server.got) == 1
    assert {row.state for row in rows(crm)} == {"waiting"}
    server.answers(200)
    assert send(crm, minutes=2).told == 3


def test_a_redirect_is_not_followed(crm, wrong, server):
    """A report goes where the configuration says, and nowhere else."""
    wrong()
    server.answers(302)
    assert send(crm).problems == ["crm takes no corrections: the server answered 302"]
    assert len(server.got) == 1


def test_two_workers_send_it_once(crm, wrong, server):
    """What one has claimed, the other does not see."""
    wrong()
    with crm.store.write() as connection:
        (claimed,) = queries.claim_corrections(connection, 2**62, 2**62, 10)
    assert claimed.tries == 1
    assert send(crm).told == 0
    assert server.got == []


def test_a_private_address_needs_leave(garage, configuration, server, monkeypatch):
    """Without allow_private there is no plain HTTP, and no server in our own network."""
    monkeypatch.setenv("CRM_SECRET", SECRET)
    table = f'[feedback.crm]\nreport_to = "{server.url}"\nsecret = "env:CRM_SECRET"\n'
    with pytest.raises(ConfigurationError, match="write https://"):
        garage({"config/commsched.toml": f"{configuration}\n{table}"})


def test_a_private_host_behind_https_is_refused_when_it_is_asked(store, noon):
    """A public name may lead into our own network: that is seen before anything is sent."""
    settings = FeedbackSettings(report_to="https://127.0.0.1/x", secret=SECRET)
    row = {
        "customer": "ann",
        "fact": "f",
        "field": "name",
        "source": "crm",
        "state": "waiting",
        "due": 0,
        "body": b"{}",
    }
    store.prepare()
    with store.write() as connection:
        queries.add_corrections(connection, [row])
    (problem,) = Feedback(store, {"crm": settings}).send(noon).problems
    assert "private" in problem


def test_a_secret_is_kept_out_of_the_file_and_long_enough(garage, configuration):
    """It stands in the environment or in a file of its own."""
    table = '[feedback.crm]\nreport_to = "https://crm.example/x"\nsecret = "hunter2hunter2hunter2"\n'
    with pytest.raises(ConfigurationError, match="secret must not stand in the file"):
        garage({"config/commsched.toml": f"{configuration}\n{table}"})
    with pytest.raises(ValidationError, match="shorter than 16"):
        FeedbackSettings(report_to="https://crm.example/x", secret="short")
