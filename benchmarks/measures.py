"""What is measured; each function runs in a process of its own: ``python -m benchmarks.measures NAME FOLDER SIZE``.

They build on each other in one deployment's folder: facts are taken in, everybody is planned, and then the rest.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks import peers
from benchmarks.bench import Numbers, environment, opened, peak_mb, percentile, timed
from benchmarks.population import NOW, ROOT, STORM, base, customer_id, storm, write
from commsched.app import App
from commsched.model.facts import Reading
from commsched.store import queries

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
IDLE_TICKS = 300
NEW_FACTS = 300
STARTS = 5
DUE = 1000


def generate(folder: Path, size: int) -> Numbers:
    """Write the files of facts; nothing of this counts."""
    (folder / "var").mkdir(exist_ok=True)
    write(folder / "base.jsonl", base(size))
    write(folder / "day.jsonl", storm(DUE, prefix="D"))
    return {}


def generate_storm(folder: Path, size: int) -> Numbers:
    """Write the facts of those who are all due in one second."""
    (folder / "var").mkdir(exist_ok=True)
    write(folder / "base.jsonl", storm(size))
    return {}


def taken_in(folder: Path, size: int) -> Numbers:
    """B6: a file of JSON lines, checked and made durable."""
    app, _ = opened(folder, NOW)
    before = peak_mb()
    with timed() as watch:
        facts = sum(len(batch.facts) for batch in app.take_in(folder / "base.jsonl", "dms"))
    if facts != size * 15:
        raise SystemExit(f"Of {size * 15} facts, {facts} were taken in.")
    return {"per_second": facts / watch.seconds, "per_cpu": facts / watch.cpu, "mb": peak_mb(), "mb_before": before}


def planned(folder: Path, size: int) -> Numbers:
    """B2: everybody's ledger read, decoded and planned once; nothing is written."""
    app, _ = opened(folder, NOW)
    active = decisions = 0
    with app.store.read() as connection:
        world = app.world(connection)
    with timed() as watch:
        for plan in app.plans(None, NOW, world):
            active += bool(plan.decisions)
            decisions += len(plan.decisions)
    return {
        "per_second": size / watch.seconds,
        "per_cpu": size / watch.cpu,
        "mb": peak_mb(),
        "active": active / size,
        "decisions": decisions / size,
    }


def first_tick(folder: Path, size: int) -> Numbers:
    """B2: the same through the loop, its plans written to the store."""
    app, _ = opened(folder, NOW)
    loop = app.loop()
    with timed() as watch:
        report = loop.tick(NOW)
    if report.planned < size:
        raise SystemExit(f"Of {size} customers, {report.planned} were planned.")
    return {"per_second": size / watch.seconds, "per_cpu": size / watch.cpu, "mb": peak_mb()}


def idle(folder: Path, size: int) -> Numbers:
    """B1: ticks with nothing due, in milliseconds."""
    del size
    app, _ = opened(folder, NOW)
    loop = app.loop()
    loop.tick(NOW)
    times = []
    for _ in range(IDLE_TICKS):
        start = perf_counter()
        loop.tick(NOW)
        times.append((perf_counter() - start) * 1000)
    return {"ms": median(times), "p99": percentile(times, 0.99)}


