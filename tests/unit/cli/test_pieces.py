"""The small parts of the command line: times, bars, masks, tables of documentation."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import commsched
from commsched import public
from commsched.cli.drawing import Axis
from commsched.cli.output import spreadsheet_safe
from commsched.cli.times import age, local, moment
from commsched.errors import Misuse
from commsched.model.subjects import masked
from commsched.timing.windows import Windows

CHICAGO = ZoneInfo("America/Chicago")
DAY = timedelta(days=1)
START = datetime(2026, 12, 1, 6, tzinfo=UTC)
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-12-01", "Tue 1 Dec 2026 00:00 CST"),
        ("2026-12-01 09:00", "Tue 1 Dec 2026 09:00 CST"),
        ("2026-12-01T09:00-05:00", "Tue 1 Dec 2026 08:00 CST"),
        ("2026-12-01T15:00:00Z", "Tue 1 Dec 2026 09:00 CST"),
        ("2026-03-08 02:30", "Sun 8 Mar 2026 03:00 CDT"),
    ],
)
def test_times_without_a_zone_are_ours(text, shown):
    """A date is its first instant, a local time is ours, and one that a clock change skips is the first after."""
    assert local(moment(text, CHICAGO), CHICAGO) == shown


@pytest.mark.parametrize("text", ["soon", "2026-13-01", "", "12/01/2026", "2026-12-01 25:00"])
def test_what_is_no_time_is_refused(text):
    """Anything else is misuse, with the forms that are taken."""
    with pytest.raises(Misuse, match="is no time; write"):
        moment(text, CHICAGO)


def test_ages_are_read_at_a_glance():
    """Seconds, minutes, hours, days, whichever says it best."""
    lengths = (timedelta(seconds=8), timedelta(minutes=3), timedelta(hours=30), timedelta(days=4))
    assert [age(START, START + length) for length in lengths] == ["8 s", "3 min", "30 h", "4 days"]


@pytest.mark.parametrize(
    ("address", "shown"),
    [("ana@example.com", "a…@example.com"), ("+18475550142", "+1847…42"), ("12 Elm Street", "12 …"), (None, "")],
)
def test_addresses_are_masked(address, shown):
    """Enough is shown to recognise an address, and not enough to use it."""
    assert masked(address) == shown


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_cell_is_a_formula(text):
    """Whatever a spreadsheet would run gets a quote; other text stays."""
    assert spreadsheet_safe(text) == f"'{text}"
    assert spreadsheet_safe("Ana") == "Ana"


def test_a_bar_shows_all_part_and_nothing():
    """A character is full, half or empty as its time is allowed."""
    axis = Axis(START, START + 4 * DAY, 4)
    windows = Windows([(START + DAY, START + 2 * DAY), (START + 2.5 * DAY, START + 2.75 * DAY)])
    assert axis.bar(windows) == "░█▒░"


def test_a_bar_leaves_out_what_was_not_looked_at():
    """Time that nobody looked at is neither allowed nor refused; a character seen in part counts by what was seen."""
    axis = Axis(START, START + 4 * DAY, 4)
    seen = (START + 1.5 * DAY, START + 3 * DAY)
    assert axis.bar(Windows([(START, START + 2 * DAY)]), seen) == "·█░·"


def test_marks_stand_where_their_time_is():
    """The instant placed covers the ideal where they are the same; what lies outside is left out."""
    axis = Axis(START, START + 4 * DAY, 4)
    marks = [
        (START + 1.5 * DAY, "▼"),
        (START + 4 * DAY, "┃"),
        (START + 1.6 * DAY, "●"),
        (START - DAY, "x"),
        (None, "y"),
    ]
    assert axis.marks(marks) == " ● ┃"


def test_dates_stand_below_their_days():
    """Each date begins where its day begins, by the customer's clock."""
    assert Axis(START, START + 4 * DAY, 40).dates(CHICAGO) == "│1 Dec    │2 Dec    │3 Dec    │4 Dec   │5 Dec"


def test_every_public_name_is_there():
    """The public names are those of one list, and each can be had from the package itself."""
    assert commsched.__all__ == public.__all__
    assert all(getattr(commsched, name) is getattr(public, name) for name in public.__all__)
    with pytest.raises(AttributeError, match="no public name 'Polcy'"):
        _ = commsched.Polcy


def test_the_documentation_is_what_the_code_says():
    """Commands, hooks, settings and facts are documented as they are."""
    done = subprocess.run(
        [sys.executable, "tools/check_docs.py"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_service_runs_until_it_is_told_to_stop(told):
    """It says that it runs, and ends well on SIGTERM."""
    command = [sys.executable, "-m", "commsched", "--deployment", str(told.folder), "run"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        assert process.stderr is not None
        begun = process.stderr.readline()
        deadline = time.monotonic() + 20
        while not (told.folder / "var" / "engine.lock").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1.0)
        process.send_signal(signal.SIGTERM)
        rest = process.stderr.read()
    assert "Corner Garage: planning and sending until stopped." in begun
    assert process.returncode == 0, rest
    assert "Traceback" not in rest
