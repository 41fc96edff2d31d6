"""CEL behind its adapter: what is true, what is false, what has no answer, and what never loads."""

from __future__ import annotations

import timeit
from datetime import UTC, datetime

import pytest

from commsched.errors import ExpressionError
from commsched.rules.expressions import (
    Declarations,
    booleans,
    compile_expression,
    lists,
    numbers,
    strings,
)

NAMES = Declarations(
    {
        **strings("mood", "customer.name", "asset.fuel"),
        **booleans("booked", "asset.in_use"),
        **numbers("asset.value", "event.amount"),
        **lists("replied"),
        "asset.seats": "integer",
        "seen": "timestamp",
    }
)


def holds(text, **values):
    return compile_expression(text, NAMES, where="when").holds({k.replace("__", "."): v for k, v in values.items()})


@pytest.mark.parametrize(
    ("text", "values", "answer"),
    [
        ('mood == "fine"', {"mood": "fine"}, True),
        ('mood == "fine"', {"mood": ""}, False),
        ('mood == "fine"', {}, None),
        ('mood == "fine"', {"mood": None}, None),
        ('mood == "fine"', {"mood": 3}, None),
        ("booked", {"booked": True}, True),
        ("booked", {"booked": 1}, None),
        ("booked", {"booked": "yes"}, None),
        ("asset.value > 3.0", {"asset__value": 4.5}, True),
        ("asset.value > 3.0", {"asset__value": 4}, True),
        ("asset.value > 3.0", {"asset__value": True}, None),
        ("asset.value > 3.0", {"asset__value": 10**400}, None),
        ("asset.seats > 3", {"asset__seats": 4}, True),
        ("asset.seats > 3", {"asset__seats": 4.0}, None),
        ("asset.seats > 3", {"asset__seats": True}, None),
        ("asset.seats > 3", {"asset__seats": 2**70}, None),
        ('"a" in replied', {"replied": ["a", "b"]}, True),
        ('"a" in replied', {"replied": ("a", "b")}, True),
        ('"c" in replied', {"replied": ()}, False),
        ('"c" in replied', {"replied": [1]}, None),
        ('"c" in replied', {"replied": "c"}, None),
        ('seen > timestamp("2026-01-01T00:00:00Z")', {"seen": datetime(2026, 2, 1, tzinfo=UTC)}, True),
        (
            'seen > timestamp("2026-01-01T00:00:00Z")',
            {"seen": datetime(2026, 2, 1, tzinfo=UTC).replace(tzinfo=None)},
            None,
        ),
        # Errors at run time are no answer, though CEL gives them as values that are true.
        ("asset.seats / 0 == 1", {"asset__seats": 4}, None),
        ('mood.matches("[")', {"mood": "x"}, None),
        # What is unknown does not matter where the rest decides.
        ('booked || mood == "fine"', {"booked": True}, True),
        ('booked && mood == "fine"', {"booked": False}, False),
        ('booked || mood == "fine"', {"booked": False}, None),
        ('mood == "fine"', {"mood": "\ud800"}, None),
        ('"c" in replied', {"replied": ["\ud800"]}, None),
        ("true", {}, True),
        ("false", {}, False),
    ],
)
def test_an_answer_is_true_false_or_none(text, values, answer):
    """Only true and false are answers; a missing or ill-typed value, or an error, is no answer."""
    assert holds(text, **values) is answer


def test_answers_do_not_depend_on_what_was_asked_before():
    """Values that are equal to a dictionary but not to CEL are kept apart: 1, 1.0 and True."""
    expression = compile_expression("asset.value > 0.0", NAMES, where="when")
    assert [expression.holds({"asset.value": value}) for value in (1.0, True, 1, "1", 1.0)] == [
        True,
        None,
        True,
        None,
        True,
    ]
    expression = compile_expression("booked || !booked", NAMES, where="when")
    assert [expression.holds({"booked": value}) for value in (True, 1, True, 0, False)] == [
        True,
        None,
        True,
        None,
        True,
    ]


def test_the_memory_is_bounded():
    """However many different values are asked for, few are remembered, and answers stay right."""
    expression = compile_expression("asset.seats % 2 == 0", NAMES, where="when")
    assert [expression.holds({"asset.seats": n}) for n in range(10_000)] == [n % 2 == 0 for n in range(10_000)]
    assert len(expression._answers) <= 4096


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('mood == "booked"', {"mood"}),
        ("mood == 'asset.value > 3'", {"mood"}),
        (r'mood == "a\"booked" && booked', {"mood", "booked"}),
        ('mood == r"booked"', {"mood"}),
        ('mood == """booked"""', {"mood"}),
        ("booked // and mood\n", {"booked"}),
        ("asset . in_use && mood.size() > 2", {"asset.in_use", "mood"}),
        ('replied.all(x, x == "a")', {"replied"}),
        ("customer.name.startsWith(mood)", {"customer.name", "mood"}),
        ("double(asset.seats) > asset.value", {"asset.seats", "asset.value"}),
        ("true", set()),
    ],
)
def test_the_names_it_reads_are_known(text, names):
    """The declared names of an expression are found; words inside texts and comments are none."""
    assert compile_expression(text, NAMES, where="when").names == names


