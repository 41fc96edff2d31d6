"""What is measured; each function runs in a process of its own: ``python -m benchmarks.measures NAME FOLDER AMOUNTS``.

They build on each other in one deployment's folder: facts are taken in, everybody is planned, and then the rest.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks import ours, rivals, sdks
from benchmarks.bare import bare_loop
from benchmarks.bench import Amounts, Numbers, opened, peak_mb, percentile, timed, warmed
from benchmarks.commands import checked, commands, simulated
from benchmarks.population import NOW, STORM, base, customer_id, storm, write
from benchmarks.servers import Missing
from commsched.app import App
from commsched.cli.enquired import asked
from commsched.cli.explained import explained
from commsched.model.facts import Reading
from commsched.store import queries

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def generate(folder: Path, amounts: Amounts) -> Numbers:
    """Write the files of facts; nothing of this counts."""
    (folder / "var").mkdir(exist_ok=True)
    write(folder / "base.jsonl", base(amounts.customers))
    write(folder / "day.jsonl", storm(amounts.due, prefix="D"))
    return {}


def generate_storm(folder: Path, amounts: Amounts) -> Numbers:
    """Write the facts of those who are all due in one second."""
    (folder / "var").mkdir(exist_ok=True)
    write(folder / "base.jsonl", storm(amounts.customers))
    return {}


def taken_in(folder: Path, amounts: Amounts) -> Numbers:
    """B6: a file of JSON lines, checked and made durable."""
    size = amounts.customers
    app, _ = opened(folder, NOW)
    before = peak_mb()
    with timed() as watch:
        facts = sum(len(batch.facts) for batch in app.take_in(folder / "base.jsonl", "dms"))
    (folder / "base.jsonl").unlink()  # at a million customers it is as large as the store
    if facts != size * 15:
        raise SystemExit(f"Of {size * 15} facts, {facts} were taken in.")
    return {"per_second": facts / watch.seconds, "per_cpu": facts / watch.cpu, "mb": peak_mb(), "mb_before": before}


def planned(folder: Path, amounts: Amounts) -> Numbers:
    """B2: everybody's ledger read, decoded and planned once; nothing is written."""
    size = amounts.customers
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


def first_tick(folder: Path, amounts: Amounts) -> Numbers:
    """B2: the same through the loop, its plans written to the store."""
    size = amounts.customers
    app, _ = opened(folder, NOW)
    loop = app.loop()
    with timed() as watch:
        report = loop.tick(NOW)
    if report.planned < size:
        raise SystemExit(f"Of {size} customers, {report.planned} were planned.")
    return {"per_second": size / watch.seconds, "per_cpu": size / watch.cpu, "mb": peak_mb()}


def idle(folder: Path, amounts: Amounts) -> Numbers:
    """B1: ticks with nothing due, in milliseconds."""
    app, _ = opened(folder, NOW)
    loop = app.loop()
    loop.tick(NOW)
    times = []
    for _ in range(amounts.ticks):
        start = perf_counter()
        loop.tick(NOW)
        times.append((perf_counter() - start) * 1000)
    return {"ms": median(times), "p99": percentile(times, 0.99)}


def new_fact(folder: Path, amounts: Amounts) -> Numbers:
    """B3: from a new fact to a new plan, both durable, in milliseconds, for customers with messages coming."""
    app, clock = opened(folder, NOW)
    loop = app.loop()
    loop.tick(NOW)
    with app.store.read() as connection:
        known = [row.customer for row in queries.all_messages(connection, ["planned"])]
    people = list(dict.fromkeys(known))
    people = people[:: max(1, len(people) // amounts.new_facts)]
    times = []
    for number in range(amounts.new_facts):
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
    return {"p50": percentile(times, 0.5), "p99": percentile(times, 0.99)}


def answers(folder: Path, amounts: Amounts) -> Numbers:
    """B7: whether somebody may be called, and why a message stands where it does, asked of a process that runs."""
    app, _ = opened(folder, NOW)
    with app.store.read() as connection:
        coming = list(queries.all_messages(connection, ["planned"]))
    coming = coming[:: max(1, len(coming) // amounts.new_facts)][: amounts.new_facts]
    # Of those who may be asked about, few have something coming.
    people = [customer_id(number * 7 % amounts.customers) for number in range(amounts.new_facts)]
    found: Numbers = {}
    for name, ask, about in (
        ("may_contact", lambda who: asked(app, who, "sales", None, "voice", None, "desk"), people),
        ("explain", lambda key: explained(app, key).as_json(), [row.key for row in coming]),
    ):
        if not about:
            continue
        ask(about[0])  # what is read once in the life of a process
        times = []
        for one in about:
            start = perf_counter()
            ask(one)
            times.append((perf_counter() - start) * 1000)
        found |= {f"{name}_p50": percentile(times, 0.5), f"{name}_p99": percentile(times, 0.99)}
    return found


def a_day(folder: Path, amounts: Amounts) -> Numbers:
    """B9: a thousand customers, spread over the base, hear from us in one tick."""
    app, clock = opened(folder, STORM - DAY)
    loop = app.loop()
    for _ in app.take_in(folder / "day.jsonl", "dms"):
        pass
    # Everybody else's work is done a second before; nobody else is due at this instant, which is 10:00 in New York.
    clock.at = STORM - SECOND
    loop.tick(clock.at)
    clock.at = STORM
    with timed() as watch:
        report = loop.tick(STORM)
    if report.sent < amounts.due:
        raise SystemExit(f"Of {amounts.due} messages, {report.sent} were sent.")
    return {"seconds": watch.seconds, "cpu": watch.cpu, "sent": report.sent, "planned": report.planned}


def storm_ahead(folder: Path, amounts: Amounts) -> Numbers:
    """Bring the storm's customers to the eve of it; nothing of this counts."""
    del amounts
    app, clock = opened(folder, STORM - DAY)
    for _ in app.take_in(folder / "base.jsonl", "dms"):
        pass
    app.loop().tick(clock.at)
    return {}


def stormed(folder: Path, amounts: Amounts) -> Numbers:
    """B4: messages that are all due in one second, from waking to the result's commit."""
    size = amounts.customers
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


def bare(folder: Path, amounts: Amounts) -> Numbers:
    """B4's limit: the same texts rendered, framed and laid into the same outbox, with nothing decided or kept."""
    app = _ready_for_the_storm(folder)
    return bare_loop(app, [customer_id(number, "S") for number in range(amounts.customers)])


def _ready_for_the_storm(folder: Path) -> App:
    """The deployment with its templates compiled, as in a service that has run for a while."""
    app, _ = opened(folder, STORM)
    warmed(app)
    return app


MEASURES: dict[str, Callable[[Path, Amounts], Numbers]] = {
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
        answers,
        a_day,
        storm_ahead,
        stormed,
        bare,
        simulated,
        ours.at_a_steady_rate,
        checked,
        sdks.stub_alone,
        sdks.twilio,
        sdks.sendgrid,
    )
}
MEASURES |= ours.OURS | rivals.RIVALS


def measured(name: str, folder: Path, amounts: Amounts) -> Numbers:
    """What one measure finds; nothing, and a line on standard error, where it cannot be made on this machine."""
    try:
        return MEASURES[name](folder, amounts)
    except Missing as missing:
        print(f"{name} is skipped: {missing}", file=sys.stderr)
        return {}


def main() -> None:
    """Run the measure that the command line names; its numbers are the last line printed."""
    name, folder, amounts = sys.argv[1:]
    print(json.dumps(measured(name, Path(folder), Amounts(**json.loads(amounts)))))


if __name__ == "__main__":
    main()
