"""Mail that comes in by IMAP, from a real server: each taken once, nothing changed there, nothing in the clear."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from imap_server import PASSWORD, USER, imap_server

from commsched import TryLater, Unreadable
from commsched.builtin.channels import imap
from commsched.builtin.channels.smtp import Smtp, SmtpSettings

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


@pytest.fixture
def box(tmp_path):
    with imap_server(tmp_path / "imap") as made:
        yield made


def channel(box, **more):
    settings = {
        "host": "localhost",
        "imap_host": "localhost",
        "imap_port": box.port,
        "imap_security": "starttls",
        "imap_user": USER,
        "imap_password": PASSWORD,
        "authorities": str(box.certificate),
        "timeout": 5,
    }
    return Smtp(SmtpSettings.model_validate(settings | more), name="mail")


def answer(number=1, text="Yes, fine.", more=""):
    return (
        f"From: Ann <ann@mail.example>\r\nMessage-ID: <r{number}@mail.example>\r\n{more}"
        f"In-Reply-To: <attempt-{number}@garage.example>\r\n\r\n{text}\r\n"
    ).encode()


def told(made, since=NOW - HOUR):
    return asyncio.run(made.inbound(since))


def test_what_came_in_is_told(box):
    """Answers, bounces and absence notes told apart, by when they came in; what is older is not told."""
    box.add(answer(1), NOW)
    box.add(answer(2, "I am away.", "Auto-Submitted: auto-replied\r\n"), NOW)
    box.add(answer(3), NOW - 3 * HOUR)
    box.add(answer(4), NOW - timedelta(days=9))
    box.add(
        b"From: MAILER-DAEMON@mx.example\r\nMessage-ID: <b5@mx.example>\r\nSubject: Undelivered\r\n"
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="q"\r\n\r\n'
        b"--q\r\n\r\nNo.\r\n--q\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        b"Final-Recipient: rfc822; bob@mail.example\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        b"Diagnostic-Code: smtp; 550 5.1.1 user unknown\r\n\r\n--q\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        b"Message-ID: <attempt-5@garage.example>\r\n\r\n--q--\r\n",
        NOW,
    )
    found = [(one.kind, one.attempt, one.address, one.at) for one in told(channel(box))]
    assert found == [
        ("reply", "attempt-1", "ann@mail.example", NOW),
        ("bounced", "attempt-5", "bob@mail.example", NOW),
    ]
    assert [one.attempt for one in told(channel(box), NOW - 4 * HOUR)] == ["attempt-1", "attempt-3", "attempt-5"]


def test_each_is_fetched_once_and_nothing_is_changed(box, monkeypatch):
    """What is asked for again is told again, with the same ids, and fetched once; it stays unread where it lies."""
    box.add(answer(1), NOW)
    before = box.flags()
    opened = []
    real = imap.events_of
    monkeypatch.setattr(imap, "events_of", lambda data, at: opened.append(data) or real(data, at))
    made = channel(box)
    first = told(made)
    box.add(answer(2), NOW)
    again = told(made)
    assert [one.id for one in again][:1] == [one.id for one in first]
    assert (len(first), len(again), len(opened)) == (1, 2, 2)
    assert box.flags()[0] == before[0]
    assert b"Seen" not in b"".join(box.flags())
    # Another process, which remembers nothing, tells the same.
    assert [one.id for one in told(channel(box))] == [one.id for one in again]


def test_a_mailbox_that_was_made_anew(box):
    """UIDs count for one UIDVALIDITY only: what is new under an old UID is read."""
    made = channel(box)
    box.add(answer(1), NOW)
    assert [one.attempt for one in told(made)] == ["attempt-1"]
    kept = made._boxes["mailbox at localhost"]
    kept._validity = "another"
    kept._read = {uid: (at, []) for uid, (at, _) in kept._read.items()}
    assert [one.attempt for one in told(made)] == ["attempt-1"]


def test_more_than_can_be_read_in_time(box, monkeypatch):
    """Nothing is told until all of it was read, and each call goes on where the last one stopped."""
    for number in range(4):
        box.add(answer(number), NOW)
    clock = iter(range(0, 1000, 3))
    monkeypatch.setattr(imap, "monotonic", lambda: next(clock))
    made, tries = channel(box), 0
    while True:
        try:
            found = told(made)
            break
        except TryLater:
            tries += 1
    assert (len(found), tries > 0) == (4, True)


def test_a_mail_of_any_size_is_read_at_its_beginning(box, monkeypatch):
    """No more than so much of it is fetched."""
    monkeypatch.setattr(imap, "MOST", 300)
    box.add(answer(1, "STOP" + "\r\n> x" * 10_000), NOW)
    (event,) = told(channel(box))
    assert event.text == "STOP"


@pytest.mark.parametrize(
    "wrong",
    [{"authorities": ""}, {"imap_password": "wrong"}, {"imap_port": 1}, {"imap_folder": 'no"such\\box'}],
    ids=["nobody vouches", "password", "nobody there", "no such box"],
)
def test_what_cannot_be_read_is_no_silence(box, wrong):
    """A problem is told, without what the server or the settings say."""
    with pytest.raises(Unreadable) as caught:
        told(channel(box, **wrong))
    assert "wrong" not in str(caught.value)


def test_it_is_always_encrypted():
    """There is no setting by which a password would go in the clear."""
    with pytest.raises(ValueError, match="imap_security"):
        SmtpSettings.model_validate({"host": "x", "imap_host": "x", "imap_security": "none"})
