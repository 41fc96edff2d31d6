"""What an e-mail that came in tells: a bounce, a complaint, an answer, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from commsched.builtin.channels.mail_events import events_of, is_gone

AT = datetime(2026, 11, 23, 15, tzinfo=UTC)
ANN = "ann@mail.example"


def mail(head, body="Yes, fine.\n"):
    return (f"From: Ann <{ANN}>\nTo: hello@garage.example\nMessage-ID: <r1@mail.example>\n{head}\n\n{body}").encode()


def bounce(code, words, action="failed"):
    """As Postfix writes one (RFC 3464)."""
    return f"""\
Return-Path: <>
From: MAILER-DAEMON@mail.example
To: hello@garage.example
Subject: Undelivered Mail Returned to Sender
Message-ID: <b1@mail.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="x"

--x
Content-Type: text/plain

I'm sorry. <{ANN}>: {words}

--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example

Final-Recipient: rfc822; {ANN}
Action: {action}
Status: {code}
Diagnostic-Code: smtp; 550 {code} {words}

--x
Content-Type: text/rfc822-headers

From: hello@garage.example
To: {ANN}
Subject: Oil
Message-ID: <attempt-1@garage.example>

--x--
""".encode()


@pytest.mark.parametrize(
    ("code", "words", "kind"),
    [
        ("5.1.1", "user unknown", "bounced"),
        ("5.1.2", "Host or domain name not found", "bounced"),
        ("5.1.10", "Recipient address has null MX", "bounced"),
        ("5.0.0", "No such user here", "bounced"),
        ("5.1.1", "mailbox is full, over quota", "undelivered"),
        ("5.2.2", "mailbox full", "undelivered"),
        ("5.7.1", "blocked as spam", "undelivered"),
        ("5.4.7", "delivery time expired", "undelivered"),
        ("5.7.26", "DMARC policy of the domain", "undelivered"),
    ],
)
def test_a_bounce_says_whether_the_address_is_gone(code, words, kind):
    """With the attempt from our own Message-ID, and the address; a full mailbox is no reason to give an address up."""
    (event,) = events_of(bounce(code, words), AT)
    assert (event.kind, event.address, event.attempt, event.reference) == (
        kind,
        ANN,
        "attempt-1",
        "attempt-1@garage.example",
    )
    assert (event.at, event.detail) == (AT, code)
    assert list(events_of(bounce(code, words), AT)) == [event]


def test_a_notice_of_delay_tells_nothing():
    """The server still tries."""
    assert list(events_of(bounce("4.4.1", "connection timed out", action="delayed"), AT)) == []


@pytest.mark.parametrize(
    ("feedback", "kinds"),
    [("abuse", ["complaint"]), ("opt-out", ["opt_out"]), ("fraud", ["complaint"]), ("not-spam", [])],
)
def test_a_feedback_report_is_a_complaint(feedback, kinds):
    """RFC 5965; an opt-out sent this way is one, and "not spam" is good news."""
    report = f"""\
From: feedback@provider.example
Message-ID: <f1@provider.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="x"

--x
Content-Type: text/plain

This is an abuse report.
--x
Content-Type: message/feedback-report

Feedback-Type: {feedback}
User-Agent: Some/1.0
Version: 1
Original-Rcpt-To: <{ANN}>

--x
Content-Type: message/rfc822

From: hello@garage.example
To: {ANN}
Message-ID: <attempt-1@garage.example>

Due.
--x--
"""
    found = list(events_of(report.encode(), AT))
    assert [one.kind for one in found] == kinds
    assert all((one.address, one.attempt) == (ANN, "attempt-1") for one in found)


@pytest.mark.parametrize(
    "head",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated; type=x",
        "Precedence: bulk",
        "Precedence: auto_reply",
        "X-Autoreply: yes",
        "X-Autorespond: Oil",
        "Subject: Automatic reply: Oil",
        "Subject: Out of Office: Oil",
        "Subject: Abwesenheitsnotiz: Oil",
        "Subject: Respuesta automática: Oil",
        "Subject: =?utf-8?q?Respuesta_autom=C3=A1tica?=: Oil",
        "List-Id: <club.example>",
    ],
)
def test_what_a_machine_wrote_back_tells_nothing(head):
    """Neither an answer nor a stop, even where it says so (mautic #2761)."""
    assert list(events_of(mail(head, "I am away. Please unsubscribe me.\n"), AT)) == []


@pytest.mark.parametrize(
    "head",
    [
        "Subject: Re: Oil",
        "Subject: office plants",
        "Auto-Submitted: no",
        "Precedence: first-class",
        "X-Auto-Response-Suppress: All",
    ],
)
def test_what_a_person_wrote_is_a_reply(head):
    """With what it answers."""
    (event,) = events_of(mail(f"In-Reply-To: <attempt-1@garage.example>\n{head}"), AT)
    assert (event.kind, event.address, event.attempt, event.text) == ("reply", ANN, "attempt-1", "Yes, fine.")


@pytest.mark.parametrize(
    "quoted",
    [
        "> Oil is due.\n",
        "On Mon, Nov 23, 2026 at 9:00 AM Garage <hello@garage.example> wrote:\n> Oil\n",
        "-----Original Message-----\nFrom: x\n",
        "Am 23.11.2026 um 09:00 schrieb Garage:\n> Oil\n",
        "________________________________\nFrom: Garage\n",
    ],
)
def test_what_is_quoted_is_not_what_they_wrote(quoted):
    """Our own word "stop" in it is not theirs."""
    (event,) = events_of(mail("Subject: Re: Oil", f"Yes, fine.\n\n{quoted}Reply STOP to stop.\n"), AT)
    assert event.text == "Yes, fine."


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\x00",
        b"Content-Type: multipart/mixed\n\nx",
        b"Content-Type: text/plain; charset=klingon\n\nhi",
        b"Subject: =?utf-8?b?!!!?=\n\n",
        b"From: <>\n\nx",
        b"Content-Type: message/rfc822\n\n",
    ],
)
def test_whatever_comes_in_is_read_without_an_error(data):
    """At most a reply from nobody."""
    assert all(one.kind == "reply" for one in events_of(data, AT))


def test_a_program_that_failed_on_their_side_is_not_the_address():
    """Whatever code it gives."""
    assert not is_gone("5.1.1 user unknown. Command output: procmail: disk full")


@pytest.mark.parametrize(
    "head",
    [
        "Subject: =?utf-8?b?a?=",
        "Content-Type: text/plain; charset=idna",
        "Content-Type: text/plain; charset=undefined",
        'Content-Type: text/plain; charset="\0"',
        "Message-ID: =?utf-8?b?a?=\nSubject: hi",
    ],
)
def test_a_mail_that_is_written_wrongly_is_read_all_the_same(head):
    """Anybody may write anything; what stands in the mail counts, and nothing is raised."""
    (found,) = events_of(mail(head, "STOP\n"), AT)
    assert (found.kind, found.address, found.text.strip()) == ("reply", ANN, "STOP")


def test_a_mail_of_many_mails_within_mails_is_somebodys_answer():
    """Python's reader gives up on it; it must not keep the mailbox from being read."""
    head = "\n".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}' for n in range(1500))
    (found,) = events_of(mail(head), AT)
    assert (found.kind, found.address) == ("reply", ANN)


def test_what_nobody_has_sent_tells_nothing():
    """Bytes without a sender, however odd, are no event."""
    assert events_of(b"\xff\0" * 9, AT) == ()
