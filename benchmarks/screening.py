"""How long it takes to screen a list of prospects, on made-up customers in SQLite.

    python -m benchmarks screening [--customers N] [--prospects N]

Every fifth customer is an organisation with a mail domain of its own. Of the prospects one in ten is a customer: by
mail, phone, domain or a company name with a slip, in turn. The customers are written without what an import checks.
"""

from __future__ import annotations

import argparse
import csv
import random
import resource
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time

from benchmarks.bench import ROOT
from commsched.app import App
from commsched.cli.screened import screened
from commsched.engine.clock import SetClock
from commsched.model.facts import AnyFact, ContactPoint, Customer
from commsched.store.ledgers import append
from commsched.store.store import Store

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)
SOUNDS = (
    "ba",
    "co",
    "di",
    "fen",
    "gar",
    "hol",
    "ji",
    "kan",
    "lo",
    "mer",
    "nor",
    "pol",
    "qui",
    "ros",
    "sta",
    "tur",
    "vel",
)
TRADES = ("Heating", "Logistics", "Bakery", "Printing", "Roofing", "Dental", "Foods", "Software", "Gardens", "Motors")
STREAMED = 5000


def main(arguments: list[str]) -> None:
    """Make, screen, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks screening")
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--prospects", type=int, default=100_000)
    wanted = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="commsched-bench-") as name:
        folder = Path(name)
        app = App(ROOT, clock=SetClock(NOW), store=Store(f"sqlite:///{folder / 'bench.db'}"), recording=True)
        made = _seconds(lambda: _fill(app, wanted.customers))
        _list(folder / "list.csv", wanted.prospects, wanted.customers)
        before, busy = perf_counter(), process_time()
        found = screened(app, folder / "list.csv", folder, "sales", None, None, bar=None)
        took, cpu = perf_counter() - before, process_time() - busy
        app.store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sizes = f"{wanted.prospects:,} prospects against {wanted.customers:,} customers"
    print(f"{sizes}: {took:.1f} s, {cpu:.1f} s of them at work, at most {peak:,.0f} MB")
    print(f"{found.removed:,} removed, by {dict(sorted(found.evidence.items()))}; customers made in {made:.0f} s")


def _seconds(work: object) -> float:
    before = perf_counter()
    if callable(work):
        work()
    return perf_counter() - before


def _word(number: int) -> str:
    dice = random.Random(number)
    return "".join(dice.choice(SOUNDS) for _ in range(4)).capitalize()


def _company(number: int) -> str:
    return f"{_word(number)} {TRADES[number % len(TRADES)]} {_word(number + 7)}"


def _facts(number: int) -> Iterator[AnyFact]:
    name = f"c{number}"
    common = {"at": AT, "recorded_at": AT, "source": "bench", "stated_by": "import"}
    company = number % 5 == 0
    shown = f"{_company(number)} Inc." if company else f"{_word(number)} {_word(number + 1)}"
    kind = "organisation" if company else "person"
    yield Customer(id=name, name=shown, kind=kind, postal=f"1 Elm St, {10000 + number % 80000}", **common)
    mail = f"desk@firm{number}.example" if company else f"{name}@gmail.com"
    yield ContactPoint(customer=name, kind="email", address=mail, **common)
    yield ContactPoint(customer=name, kind="phone", address=f"+1312{number:07}", **common)


def _fill(app: App, count: int) -> None:
    for start in range(0, count, STREAMED):
        rows = [(f"c:c{n}", fact) for n in range(start, min(start + STREAMED, count)) for fact in _facts(n)]
        with app.store.write() as connection:
            append(connection, rows, AT, waking=False)


def _list(path: Path, count: int, customers: int) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["name", "company", "email", "phone", "zip"])
        for number in range(count):
            rows.writerow(_known(number, customers) if number % 10 == 0 else _stranger(number))


def _stranger(number: int) -> list[str]:
    far = number + 50_000_000
    company = f"{_company(far)} LLC"
    return [f"{_word(far)} {_word(far + 1)}", company, f"info@new{number}.example", f"+1415{number:07}", "94110"]


def _known(number: int, customers: int) -> list[str]:
    who = number * 5 % customers
    which = number // 10 % 4
    if which == 0:
        return ["", "", f"desk@firm{who}.example", "", ""]
    if which == 1:
        return ["", "", "", f"+1312{who:07}", ""]
    if which == 2:
        return ["", "", f"somebody@firm{who}.example", "", ""]
    name = _company(who)
    return ["", f"{name[:-1]} Incorporated", "", "", ""]  # the last letter is lost
