"""Printing: JSON that tools may rely on (DESIGN §11), tables, masked addresses, progress."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from commsched.store.messages import MessageRecord, Reasoned, TaskRecord, told

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_json(value: object) -> str:
    """The value as JSON; instants are UTC, ISO 8601."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def message_json(record: MessageRecord) -> dict[str, object]:
    """A message as M of DESIGN §11."""
    return {
        "key": record.key,
        "parts": record.parts,
        "customer": record.customer,
        "rule": record.rule,
        "step": record.step,
        "subject": record.subject,
        "purpose": record.purpose,
        "topic": record.topic,
        "medium": record.medium,
        "channel": record.channel,
        "to": record.to,
        "state": record.state,
        "final": record.final,
        "at": record.at,
        "anchor": {"kind": record.anchor_kind, "at": record.anchor_at},
        "ideal": record.ideal,
        "deadline": record.deadline,
        "subject_line": record.subject_line,
        "body": record.body,
        "reasons": _reasons(record),
    }


def task_json(record: TaskRecord) -> dict[str, object]:
    """A task as T of DESIGN §11."""
    return {
        "key": record.key,
        "customer": record.customer,
        "rule": record.rule,
        "step": record.step,
        "department": record.department,
        "at": record.at,
        "text": record.text,
        "state": record.state,
        "reasons": _reasons(record),
    }


def summary_json(messages: Sequence[MessageRecord], tasks: Sequence[TaskRecord]) -> dict[str, object]:
    """How many messages are in each state, and how many tasks."""
    states: dict[str, int] = {}
    for record in messages:
        states[record.state] = states.get(record.state, 0) + 1
    return {"messages": len(messages), "states": dict(sorted(states.items())), "tasks": len(tasks)}


def plan_json(messages: Sequence[MessageRecord], tasks: Sequence[TaskRecord]) -> dict[str, object]:
    """What ``plan`` and ``simulate`` print."""
    return {
        "messages": [message_json(record) for record in messages],
        "tasks": [task_json(record) for record in tasks],
        "summary": summary_json(messages, tasks),
    }


def _reasons(record: Reasoned) -> list[dict[str, str]]:
    """Each reason; with the staff's sentence, where that is another than the customer's."""
    found = []
    for (policy, code, detail), (_, _, words) in zip(record.reasons, told(record), strict=True):
        found.append({"policy": policy, "code": code, "detail": detail} | ({"note": words} if words != detail else {}))
    return found


def in_words(record: Reasoned) -> str:
    """Reasons in one line: each policy with what it says to the staff."""
    return "; ".join(dict.fromkeys(f"{policy}: {words}" if words else policy for policy, _, words in told(record)))


def spreadsheet_safe(text: str) -> str:
    """A cell that no spreadsheet runs as a formula (OWASP, CSV injection)."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> Table:
    """A table for the terminal. Cells are plain text: what customers wrote is no markup."""
    made = Table(title=title or None, title_justify="left", header_style="bold", expand=False)
    for name in columns:
        made.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text("" if cell is None else str(cell)) for cell in row))
    return made


class Step(Protocol):
    """Moves a progress bar to a place, with words beside it."""

    def __call__(self, done: float, words: str = "") -> None:
        """Move."""


@contextmanager
def progress(label: str, total: float, *, wanted: bool | None = None) -> Iterator[Step]:
    """A progress bar on stderr: on a terminal, or where it was asked for."""
    shown = sys.stderr.isatty() if wanted is None else wanted
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[words]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not shown, transient=True) as bar:
        task = bar.add_task(label, total=max(total, 1), words="")

        def step(done: float, words: str = "") -> None:
            bar.update(task, completed=done, words=words)

        yield step


def counted(number: int, one: str, many: str = "") -> str:
    """``1 message``, ``2 messages``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def pairs(values: Mapping[str, int]) -> str:
    """``sent 12, refused 3``."""
    return ", ".join(f"{name} {count:,}" for name, count in values.items()) or "none"


def line(console: Console, text: str = "") -> None:
    """A line of plain text; it is not folded, so that a terminal can do that itself."""
    console.print(Text(text), soft_wrap=True)
