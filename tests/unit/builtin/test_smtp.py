"""E-mail by a mail server: what is said over the wire, what each reply means, what a lost connection means."""

from __future__ import annotations

import asyncio
import os
import socket
from datetime import UTC, datetime, timedelta
from mailbox import Maildir

import pytest
from pydantic import ValidationError
from smtp_server import PASSWORD, USER, mail_server

from commsched import Accepted, Ambiguous, ChannelDown, Outgoing, Refused, TryLater, Unreadable
from commsched.builtin.channels import maildir
from commsched.builtin.channels.smtp import Smtp, SmtpSettings
from commsched.builtin.channels.smtp_replies import outcome_of
from commsched.testing.provider import nobody

ANN = "ann@mail.example"
MIME = (
    b"From: Garage <hello@garage.example>\r\nTo: Ann <ann@mail.example>\r\nSubject: Oil\r\n"
    b"Message-ID: <attempt-1@garage.example>\r\n\r\nDue.\r\n.\r\n..and a dot\r\n"
)


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    with mail_server(tmp_path_factory.mktemp("smtp") / "server") as made:
        yield made


@pytest.fixture
def channel(there):
    return smtp(there)


def smtp(there, **more):
    settings = {
        "host": "localhost",
        "port": there.port,
        "user": USER,
        "password": PASSWORD,
        "authorities": str(there.folder / "certificate.pem"),
        "timeout": 5,
        "final_timeout": 5,
    }
    return Smtp(SmtpSettings.model_validate(settings | more), name="mail")


def outgoing(number=1, mime=MIME, to=ANN):
    now = datetime.now(UTC)
    return Outgoing(
        f"attempt-{number}",
        f"ann/oil/{number}",
        "email",
        to,
        "Ann",
        "Oil",
        "Due.",
        "",
        now + timedelta(hours=1),
        now,
        mime,
    )


def outcome(channel, message=None):
    try:
        return asyncio.run(channel.send(message or outgoing()))
    except (Refused, TryLater, Ambiguous) as error:
        return error


def test_a_message_arrives_as_it_was_written(there, channel):
    """Encrypted, signed in, the same bytes with the same Message-ID; lines that begin with a dot are kept whole."""
    there.answers()
    assert outcome(channel) == Accepted("attempt-1@garage.example")
    (taken,) = there.taken
    assert taken["text"].encode() == MIME
    assert taken["to"] == [ANN]
    (begun,) = there.begun
    assert begun["sender"] == "hello@garage.example"
    assert begun["tls"]


def test_a_connection_is_used_again_and_made_anew_when_it_is_gone(there, channel):
    """Also after a message that was refused; one that the server closed in between costs nothing."""
    there.answers()
    outcome(channel)
    there.answers(rcpt="550 5.1.1 no such user")
    assert isinstance(outcome(channel), Refused)
    there.answers()
    assert isinstance(outcome(channel), Accepted)
    first = there.begun[0]["port"]
    there.answers()
    outcome(channel)
    assert there.begun[0]["port"] == first
    idle = channel._idle.queue[0][1]
    idle.sock.shutdown(socket.SHUT_RDWR)
    there.answers()
    assert isinstance(outcome(channel), Accepted)
    assert there.begun[0]["port"] != first
    assert len(there.taken) == 1


def test_bounces_come_back_to_their_own_address(there):
    """The envelope names it; the From line stays."""
    there.answers()
    outcome(smtp(there, bounces="bounces@garage.example"))
    assert there.begun[0]["sender"] == "bounces@garage.example"


REPLIES = [
    ("mail", "451 4.3.0 later", "later"),
    ("mail", "421 4.3.2 closing", "down"),
    ("mail", "530 5.7.0 sign in first", "down"),
    ("mail", "550 5.7.1 not you", "refused"),
    ("mail", "552 5.3.4 too big", "refused"),
    ("rcpt", "450 4.2.1 mailbox busy", "later"),
    ("rcpt", "451 4.7.1 greylisted, try again", "later"),
    ("rcpt", "452 4.2.2 mailbox full", "later"),
    ("rcpt", "421 4.7.0 too many connections", "down"),
    ("rcpt", "550 5.1.1 no such user", "bad"),
    ("rcpt", "550 5.1.2 no such host", "bad"),
    ("rcpt", "550 5.1.10 null MX", "bad"),
    ("rcpt", "551 5.1.6 has moved", "bad"),
    ("rcpt", "550 no such user here", "bad"),
    ("rcpt", "553 bad mailbox name", "bad"),
    ("rcpt", "550 5.7.1 relaying denied", "refused"),
    ("rcpt", "550 5.2.1 mailbox disabled", "refused"),
    ("rcpt", "552 5.2.2 over quota", "refused"),
    ("rcpt", "554 5.7.1 blocked", "refused"),
    ("data", "250 2.0.0 queued", "accepted"),
    ("data", "451 4.3.0 later", "later"),
    ("data", "452 4.3.1 no room", "later"),
    ("data", "421 4.3.2 closing", "down"),
    ("data", "550 5.7.1 spam", "refused"),
    ("data", "550 no", "refused"),
    ("data", "550 5.1.1 no such user after all", "bad"),
    ("data", "552 5.3.4 too big", "refused"),
    ("data", "554 5.6.0 bad content", "refused"),
]


