"""commsched as it is run, against the stub: services and workers in processes of their own, on the day of ``STORM``.

Each measure brings made-up customers to the eve of a storm, begins the processes, and lets the stub say what came when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from shutil import copyfile

from benchmarks import meeting, servers, stub
from benchmarks.bench import Amounts, Numbers, opened, percentile, shares
from benchmarks.population import ROOT, STORM, customer_id, steady, storm, write
from commsched.cli.service import prepared
from commsched.store.store import Store

DAY = timedelta(days=1)
# How many seconds all messages may take, and each of them besides.
LEAST, EACH = 60.0, 0.05
RATE = 200
MAIL = '[[channels]]\nname = "mail"\nkind = "outbox"\nmedium = "email"\n'
STEADY_RULE = """\
rule: steady
why: You have an appointment with us.
purpose: transactional
topic: appointment
department: service
trigger: {appointment: {status: [booked, confirmed]}}
steps:
  - {step: soon, at: start - 3h, deadline: start - 1h, template: appointment-reminder}
"""


def local_sqlite(folder: Path, amounts: Amounts) -> Numbers:
    """B4: `commsched run` on SQLite."""
    return _stormed(folder, amounts, "local", ["run"])


def local_postgres(folder: Path, amounts: Amounts) -> Numbers:
    """B4: `commsched run` on PostgreSQL."""
    with servers.postgresql() as url:
        return _stormed(folder, amounts, "local", ["run"], url)


def one_worker(folder: Path, amounts: Amounts) -> Numbers:
    """B10: `commsched worker` on PostgreSQL."""
    return _distributed(folder, amounts, 1)


def two_workers(folder: Path, amounts: Amounts) -> Numbers:
    """B10: two of them on one PostgreSQL."""
    return _distributed(folder, amounts, 2)


def _distributed(folder: Path, amounts: Amounts, workers: int) -> Numbers:
    servers.needs("procrastinate")
    with servers.postgresql() as url:
        return _stormed(folder, amounts, "distributed", ["worker"] * workers, url)


def at_a_steady_rate(folder: Path, amounts: Amounts) -> Numbers:
    """B11: one reminder after the other falls due, 200 a second, at `commsched run` on SQLite."""
    (folder / "config/rules/appointment-reminders.yaml").unlink()
    (folder / "config/rules/steady.yaml").write_text(STEADY_RULE, "utf-8")
    size = RATE * amounts.steady
    due = {_mail(customer_id(number, "A")): number / RATE for number in range(size)}
    return _measured(folder, steady(size, RATE), "local", ["run"], due)


def _stormed(folder: Path, amounts: Amounts, engine: str, commands: list[str], url: str = "") -> Numbers:
    due = {_mail(customer_id(number, "S")): 0.0 for number in range(amounts.storm)}
    return _measured(folder, storm(amounts.storm), engine, commands, due, url)


def _mail(customer: str) -> str:
    return f"{customer.lower()}@example.com"


def _measured(
    folder: Path, facts: Iterator[bytes], engine: str, commands: list[str], due: Mapping[str, float], url: str = ""
) -> Numbers:
    """What came of it; ``due`` is how many seconds after ``STORM`` each is due, by the address."""
    with stub.running() as there:
        posts_to(folder, there.url, f'store = "{url}"\nengine = "{engine}"\n' if url else "")
        _on_the_eve(folder, facts, engine, url)
        with servers.processes([_command(folder, name) for name in commands]):
            meeting.all_ready(folder, len(commands))
            zero = meeting.choose(folder)
            there.until(len(due), LEAST + max(due.values()) + EACH * len(due))
            arrived = there.arrived()
    return lateness(arrived, zero, due)


def posts_to(folder: Path, url: str, deployment: str = "") -> None:
    """Let the deployment's mail go to the stub; ``deployment`` is what else is set there."""
    (folder / "var").mkdir(exist_ok=True)
    copyfile(ROOT / "benchmarks/stub_channel.py", folder / "plugins/stub_channel.py")
    configure(folder, MAIL, f'[[channels]]\nname = "mail"\nkind = "stub"\nurl = "{url}"\n')
    if deployment:
        configure(folder, 'store = "sqlite:///var/commsched.db"\n', deployment)


def configure(folder: Path, old: str, new: str) -> None:
    """Replace what the shipped configuration says."""
    path = folder / "config/commsched.toml"
    text = path.read_text("utf-8")
    if old not in text:
        raise SystemExit(f"config/commsched.toml has no {old!r} any more; benchmarks/ours.py must follow it.")
    path.write_text(text.replace(old, new), "utf-8")


def _on_the_eve(folder: Path, facts: Iterator[bytes], engine: str, url: str) -> None:
    """Everybody's facts are there and planned, a day before."""
    write(folder / "base.jsonl", facts)
    app, clock = opened(folder, STORM - DAY, Store(url, folder=folder) if url else None)
    if engine == "distributed":
        prepared(app)
    for _ in app.take_in(folder / "base.jsonl", "dms"):
        pass
    app.loop().tick(clock.at)
    app.store.close()


def _command(folder: Path, name: str) -> list[str]:
    return servers.module("benchmarks.shifted", folder, name, *(["--port", "0"] if name == "run" else []))


def lateness(arrived: stub.Arrived, zero: float, due: Mapping[str, float]) -> Numbers:
    """How late each message was that came, in seconds; each counts when it came first."""
    first: dict[str, float] = {}
    for at, to in arrived.messages:
        if to in due:
            first.setdefault(to, at - zero)
    late = [at - due[to] for to, at in first.items()]
    if not late:
        return {"sent": 0, "lost": len(due)}
    return {
        "per_second": len(late) / max(first.values()),
        "p50": percentile(late, 0.5),
        "p99": percentile(late, 0.99),
        "late": shares(late),
        "sent": len(late),
        "lost": len(due) - len(late),
        "twice": sum(to in due for _, to in arrived.messages) - len(late),
        "stub_cpu": arrived.cpu / max(first.values()),
    }


OURS: dict[str, Callable[[Path, Amounts], Numbers]] = {
    one.__name__: one for one in (local_sqlite, local_postgres, one_worker, two_workers)
}
