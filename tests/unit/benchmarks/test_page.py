"""What a run has found becomes tables and pictures, the same ones whenever they are made."""

from __future__ import annotations

import pytest

from benchmarks import page
from benchmarks.lines import OURS, RIVALS, Found, contest, rows
from benchmarks.report import circumstances
from benchmarks.saved import load, load_all, save

ABOUT = circumstances(1_000, 10_000)


def storm(pace: float) -> dict[str, object]:
    late = [share / pace for share in range(101)]
    return {"per_second": pace, "p50": late[50], "p99": late[99], "late": late, "sent": 5, "lost": 0, "twice": 0}


def found() -> Found:
    base = {"idle": {"ms": 1.0}, "a_day": {"seconds": 2.0}, "first_tick": {"mb": 200.0}}
    once = {name: storm(100.0 + number) for number, name in enumerate([*OURS, *RIVALS])}
    return Found({1_000: base, 10_000: base}, once, 1_000)


def test_numbers_that_are_missing_are_dashes():
    """A peer that is not there leaves a gap and no error."""
    without = Found(found().by_size, {**found().once, "celery_redis": {}}, 1_000)
    assert len(contest(without)) == 1 + len(OURS) + len(RIVALS) - 1
    ratio = next(row for row in rows(["B10"], Found(found().by_size, {}, 1_000)) if "two against one" in row.what)
    assert ratio.cells()[2:4] == ("–", "–")
    assert ratio.verdict == ""


def test_the_ratio_of_the_workers_is_of_this_run():
    """Two workers at 103 a second against one at 102."""
    ratio = next(row for row in rows(["B10"], found()) if "two against one" in row.what)
    assert ratio.large == pytest.approx(103 / 102)
    assert ratio.verdict == "1.7× short"


def test_a_run_can_be_kept_and_read_again(tmp_path):
    """The numbers, at which sizes, and under which circumstances."""
    save(tmp_path / "run.json", ABOUT, found(), ["B1"])
    about, again, wanted = load(tmp_path / "run.json")
    assert (about, again, wanted) == (ABOUT, found(), ["B1"])
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(SystemExit, match="no file that --save has written"):
        load(tmp_path / "run.json")


def test_a_run_can_be_made_in_parts(tmp_path):
    """The numbers of all files, each with its circumstances; the later file counts, and sizes are not mixed."""
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    save(one, ABOUT, found(), ["B10", "B1"])
    newer = Found({1_000: {"idle": {"ms": 9.0}}, 5_000: {}}, {"checked": {"seconds": 5.0}}, 1_000)
    save(two, ABOUT, newer, ["B12"])
    about, both, wanted = load_all([one, two])
    assert wanted == ["B1", "B10", "B12"]
    assert both.by_size[1_000] == {**found().by_size[1_000], "idle": {"ms": 9.0}}
    assert both.once == {**found().once, "checked": {"seconds": 5.0}}
    assert about == f"B10, B1: {ABOUT}\n\nB12: {ABOUT}"
    assert load_all([one])[0] == str(ABOUT)
    save(two, ABOUT, Found({5: {}}, {}, 5), ["B1"])
    with pytest.raises(SystemExit, match="different sizes"):
        load_all([one, two])


def test_the_page_is_written_between_its_marks_with_pictures(tmp_path):
    """What stands around the marks stays, and a second time changes no byte."""
    pytest.importorskip("matplotlib", reason="matplotlib is not installed: make bench installs it")
    path = tmp_path / "performance.md"
    path.write_text(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n")
    lines = rows(["B1", "B4"], found())
    page.write(str(ABOUT), found(), lines, path, tmp_path)
    files = [path, tmp_path / "lateness.svg", tmp_path / "cost.svg"]
    first = [one.read_bytes() for one in files]
    text = path.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "(img/lateness.svg)" in text
    page.write(str(ABOUT), found(), lines, path, tmp_path)
    assert [one.read_bytes() for one in files] == first
    assert b"<svg" in first[1]
    assert b"dc:date" not in first[1]


def test_a_page_without_marks_is_left_alone(tmp_path):
    """It says what is missing."""
    path = tmp_path / "performance.md"
    path.write_text("nothing\n")
    with pytest.raises(SystemExit, match="needs the lines"):
        page.write(str(ABOUT), found(), [], path, tmp_path)
    assert path.read_text() == "nothing\n"


def test_the_shipped_page_has_the_marks():
    """So that --write finds its place."""
    text = page.PAGE.read_text("utf-8")
    assert text.count(page.BEGIN) == text.count(page.END) == 1
