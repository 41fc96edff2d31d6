"""The lines of the tables: which number of which measure stands where, and what it should be."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.bench import Numbers
from benchmarks.report import Row, at_least, at_most, shown

Results = Mapping[str, Numbers]
OURS = {
    "local_sqlite": "commsched run, SQLite",
    "local_postgres": "commsched run, PostgreSQL",
    "one_worker": "commsched worker, PostgreSQL",
    "two_workers": "commsched worker, two of them, PostgreSQL",
}
RIVALS = {
    "apscheduler_memory": "APScheduler, jobs in memory",
    "apscheduler_sqlite": "APScheduler, jobs in SQLite (WAL)",
    "celery_redis": "Celery, ETA tasks on Redis, two processes",
    "procrastinate_postgres": "Procrastinate, scheduled jobs on PostgreSQL, two workers",
}
CONTEST_HEAD = ("who", "messages/s", "late, s: p50", "p99", "of", "never came", "came twice")


@dataclass(frozen=True)
class Found:
    """What was measured: at every size of the base, and what is measured at one size only."""

    by_size: Mapping[int, Results]
    once: Results
    small: int

    @property
    def large(self) -> int:
        """The largest size."""
        return max(self.by_size)

    def row(self, number: str, what: str, measure: str, key: str, target: object = None) -> Row:
        """A line about one number of a measure, at the small and the large size, or of one that has no sizes."""
        judge = target or None
        if measure in self.once:
            return Row(number, what, None, self.once[measure].get(key), judge)
        a, b = (self.by_size[size].get(measure, {}).get(key) for size in (self.small, self.large))
        return Row(number, what, a, b, judge)

    def ratio(self, one: tuple[str, str], other: tuple[str, str], size: int | None = None) -> float | None:
        """One number against another; ``None`` where either is missing."""
        results = self.once if size is None else self.by_size[size]
        a, b = (results.get(measure, {}).get(key) for measure, key in (one, other))
        return a / b if a and b else None

    def best(self, names: Sequence[str]) -> float | None:
        """The most messages a second of several."""
        known = [self.once[name] for name in names if self.once.get(name, {}).get("sent")]
        return max((one["per_second"] for one in known), default=None)


def rows(wanted: Sequence[str], found: Found) -> list[Row]:
    """The lines for the wanted benchmarks."""
    return [row for number in wanted for row in LINES[number](found)]


def contest(found: Found) -> list[tuple[str, ...]]:
    """The table of the storm through the stub, ours and the peers."""
    lines = []
    for name, words in {**OURS, **RIVALS}.items():
        if got := found.once.get(name):
            cells = [shown(got.get(key)) for key in ("per_second", "p50", "p99")]
            counts = [f"{got.get(key, 0):,}" for key in ("lost", "twice")]
            lines.append((words, *cells, f"{got['sent'] + got['lost']:,}", *counts))
    return [CONTEST_HEAD, *lines] if lines else []


def _b1(found: Found) -> list[Row]:
    first = found.row("B1", "tick with nothing due, ms (median)", "idle", "ms", at_most(3))
    return [first, Row("", "… large against small", first.small, first.large, at_most(1.5, "ratio ≤ 1.5"), True)]


def _b2(found: Found) -> list[Row]:
    return [
        found.row("B2", "cold planning, customers/s a core", "planned", "per_cpu", at_least(8000)),
        found.row("", "… customers/s on the wall", "planned", "per_second"),
        found.row("", "… through the loop, written: customers/s a core", "first_tick", "per_cpu"),
        found.row("", "… peak memory of that, MB", "first_tick", "mb", at_most(300)),
        found.row("", "… share of customers with something coming", "planned", "active"),
    ]


def _b3(found: Found) -> list[Row]:
    return [
        found.row("B3", "new fact to new plan, both durable, ms p50", "new_fact", "p50"),
        found.row("", "… ms p99", "new_fact", "p99", at_most(5)),
    ]


def _b4(found: Found) -> list[Row]:
    against = [found.ratio(("stormed", "per_second"), ("bare", "per_second"), n) for n in (found.small, found.large)]
    ours, others = found.best(list(OURS)), found.best(list(RIVALS))
    best = ours / others if ours and others else None
    return [
        found.row("B4", "storm to the outbox, messages/s", "stormed", "per_second", at_least(4000)),
        found.row("", "… messages/s a core", "stormed", "per_cpu"),
        found.row("", "… dropped", "stormed", "dropped", at_most(0)),
        found.row("", "… limit: bare loop, same renderer and outbox, messages/s", "bare", "per_second"),
        Row("", "… storm against the bare loop", *against),
        Row("", "… through the stub, our best, messages/s", None, ours),
        Row("", "… through the stub, the best peer, messages/s", None, others),
        Row("", "… our best against the best peer", None, best, at_least(3, "≥ 3×")),
    ]


def _b5(found: Found) -> list[Row]:
    bare = ("twilio", "bare")
    return [
        found.row("B5", "Twilio's library, bare loop, 50 connections, messages/s", "twilio", "bare"),
        found.row("", "… our channel alone", "twilio", "channel"),
        found.row("", "… the engine with it", "twilio", "engine"),
        Row("", "… the channel against the bare loop", None, found.ratio(("twilio", "channel"), bare)),
        Row("", "… the engine against the bare loop", None, found.ratio(("twilio", "engine"), bare), at_least(0.9)),
        found.row("", "SendGrid's library, single calls, 50 connections, messages/s", "sendgrid", "bare"),
        found.row("", "… our channel, mail with words of its own each", "sendgrid", "own"),
        found.row("", "… our channel, mail with the same words, in batches", "sendgrid", "alike"),
        Row(
            "",
            "… batches against single calls",
            None,
            found.ratio(("sendgrid", "alike"), ("sendgrid", "bare")),
            at_least(10, "≥ 10×"),
        ),
        found.row("", "the stub's own limit, messages/s", "stub_alone", "per_second"),
    ]


def _b6(found: Found) -> list[Row]:
    return [
        found.row("B6", "import of JSON Lines, facts/s", "taken_in", "per_second", at_least(100_000)),
        found.row("", "… facts/s a core", "taken_in", "per_cpu"),
        found.row("", "… peak memory, MB", "taken_in", "mb", at_most(150)),
        found.row("", "… of that before the first line is read, MB", "taken_in", "mb_before"),
    ]


def _b7(found: Found) -> list[Row]:
    return [
        found.row("B7", "commsched --help, ms", "commands", "help", at_most(250)),
        found.row("", "… plan --customer, ms", "commands", "plan"),
        found.row("", "… explain, ms with the start of Python", "commands", "explain"),
        found.row("", "may-contact, asked of a process that runs, ms p50", "answers", "may_contact_p50"),
        found.row("", "… ms p99", "answers", "may_contact_p99", at_most(10)),
        found.row("", "explain, asked of a process that runs, ms p50", "answers", "explain_p50"),
        found.row("", "… ms p99", "answers", "explain_p99", at_most(20)),
    ]


def _b8(found: Found) -> list[Row]:
    return [
        found.row("B8", "simulate a year of 10,000 customers, at this pace, s", "simulated", "whole", at_most(60)),
        found.row("", "… s, of so many as were simulated", "simulated", "seconds"),
        found.row("", "… s of processor time of that", "simulated", "cpu"),
    ]


def _b9(found: Found) -> list[Row]:
    row = found.row("B9", "a day's work with 1,000 due, s", "a_day", "seconds")
    return [Row(row.number, row.what, row.small, row.large, at_most(1.3, "ratio ≤ 1.3"), True)]


def _b10(found: Found) -> list[Row]:
    ratio = found.ratio(("two_workers", "per_second"), ("one_worker", "per_second"))
    return [
        found.row("B10", "one worker on PostgreSQL, through the stub, messages/s", "one_worker", "per_second"),
        found.row("", "… two workers", "two_workers", "per_second"),
        Row("", "… two against one", None, ratio, at_least(1.7, "≥ 1.7×")),
    ]


def _b11(found: Found) -> list[Row]:
    return [
        found.row("B11", "lateness at a steady 200/s, due to provider, s p50", "at_a_steady_rate", "p50", at_most(0.1)),
        found.row("", "… s p99", "at_a_steady_rate", "p99", at_most(0.5)),
        found.row("", "… never came", "at_a_steady_rate", "lost", at_most(0)),
    ]


def _b12(found: Found) -> list[Row]:
    return [found.row("B12", "check, with the timing proof, s", "checked", "seconds", at_most(10))]


LINES: dict[str, Callable[[Found], list[Row]]] = {
    "B1": _b1,
    "B2": _b2,
    "B3": _b3,
    "B4": _b4,
    "B5": _b5,
    "B6": _b6,
    "B7": _b7,
    "B8": _b8,
    "B9": _b9,
    "B10": _b10,
    "B11": _b11,
    "B12": _b12,
}
