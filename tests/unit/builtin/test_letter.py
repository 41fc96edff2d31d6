"""Letters as PDF: one for an attempt or none, where the window of the envelope is, in any language."""

from __future__ import annotations

import asyncio
import json
import re
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commsched import Accepted, Attempt, Outgoing, Refused, TryLater
from commsched.builtin.channels.letter import Letter, LetterSettings

AT = datetime(2026, 11, 23, 15, tzinfo=UTC)
TO = "2100 Ridge Avenue\nEvanston, IL 60201"
DEJAVU = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")


def post(folder, **settings):
    return Letter(LetterSettings.model_validate(settings), name="post", folder=folder)


def letter(number=1, to=TO, text="Please come in.\n\nYours, Northside", **fields):
    given = {"send_by": AT + timedelta(hours=1), "at": AT}
    return Outgoing(
        f"a{number}", f"ann/recall/{number}", "letter", to, "Ann Example", "A recall", text, "", **given | fields
    )


def attempt(number):
    return Attempt(f"a{number}", f"ann/recall/{number}", "ann", "post", TO, AT, AT)


def lines(folder):
    return [json.loads(line) for line in (folder / "var/letters/manifest.jsonl").read_text().splitlines()]


def words(pdf):
    """What stands on the pages, as the built-in font writes it."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    text = b"".join(zlib.decompress(stream) for stream in streams)
    return b" ".join(re.findall(rb"\(((?:[^()\\]|\\.)*)\)\s*Tj", text)).decode("latin-1")


def test_a_letter_is_a_file_and_a_line(tmp_path):
    """The line names file and address; the sheet has the address, the subject and the words."""
    channel = post(tmp_path, sender="Northside Motors, Evanston", sheet="Letter")
    assert asyncio.run(channel.send(letter())) == Accepted("a1.pdf")
    assert lines(tmp_path) == [
        {"attempt": "a1", "file": "a1.pdf", "name": "Ann Example", "address": TO, "at": AT.isoformat()}
    ]
    pdf = (tmp_path / "var/letters/a1.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-")
    found = words(pdf)
    assert [
        found.index(one) for one in ("Northside Motors", "Ann Example", "2100 Ridge", "A recall", "Please come")
    ] == sorted(
        found.index(one) for one in ("Northside Motors", "Ann Example", "2100 Ridge", "A recall", "Please come")
    )


def test_the_same_message_gives_the_same_bytes(tmp_path):
    """Whenever it is printed, so that a second copy can be known as one."""
    first, second = (post(tmp_path / name).sheet(letter()) for name in ("one", "two"))
    assert first == second


def test_an_attempt_is_printed_once_or_never(tmp_path):
    """Handed over twice it is one letter; asked for before it was handed over, it never becomes one."""
    channel, other = post(tmp_path), post(tmp_path)
    for one in (channel, other, channel):
        assert asyncio.run(one.send(letter())) == Accepted("a1.pdf")
    assert asyncio.run(other.lookup(attempt(1))).state == "accepted"
    assert asyncio.run(other.lookup(attempt(2))) is None
    with pytest.raises(TryLater):
        asyncio.run(channel.send(letter(2)))
    assert [line.get("attempt", line.get("void")) for line in lines(tmp_path)] == ["a1", "void a2"]


def test_a_letter_without_an_address_is_refused(tmp_path):
    """The address is the reason, and nothing is written."""
    with pytest.raises(Refused) as refused:
        asyncio.run(post(tmp_path).send(letter(to=" ")))
    assert refused.value.bad_address
    assert not (tmp_path / "var").exists()


def test_a_late_letter_comes_back(tmp_path):
    """Its window has closed."""
    with pytest.raises(TryLater):
        asyncio.run(post(tmp_path).send(letter(send_by=AT - timedelta(seconds=1))))


def test_a_folder_that_cannot_be_written_takes_nothing(tmp_path):
    """A file stands where the folder should be."""
    (tmp_path / "var").write_text("")
    with pytest.raises(TryLater):
        asyncio.run(post(tmp_path).send(letter()))


def test_no_name_is_written_wrongly(tmp_path):
    """What the built-in font lacks is refused, not replaced; Western Europe's letters are there."""
    with pytest.raises(Refused, match="TrueType"):
        asyncio.run(post(tmp_path).send(letter(text="Łukasz")))
    assert asyncio.run(post(tmp_path).send(letter(2, text="Grüße, señor Çelik"))) == Accepted("a2.pdf")


@pytest.mark.skipif(not DEJAVU.exists(), reason="DejaVu, a font with more characters, is not on this machine")
def test_a_font_of_its_own_has_more_characters(tmp_path):
    """Polish, Greek, Cyrillic; still the same bytes each time."""
    channel = post(tmp_path, font=str(DEJAVU))
    message = letter(text="Łukasz, Ελένη, Иван")
    assert asyncio.run(channel.send(message)) == Accepted("a1.pdf")
    assert channel.sheet(message) == post(tmp_path / "other", font=str(DEJAVU)).sheet(message)


def test_a_long_letter_has_several_pages(tmp_path):
    """Nothing is cut off."""
    pdf = post(tmp_path).sheet(letter(text="\n".join(f"Line {number}" for number in range(120))))
    assert len(re.findall(rb"/Type /Page\b", pdf)) > 1
    assert "Line 119" in words(pdf)


def test_a_letter_that_is_forgotten_is_gone_and_was_accepted(tmp_path):
    """The manifest keeps the attempt without a name or an address, and nothing is printed again."""
    channel = post(tmp_path)
    asyncio.run(channel.send(letter(1)))
    asyncio.run(channel.send(letter(2)))
    channel.forget(["a1"])
    assert lines(tmp_path)[0] == {"attempt": "a1"}
    assert sorted(path.name for path in (tmp_path / "var/letters").glob("*.pdf")) == ["a2.pdf"]
    assert asyncio.run(post(tmp_path).send(letter(1))) == Accepted("a1.pdf")
    assert len(lines(tmp_path)) == 2