def meant(found):
    if isinstance(found, Refused):
        return "bad" if found.bad_address else "refused"
    return {Accepted: "accepted", ChannelDown: "down", TryLater: "later", Ambiguous: "doubt"}[type(found)]


@pytest.mark.parametrize(("stage", "reply", "expected"), REPLIES)
def test_every_reply_means_one_outcome(there, channel, stage, reply, expected):
    """By its enhanced code where it has one (RFC 3463), else by the code and whom it is about."""
    there.answers(**{stage: reply})
    assert meant(outcome(channel)) == expected
    assert bool(there.taken) == (expected == "accepted")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        *((code, "down") for code in (421, 432, 454, 530, 534, 535, 538)),
        *((code, "later") for code in (450, 451, 452, 455)),
        *((code, "refused") for code in (500, 501, 502, 503, 504, 523, 550, 552, 554, 555, 556)),
        (354, "doubt"),
        (199, "doubt"),
        (601, "doubt"),
        (-1, "doubt"),
    ],
)
def test_every_code_of_the_standard_means_one_outcome(code, expected):
    """RFC 5321, RFC 4954, RFC 7504; what is none of them leaves it open."""
    assert meant(outcome_of(code, b"words", recipient=False)) == expected
    assert outcome_of(250, b"ok", recipient=True) is None
    assert outcome_of(251, b"will forward", recipient=True) is None


@pytest.mark.parametrize(
    ("stage", "expected"),
    [("mail", TryLater), ("rcpt", TryLater), ("text", TryLater), ("dot", Ambiguous), ("hang", Ambiguous)],
)
def test_fault_6_a_connection_lost_after_the_final_dot_leaves_doubt(there, stage, expected):
    """Before the dot nothing was taken (RFC 1047); after it, nobody knows, and it is not handed over again."""
    there.answers(lose=stage)
    # Long enough for the loss to be noticed before its end.
    mime = MIME + b"and so on\r\n" * 1_000_000 if stage == "text" else MIME
    found = outcome(smtp(there, final_timeout=1.0), outgoing(mime=mime))
    assert type(found) in {expected, ChannelDown} if expected is TryLater else type(found) is expected
    assert len(there.taken) == (stage in {"dot", "hang"})


def test_a_message_whose_text_was_not_asked_for_in_time_comes_back(there, monkeypatch):
    """Whoever waits for the call might give it up; then it must not be handed over, and is not in doubt."""
    monkeypatch.setattr("commsched.builtin.channels.smtp.TEXT", -1.0)
    there.answers()
    assert type(outcome(smtp(there))) is TryLater
    assert there.taken == []


def test_nobody_there_is_a_channel_that_is_down(there):
    """A refused connection, an unknown host, a certificate that nobody vouches for, a wrong password."""
    there.answers()
    with nobody() as url:
        assert meant(outcome(smtp(there, port=int(url.rpartition(":")[2])))) == "down"
    assert meant(outcome(smtp(there, host="no-such-host.invalid"))) == "down"
    assert meant(outcome(smtp(there, authorities=""))) == "down"
    found = outcome(smtp(there, password="wrong-password"))
    assert meant(found) == "down"
    assert "535" in str(found)
    assert "wrong-password" not in str(found)
    assert there.begun == []


def test_a_server_that_does_not_encrypt_gets_nothing(tmp_path):
    """Without STARTTLS neither the password nor the message goes out."""
    with mail_server(tmp_path / "plain", "none") as plain:
        channel = Smtp(
            SmtpSettings(host="localhost", port=plain.port, user=USER, password=PASSWORD, timeout=5), name="mail"
        )
        assert meant(outcome(channel)) == "down"
        assert plain.begun == []