def test_expressions_are_equal_by_text_and_declarations():
    """An expression can be a key, and equals another that means the same."""
    first, again = (compile_expression("booked", NAMES, where=where) for where in ("when", "unless"))
    other = compile_expression("booked", Declarations(booleans("booked")), where="when")
    assert first == again
    assert hash(first) == hash(again)
    assert first != other
    assert first != "booked"
    assert str(first) == "booked"


def test_declarations_are_a_frozen_mapping():
    """Declarations can be joined and compared, and are keys of the cache of environments."""
    joined = Declarations(strings("a")) | booleans("b")
    assert joined == Declarations({"b": "boolean", "a": "string"})
    assert hash(joined) == hash(Declarations({"b": "boolean", "a": "string"}))
    assert dict(joined) == {"a": "string", "b": "boolean"}
    assert len(joined) == 2
    with pytest.raises(TypeError):
        joined["a"] = "number"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("asset.value > 3", "column 13: '>' cannot take a number and a whole number; write 3.0."),
        ("asset.value > -3", "column 13: '>' cannot take a number and a whole number; write -3.0."),
        ("3 < asset.value", "column 3: '<' cannot take a whole number and a number; write 3.0."),
        ("asset.seats > 2.0", "column 13: '>' cannot take a whole number and a number; write 2."),
        (
            "asset.value > asset.seats",
            "column 13: '>' cannot take a number and a whole number; put double(…) around the whole number.",
        ),
        (
            "asset.value in [1, 2]",
            (
                "column 13: 'in' cannot take a number and a list of whole numbers; write the numbers of the list with a"
                " decimal point, as in 3.0."
            ),
        ),
        ("asset.inuse", "column 1: there is no 'asset.inuse' here; did you mean 'asset.in_use'?"),
        ('booked && mod == "x"', "column 11: there is no 'mod' here; did you mean 'mood'?"),
        ("fuel == mood", "column 1: there is no 'fuel' here; did you mean 'asset.fuel'?"),
        ("asset == mood", "column 1: 'asset' alone is no value; write 'asset.fuel' or another of its parts."),
        ("booked\n  && mod", "line 2, column 6: there is no 'mod' here; did you mean 'mood'?"),
        (
            "now > seen",
            "column 1: there is no 'now': when a message goes is said by at, not_before and deadline.",
        ),
        ("mood.size2() > 1", "column 6: there is no function size2()."),
        (
            "mood",
            'the answer must be true or false, but this gives string; compare it with something, as in mood == "fine".',
        ),
        ("mood ==", "column 8: the expression ends too early."),
        ('mood == "x', 'column 9: the text "x is not closed.'),
        ('mood = "x"', "column 6: '=' is not expected here; write ==."),
        ("booked and booked", "column 8: 'and' is not expected here; write &&."),
        (
            "event.amount != null",
            (
                "column 14: '!=' cannot take a number and null; nothing is ever null here: a name that has"
                " no value gives no"
                " answer."
            ),
        ),
        (
            "booked && has(asset.in_use)",
            (
                "column 11: has() is not needed here; a name that has no value gives no answer,"
                " and the rule then stays quiet."
            ),
        ),
        ('mood == "\ud800"', "the expression has half a character in it, such as \\ud800; write it again."),
        ("  ", "the expression is empty; leave the key out if nothing is meant."),
        ("(" * 500 + "true" + ")" * 500, "the expression is nested too deeply."),
    ],
)
def test_a_wrong_expression_is_refused_in_words(text, said):
    """What is wrong is told with its place and what would be right, when the rule is loaded."""
    with pytest.raises(ExpressionError) as caught:
        compile_expression(text, NAMES, where="`when`")
    assert caught.value.detail == f"`when`: {said}"


def test_all_unknown_names_are_told():
    """Two slips are told at once, with the names that there are."""
    with pytest.raises(ExpressionError) as caught:
        compile_expression("qq == 1 || zz == 2", Declarations(strings("mood")), where="when")
    said = "when: column 1: there is no 'qq' here (known are mood); column 12: there is no 'zz' here (known are mood)."
    assert caught.value.detail == said


def test_asking_again_is_quick():
    """An answer that is remembered costs about as much as looking it up."""
    expression = compile_expression('asset.in_use && mood != "trapped"', NAMES, where="when")
    values = {"asset.in_use": True, "mood": "fine", "booked": False}
    taken = min(timeit.repeat(lambda: expression.holds(values), number=5000, repeat=5))
    assert taken / 5000 < 10e-6
