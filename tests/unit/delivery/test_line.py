"""The lines of the channels: what is told of the front is exact, and behind it nobody is told too late a turn."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace

import pytest
from sqlalchemy import event

from commsched.delivery.line import MARKS, Line
from commsched.store import queries
from commsched.store.store import instant, micros
from commsched.timing.windows import FIRST

FRONT = 9
SINCE = 1000


def standing(dice, number):
    """A row of the table: somewhere in the line, sometimes with a turn that was over long ago."""
    row = {"channel": "mail" if dice.random() < 0.9 else "text", "customer": f"c{number}", "key": f"k{number}"}
    rank = {"due": micros(FIRST), "priority": dice.randrange(3), "until": dice.randrange(0, 10**6, 1000)}
    return row | rank | {"units": dice.randrange(1, 4), "turn": dice.choice((SINCE - 1, SINCE, 5 * SINCE))}


def urgency(dice, number):
    return FIRST, dice.randrange(3), instant(dice.randrange(0, 10**6, 1000)), f"new{number}"


def truly_before(rows, one):
    """The units of all who wait for mail, whose turn counts, and who are more urgent."""
    due, priority, until, key = one
    rank = (micros(due), priority, micros(until), key)
    return sum(
        row["units"]
        for row in rows
        if row["channel"] == "mail"
        and row["turn"] >= SINCE
        and (row["due"], row["priority"], row["until"], row["key"]) < rank
    )


@pytest.mark.parametrize("waiting", [0, FRONT, 40, 400])
@pytest.mark.parametrize("coming", [1, 20, 100])
def test_exact_in_front_and_never_too_late_behind(store, waiting, coming):
    """Against counting everybody: the same as far as places are near, and of the others no more than all."""
    dice = random.Random(waiting * 1000 + coming)
    rows = [standing(dice, number) for number in range(waiting)]
    batch = sorted(urgency(dice, number) for number in range(coming))
    with store.write() as connection:
        queries.join_line(connection, rows)
        line = Line(connection, {"mail": FRONT, "text": FRONT}, {"mail": batch}, SINCE)
        told = [line.before("mail", one) for one in batch]
    true = [truly_before(rows, one) for one in batch]
    for found, exact in zip(told, true, strict=True):
        assert found == exact if exact < FRONT else FRONT <= found <= exact
    assert all(a <= b for a, b in pairwise(told))
    # So many are counted exactly behind the front, or all where they are fewer.
    assert sum(found == exact for found, exact in zip(told, true, strict=True)) >= min(coming, MARKS // 2)


def test_of_a_long_line_little_is_read(store):
    """A line of thousands does not come across from the database, and its front is found without sorting."""
    rows = [standing(random.Random(number), number) for number in range(3000)]
    batch = sorted(urgency(random.Random(number), number) for number in range(200))
    statements = []

    def seen(_connection, _cursor, statement, parameters, *_rest):
        statements.append((statement, parameters))

    with store.write() as connection:
        queries.join_line(connection, rows)
        event.listen(connection, "before_cursor_execute", seen)
        Line(connection, {"mail": FRONT, "text": FRONT}, {"mail": batch}, SINCE).before("mail", batch[0])
    assert 1 < len(statements) <= 1 + MARKS
    if store.sqlite:
        with store.read() as connection:
            for statement, parameters in statements:
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
                assert ["COVERING INDEX waiting_by_rank" in row.detail for row in plan] == [True]


def test_whoever_of_the_batch_joins_counts_for_those_after(store):
    """The units of the batch are added to what stood there, in the line that was joined."""
    first, second = sorted(urgency(random.Random(1), number) for number in range(2))
    one = SimpleNamespace(sent=SimpleNamespace(segments=3), record=SimpleNamespace(customer="c", key=first[-1]))
    with store.write() as connection:
        line = Line(connection, {"mail": FRONT}, {"mail": [first, second]}, SINCE)
        line.join("mail", one, first, FIRST + timedelta(days=1))
        assert (line.before("mail", second), line.before("text", second)) == (3, 0)
        queries.join_line(connection, line.joined)
        later = Line(connection, {"mail": FRONT}, {"mail": [second]}, micros(FIRST))
        assert later.before("mail", second) == 3
