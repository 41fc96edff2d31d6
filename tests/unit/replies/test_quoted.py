"""What somebody writes above a quotation of our mail."""

import pytest

from commsched.replies.quoted import said

QUOTED = "> Reply to this mail with stop\n> Northside Motors\n"


@pytest.mark.parametrize(
    "line",
    [
        "On Tue, Dec 1, 2026 at 9:02 AM Northside Motors <service@northside-motors.example> wrote:",
        "Am 1. Dez. 2026 um 09:02 schrieb Northside Motors <service@northside-motors.example>:",
        "Le mar. 1 déc. 2026 à 09:02, Northside Motors <service@northside-motors.example> a écrit :",
        "El mar, 1 dic 2026 a las 9:02, Northside Motors (<service@northside-motors.example>) escribió:",
        "-----Original Message-----\nFrom: Northside Motors\nSent: Tuesday\nTo: Ana\nSubject: Your appointment\n",
    ],
)
def test_only_their_own_words(line):
    """The quotation is ours, in whatever language the mail program announces it; it stops nothing."""
    assert said(f"Yes, I will be there.\r\n\r\n{line}\r\n{QUOTED}") == "Yes, I will be there."


def test_quoted_lines_without_an_announcement():
    """Some programs only mark the lines."""
    assert said(f"See you then\n{QUOTED}") == "See you then"


def test_nothing_but_a_quotation():
    """Whoever sends our mail back has said nothing."""
    assert said(QUOTED) == ""
