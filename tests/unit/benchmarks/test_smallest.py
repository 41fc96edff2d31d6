"""Every measure of the benchmarks runs, at a size at which its numbers mean nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pytest

from benchmarks.bench import deployment
from benchmarks.measures import MEASURES
from benchmarks.population import ROOT
from benchmarks.runs import BASE_MEASURES, ONCE, SMALLEST, STORM_MEASURES
from benchmarks.servers import Missing

pytestmark = pytest.mark.usefixtures("cold")
# Each begins servers and processes; the others of the comparison are these with another store or one process fewer.
COMPARED = ("local_sqlite", "two_workers", "apscheduler_sqlite", "celery_redis", "procrastinate_postgres")
ALONE = ("at_a_steady_rate", "checked", "sendgrid", "simulated", "stub_alone", "twilio")
SAME = {"local_postgres", "one_worker", "apscheduler_memory"}


@pytest.fixture
def cold(monkeypatch):
    """Templates are compiled when they are needed."""
    monkeypatch.setenv("BENCH_COLD", "1")


def test_no_measure_is_forgotten_here():
    """What a run makes is what runs below."""
    assert {*COMPARED, *ALONE, *SAME} == set(ONCE)
    assert {name for name, _ in BASE_MEASURES} | set(STORM_MEASURES) | set(ONCE) <= set(MEASURES)


def test_the_measures_of_a_base_and_their_table():
    """In one process, as a person would ask for them."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "benchmarks", "--smallest", "B1", "B2", "B3", "B6", "B7", "B9"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line[:1] == "B"}
    assert set(lines) == {"B1", "B2", "B3", "B6", "B7", "B9"}
    assert not any(" – " in line for line in lines.values())


def test_the_storm_to_the_outbox(tmp_path):
    """All of it arrives."""
    found = made(tmp_path, "generate_storm", *STORM_MEASURES)
    assert found["stormed"]["sent"] == found["bare"]["sent"] == 10
    assert found["stormed"]["dropped"] == 0


@pytest.mark.parametrize("name", [*ALONE, *COMPARED])
def test_a_measure_with_processes_of_its_own(name, tmp_path):
    """Each message comes once; what needs a program that is not there is skipped."""
    try:
        found = made(tmp_path, name)[name]
    except Missing as missing:
        pytest.skip(str(missing))
    assert all(value > 0 for key, value in found.items() if key in {"per_second", "seconds", "bare", "alike", "engine"})
    assert (found.get("lost", 0), found.get("twice", 0)) == (0, 0)
    assert found


def made(folder, *names):
    """What the measures found, one after the other in one folder."""
    deployment(folder)
    return {name: MEASURES[name](folder, replace(SMALLEST.amounts, customers=10)) for name in names}
