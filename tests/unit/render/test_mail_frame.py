"""E-mail as bytes, read back by the standard library's parser."""

from __future__ import annotations

import email
from datetime import UTC, datetime, timedelta, timezone
from email import policy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commsched.errors import UnsafeHeader
from commsched.render.content import Content
from commsched.render.mail import Mailbox, frame, quoted_printable

SENDER = Mailbox("Northside Motors", "service@northside.example")
RECIPIENT = Mailbox("Maria López", "maria@example.org")
DATE = datetime(2026, 11, 1, 10, 30, 5, tzinfo=UTC)
ID = "k1.abc@northside.example"


def framed(content=None, sender=SENDER, recipient=RECIPIENT, message_id=ID, date=DATE, **options):
    return frame(content or Content("Hello", "Text\n", "<p>HTML</p>\n"), sender, recipient, message_id, date, **options)


def parsed(data):
    found = email.message_from_bytes(data, policy=policy.default)
    assert not found.defects
    for part in found.walk():
        assert not part.defects
        for value in part.values():
            assert not value.defects, (value, value.defects)
    return found


def bodies(found):
    return [part.get_content().replace("\r\n", "\n") for part in found.iter_parts()]


def test_everything_comes_back():
    """Names, addresses, subject, date, id and both bodies come back as they were put in."""
    found = parsed(framed(Content("Your oil change", "Text é\n", "<p>HTML é</p>\n")))
    assert (found["From"].addresses[0].display_name, found["From"].addresses[0].addr_spec) == (
        SENDER.name,
        SENDER.address,
    )
    assert (found["To"].addresses[0].display_name, found["To"].addresses[0].addr_spec) == (
        RECIPIENT.name,
        RECIPIENT.address,
    )
    assert found["Subject"] == "Your oil change"
    assert found["Date"].datetime == DATE
    assert found["Message-ID"] == f"<{ID}>"
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["MIME-Version"] == "1.0"
    assert found.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in found.iter_parts()] == ["text/plain", "text/html"]
    assert bodies(found) == ["Text é\n", "<p>HTML é</p>\n"]


def test_text_alone():
    """A mail without HTML is a single text part."""
    found = parsed(framed(Content("Hello", "Only text\n")))
    assert found.get_content_type() == "text/plain"
    assert found.get_content().replace("\r\n", "\n") == "Only text\n"


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "Plain",
        "word " * 60,
        "x" * 300,
        "Über " * 40,
        "é" * 200,
        "日本語の件名" * 34,
        "👩\u200d🔧 Inspection 😀" * 12,
        "شكرا لك على زيارتك" * 10,
        "=?utf-8?b?aGFsbG8=?= is no code",
        'Quotes " and \\ and (brackets) <x@y.example>',
        "Ends in a colon: and; more, commas",
    ],
)
def test_subjects(subject):
    """A subject of any length and script comes back, and no line is over 78 characters."""
    data = framed(Content(subject, "Text\n"))
    assert parsed(data)["Subject"] == " ".join(subject.split())
    assert max(map(len, data.split(b"\r\n"))) <= 78


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Maria Lopez",
        "Lopez, Maria",
        'Jo "the wrench" O\\Neil',
        "J. R. (Bob) Dobbs",
        "محمد عبد الله",
        "שרה כהן",
        "李小龍",
        "الأستاذ الدكتور محمد عبد الله بن عبد العزيز آل الشيخ",
        'A "long" name, with commas, that goes on, and on, and on, and on, past the end of its line',
        "Zoë 😀 Ångström-Çelik",
        "A very long name that belongs to an association of owners of a very large house " * 2,
        "=?utf-8?q?trick?=",
    ],
)
def test_names(name):
    """A name of any script comes back beside its address."""
    found = parsed(framed(recipient=Mailbox(name, "someone@example.org")))
    address = found["To"].addresses[0]
    # The standard library adds a space between two encoded words of a name.
    assert (" ".join(address.display_name.split()), address.addr_spec) == (
        " ".join(name.split()),
        "someone@example.org",
    )
    assert len(found["To"].addresses) == 1