@pytest.mark.parametrize("security", ["tls", "none"])
def test_the_other_ways_to_reach_a_server(tmp_path, security):
    """TLS from the first byte; none, for a server on this machine."""
    with mail_server(tmp_path / "server", security) as server:
        signs_in = {"user": USER, "password": PASSWORD} if security == "tls" else {"user": ""}
        channel = smtp(
            server,
            security=security,
            authorities=str(server.folder / "certificate.pem") if security == "tls" else "",
            **signs_in,
        )
        assert isinstance(outcome(channel), Accepted)
        assert len(server.taken) == 1


def test_a_password_in_the_clear_is_no_setting():
    """It would stand in every log on the way."""
    with pytest.raises(ValidationError, match="must not go in the clear"):
        SmtpSettings(host="smtp.example.org", security="none", user="me", password="x")


def test_many_at_once_share_the_connections(there):
    """No more connections than there may be, and every message once."""
    there.answers()
    channel = smtp(there, connections=3)

    async def all_of_them():
        return await asyncio.gather(*(channel.send(outgoing(number)) for number in range(20)))

    assert all(isinstance(one, Accepted) for one in asyncio.run(all_of_them()))
    assert len(there.taken) == 20
    assert len({one["port"] for one in there.begun}) <= 3


def test_what_lies_in_the_maildir_is_told_once_it_is_new(there, tmp_path):
    """Since the given time; without a Maildir there is nothing, and one that cannot be read is no silence."""
    box = Maildir(tmp_path / "box")
    box.add(
        b"From: Ann <ann@mail.example>\nMessage-ID: <r1@mail.example>\n"
        b"In-Reply-To: <attempt-1@garage.example>\n\nYes, fine.\n"
    )
    channel = smtp(there, maildir=str(tmp_path / "box"))
    now = datetime.now(UTC)
    (event,) = asyncio.run(channel.inbound(now - timedelta(hours=1)))
    assert (event.kind, event.attempt, event.address, event.text) == ("reply", "attempt-1", ANN, "Yes, fine.")
    assert asyncio.run(channel.inbound(now + timedelta(hours=1))) == []
    assert asyncio.run(smtp(there).inbound(now)) == []
    with pytest.raises(Unreadable):
        asyncio.run(smtp(there, maildir=str(tmp_path / "gone")).inbound(now))


def test_old_mail_is_not_opened_and_new_mail_only_once(there, tmp_path, monkeypatch):
    """What is asked for again is told again, though nothing is read twice; what was moved to `cur` is the same mail."""
    box = Maildir(tmp_path / "box")
    keys = [box.add(f"From: Ann <ann@mail.example>\nMessage-ID: <r{n}@x.example>\n\nYes.\n".encode()) for n in range(3)]
    now = datetime.now(UTC)
    old = (now - timedelta(days=2)).timestamp()
    os.utime(tmp_path / "box" / "new" / keys[0], (old, old))
    opened = []
    real = maildir.events_of
    monkeypatch.setattr(maildir, "events_of", lambda data, at: opened.append(data) or real(data, at))
    channel = smtp(there, maildir=str(tmp_path / "box"))
    first = asyncio.run(channel.inbound(now - timedelta(hours=1)))
    (tmp_path / "box" / "new" / keys[1]).rename(tmp_path / "box" / "cur" / f"{keys[1]}:2,S")
    again = asyncio.run(channel.inbound(now - timedelta(hours=1)))
    assert sorted(one.id for one in first) == sorted(one.id for one in again)
    assert (len(first), len(opened)) == (2, 2)


def test_more_mail_than_can_be_read_in_time(there, tmp_path, monkeypatch):
    """Nothing is told until all of it was read, and each call goes on where the last one stopped: none is lost."""
    box = Maildir(tmp_path / "box")
    for number in range(5):
        box.add(f"From: Ann <ann@mail.example>\nMessage-ID: <r{number}@x.example>\n\nYes.\n".encode())
    channel = smtp(there, maildir=str(tmp_path / "box"))
    since = datetime.now(UTC) - timedelta(hours=1)
    clock = iter(range(0, 1000, 3))
    monkeypatch.setattr(maildir, "monotonic", lambda: next(clock))
    for _ in range(10):
        try:
            found = asyncio.run(channel.inbound(since))
        except TryLater:
            continue
        break
    assert len(found) == 5


def test_it_is_waited_for_as_long_as_it_may_take(there):
    """The reply to the final dot may take ten minutes (RFC 5321, 4.5.3.2.6)."""
    assert smtp(there, final_timeout=600).patience >= timedelta(minutes=10)
