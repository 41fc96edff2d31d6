"""SMS text: alphabets, segments, tidying."""

from __future__ import annotations

import pytest

from commsched.render.sms import segments, tidy, without_accents


@pytest.mark.parametrize(
    ("text", "encoding", "units", "count"),
    [
        ("", "GSM-7", 0, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("€" * 81, "GSM-7", 162, 2),
        # 152 places and then a double one: it moves to the next part whole, so 153 is not reached.
        ("a" * 152 + "€" + "b" * 151, "GSM-7", 305, 2),
        ("a" * 152 + "€" + "b" * 152, "GSM-7", 306, 3),
        ("ñ¿¡éüàÇ@£", "GSM-7", 9, 1),
        ("\f^{}\\[~]|€", "GSM-7", 20, 1),
        ("á" * 70, "UCS-2", 70, 1),
        ("á" * 71, "UCS-2", 71, 2),
        ("á" * 134, "UCS-2", 134, 2),
        ("á" * 135, "UCS-2", 135, 3),
        ("😀" * 35, "UCS-2", 70, 1),
        ("😀" * 36, "UCS-2", 72, 2),
        # 67 is odd: each part holds 33 pairs, so 67 pairs need three parts though 134 units would fill two.
        ("😀" * 66, "UCS-2", 132, 2),
        ("😀" * 67, "UCS-2", 134, 3),
        ("€" * 70 + "á", "UCS-2", 71, 2),
        ("\x1b", "UCS-2", 1, 1),
    ],
)
def test_segments(text, encoding, units, count):
    """A text is billed by its alphabet, double characters count twice, and none is cut in two."""
    found = segments(text)
    assert (found.encoding, found.units, found.count) == (encoding, units, count)


def test_tidy():
    """Typography that would double the price becomes plain, and layout in the file becomes single spaces."""
    written = (
        "\n  Don\u2019t \u2014 \u201cwait\u201d\u2026  9:00\u202fAM\u00a0CST\n  same paragraph\n\n\n next\u200b one \n"
    )
    assert tidy(written) == 'Don\'t - "wait"... 9:00 AM CST same paragraph\nnext one'


def test_accents():
    """Only the accents that the GSM alphabet lacks are taken off, also when they come as combining marks."""
    assert (
        without_accents("El sábado, mañana y miércoles: ¿Qué día? Ú ç")
        == "El sabado, mañana y miércoles: ¿Qué dia? U c"
    )
    assert without_accents("sa\u0301bado e\u0301") == "sabado é"
    assert without_accents("日本 😀") == "日本 😀"