@pytest.mark.parametrize(
    "text",
    [
        ".\n",
        ".leading dot\n..two\n",
        "From the start\n>From quoted\nFrom again\n",
        "x" * 5000 + "\n",
        ("." * 74 + "\n") + ("." * 75 + "\n") + ("." * 76 + "\n"),
        "From " + "y" * 69 + "\nFrom " + "y" * 70 + "\n",
        "a" * 73 + "." + "From there on\n",
        "a" * 73 + "From there on and on and on\n",
        "trailing space \nand tab\t\n \n\t\n",
        "=" * 400 + "\n",
        "é" * 300 + "\n",
        "😀" * 100 + " \n",
        "--=_boundary\n--\n",
        "no newline at the end",
        "ends with a space ",
        "\n\nfirst lines are empty\n",
        "control \x00 \x07 \x1b characters\n",
        "a\nb\n\n\nc\n",
    ],
)
def test_bodies(text):
    """Dots, "From ", long lines, blanks at line ends and any script come back; lines keep to 76 columns."""
    data = framed(Content("Hello", text, text))
    assert bodies(parsed(data)) == [text, text]
    lines = data.split(b"\r\n")
    assert max(map(len, lines)) <= 78
    assert not any(line.startswith((b".", b"From ")) for line in lines)
    assert not any(line.endswith((b" ", b"\t")) for line in lines)
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert data.isascii()


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=400))
def test_any_body(text):
    """Whatever is put in comes back."""
    data = quoted_printable(text)
    found = email.message_from_bytes(
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + data
    )
    assert found.get_payload(decode=True).replace(b"\r\n", b"\n").decode() == text
    assert all(len(line) <= 76 for line in data.split(b"\r\n"))


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=250), st.text(max_size=100))
def test_any_header(subject, name):
    """Whatever a subject or a name holds, the mail has the same headers and nobody else is written to."""
    found = parsed(
        framed(Content(subject, "Text\n"), recipient=Mailbox(name.encode("utf-8", "replace").decode(), "a@example.org"))
    )
    assert [field.lower() for field in found][:3] == ["from", "to", "subject"]
    assert [address.addr_spec for address in found["To"].addresses] == ["a@example.org"]


def test_crlf_in_text():
    """Line ends of any system come out as CRLF."""
    assert quoted_printable("a\r\nb\rc\n") == b"a\r\nb\r\nc\r\n"


def test_no_injection_through_text():
    """A subject or a name with line breaks adds no header and no recipient."""
    content = Content("Hello\r\nBcc: spy@example.org", "Text\n")
    found = parsed(framed(content, recipient=Mailbox("A\nBcc: spy@example.org\u2028\x00", "a@example.org")))
    assert "Bcc" not in found
    assert found["Subject"] == "Hello Bcc: spy@example.org"
    assert found["To"].addresses[0].display_name == "A Bcc: spy@example.org"


@pytest.mark.parametrize(
    "options",
    [
        {"recipient": Mailbox("A", "a@example.org\r\nBcc: spy@example.org")},
        {"recipient": Mailbox("A", "a@example.org>, <spy@example.org")},
        {"recipient": Mailbox("A", "a@example.org, spy@example.org")},
        {"recipient": Mailbox("A", "no-address")},
        {"recipient": Mailbox("A", "a b@example.org")},
        {"recipient": Mailbox("A", "josé@example.org")},
        {"recipient": Mailbox("A", f"a@{'é' * 80}.example")},
        {"sender": Mailbox("A", "a@example.org\n")},
        {"message_id": "a b@example.org"},
        {"message_id": "a@example.org>\r\nBcc: x"},
        {"headers": {"X-A": "b\r\nBcc: spy@example.org"}},
        {"headers": {"X-A: b\r\nBcc": "c"}},
        {"headers": {"Subject": "another"}},
        {"headers": {"content-type": "text/html"}},
        {"headers": {"Reply-To": Mailbox("A", "a@example.org\r\n")}},
        {"unsubscribe": "mailto:a@example.org>\r\nBcc: x"},
        {"unsubscribe": "https://example.org/"},
    ],
)
def test_refused(options):
    """An address, id or header that could add another is refused."""
    with pytest.raises(UnsafeHeader, match="cannot stand"):
        framed(**options)


def test_international_domain():
    """An address in an internationalised domain is written in its ASCII form."""
    assert (
        parsed(framed(recipient=Mailbox("A", "a@bücher.example")))["To"].addresses[0].addr_spec
        == "a@xn--bcher-kva.example"
    )


def test_further_headers():
    """Further headers, a mailbox among them, and an address to unsubscribe come through."""
    found = parsed(
        framed(
            headers={"Reply-To": Mailbox("Werkstatt Süd", "r@example.org"), "X-Note": "Größe " * 30},
            unsubscribe="mailto:stop@northside.example?subject=stop",
        )
    )
    assert found["Reply-To"].addresses[0].display_name == "Werkstatt Süd"
    assert found["X-Note"] == ("Größe " * 30).strip()
    assert found["List-Unsubscribe"] == "<mailto:stop@northside.example?subject=stop>"


def test_same_bytes():
    """The same mail is the same bytes, and another id has another boundary."""
    assert framed() == framed()
    first, second = parsed(framed()), parsed(framed(message_id="k2@northside.example"))
    assert first.get_boundary() != second.get_boundary()


def test_angle_brackets_and_zone():
    """An id may come in angle brackets, and a date in any zone is written in UTC."""
    data = framed(message_id=f"<{ID}>", date=DATE.astimezone(timezone(timedelta(hours=-5))))
    assert b"Date: Sun, 01 Nov 2026 10:30:05 +0000\r\n" in data
    assert f"Message-ID: <{ID}>\r\n".encode() in data