def new_fact(folder: Path, size: int) -> Numbers:
    """B3: from a new fact to a new plan, both durable, in milliseconds, for customers with messages coming."""
    app, clock = opened(folder, NOW)
    loop = app.loop()
    loop.tick(NOW)
    with app.store.read() as connection:
        known = [row.customer for row in queries.all_messages(connection, ["planned"])]
    people = list(dict.fromkeys(known))
    people = people[:: max(1, len(people) // NEW_FACTS)]
    times = []
    for number in range(NEW_FACTS):
        who = people[number % len(people)]
        clock.at = NOW + timedelta(seconds=number + 1)
        fact = Reading(
            at=clock.at,
            recorded_at=clock.at,
            customer=who,
            source="desk",
            stated_by="staff",
            asset=f"V{who}1",
            value=90_000 + number,
            unit="mi",
        )
        start = perf_counter()
        app.record([(f"c:{who}", fact)])
        loop.tick(clock.at, limit=1)
        times.append((perf_counter() - start) * 1000)
    del size
    return {"p50": percentile(times, 0.5), "p99": percentile(times, 0.99)}


def commands(folder: Path, size: int) -> Numbers:
    """B7: commands as a person runs them, Python's start included, in milliseconds; nothing for one that fails."""
    del size
    app, _ = opened(folder, NOW)
    with app.store.read() as connection:
        row = next(queries.all_messages(connection, ["planned"]))
    found = {"help": _command(["--help"])}
    explained = _command(["--deployment", str(folder), "explain", row.key])
    if explained is not None:
        found["explain"] = explained
    plan = _command(["--deployment", str(folder), "plan", "--customer", row.customer])
    if plan is not None:
        found["plan"] = plan
    return {name: value for name, value in found.items() if value is not None}


def _command(arguments: list[str]) -> float | None:
    command = [sys.executable, "-m", "commsched", *arguments]
    times = []
    for _ in range(STARTS + 1):  # the first start writes the bytecode, and does not count
        start = perf_counter()
        done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, check=False)
        times.append((perf_counter() - start) * 1000)
        if done.returncode != 0:
            return None
    return median(times[1:])


def a_day(folder: Path, size: int) -> Numbers:
    """B9: a thousand customers, spread over the base, hear from us in one tick."""
    del size
    app, clock = opened(folder, NOW)
    loop = app.loop()
    for _ in app.take_in(folder / "day.jsonl", "dms"):
        pass
    # Everybody else's work is done a second before; nobody else is due at this instant, which is 10:00 in New York.
    clock.at = STORM - SECOND
    loop.tick(clock.at)
    clock.at = STORM
    with timed() as watch:
        report = loop.tick(STORM)
    return {"seconds": watch.seconds, "cpu": watch.cpu, "sent": report.sent, "planned": report.planned}


def storm_ahead(folder: Path, size: int) -> Numbers:
    """Bring the storm's customers to the eve of it; nothing of this counts."""
    del size
    app, clock = opened(folder, STORM - DAY)
    for _ in app.take_in(folder / "base.jsonl", "dms"):
        pass
    app.loop().tick(clock.at)
    return {}


def stormed(folder: Path, size: int) -> Numbers:
    """B4: messages that are all due in one second, from waking to the result's commit."""
    app = _ready_for_the_storm(folder)
    loop = app.loop()
    with timed() as watch:
        report = loop.tick(STORM)
    return {
        "per_second": report.sent / watch.seconds,
        "per_cpu": report.sent / watch.cpu,
        "sent": report.sent,
        "dropped": size - report.sent,
        "mb": peak_mb(),
    }


def bare(folder: Path, size: int) -> Numbers:
    """B4's limit: the same texts rendered, framed and laid into the same outbox, with nothing decided or kept."""
    app = _ready_for_the_storm(folder)
    return peers.bare_loop(app, [customer_id(number, "S") for number in range(size)])


def apscheduler(folder: Path, size: int) -> Numbers:
    """B4's peer: APScheduler with a job a reminder, kept in memory."""
    del size
    app = _ready_for_the_storm(folder)
    return peers.apscheduler_jobs(app, folder, durable=False)


def apscheduler_durable(folder: Path, size: int) -> Numbers:
    """B4's peer: APScheduler with a job a reminder, kept in SQLite, so that a restart forgets none."""
    del size
    app = _ready_for_the_storm(folder)
    return peers.apscheduler_jobs(app, folder, durable=True)


def _ready_for_the_storm(folder: Path) -> App:
    """The deployment with its templates compiled, as in a service that has run for a while."""
    app, _ = opened(folder, STORM)
    app.renderer.problems()
    return app


MEASURES: dict[str, Callable[[Path, int], Numbers]] = {
    one.__name__: one
    for one in (
        generate,
        generate_storm,
        taken_in,
        planned,
        first_tick,
        idle,
        new_fact,
        commands,
        a_day,
        storm_ahead,
        stormed,
        bare,
        apscheduler,
        apscheduler_durable,
    )
}


def main() -> None:
    """Run the measure that the command line names; its numbers are the last line printed."""
    name, folder, size = sys.argv[1:]
    print(json.dumps(MEASURES[name](Path(folder), int(size))))


if __name__ == "__main__":
    main()
