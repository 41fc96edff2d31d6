"""CEL's complaints in an operator's words, where the complaint itself is odd."""

from __future__ import annotations

import pytest

from commsched.rules.celerrors import explain, place_in


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ("INTERNAL: something broke", "INTERNAL: something broke."),
        ("ERROR: <input>:1:3: a new kind of complaint [INVALID_ARGUMENT]", "column 3: a new kind of complaint."),
        ("ERROR: <input>:9:3: a place that is not there", "column 3: a place that is not there."),
        (
            "ERROR: <input>:1:1: undeclared reference to 'x' (in container '')",
            ("column 1: there is no 'x' here (nothing is known here)."),
        ),
        (
            "ERROR: <input>:1:1: found no matching overload for '_?_' applied to '(map(string, int), dyn)'",
            ("column 1: '?' cannot take map(string, int) and dyn."),
        ),
    ],
)
def test_a_complaint_is_never_lost(report, said):
    """A report that nobody foresaw is handed on as it is."""
    assert explain(report, "x", ()) == said


def test_a_line_is_said_only_where_there_are_several():
    """The one line of an expression is not counted."""
    assert place_in("a\n", 1, 3) == "column 3"
    assert place_in("a\nb", 2, 3) == "line 2, column 3"
