"""The wheel carries a working deployment: init, check, import and plan run from it alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The wheel's contents, as an installation lays them out."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def commsched(installed: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of the wheel in a folder, without the repository on the path."""
    start = f"import sys; sys.path.insert(0, {str(installed)!r}); from commsched.cli import main; main()"
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "COMMSCHED_STORE"}}
    return subprocess.run(
        [sys.executable, "-c", start, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_from_the_wheel_to_a_plan(installed, tmp_path):
    """commsched init mydealer && cd mydealer && commsched check && commsched import facts/*.jsonl && commsched plan"""
    assert commsched(installed, "init", "mydealer", cwd=tmp_path).returncode == 0
    dealer = tmp_path / "mydealer"
    assert (dealer / "config" / "commsched.toml").is_file()
    checked = commsched(installed, "check", cwd=dealer)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    facts = sorted(str(path.relative_to(dealer)) for path in dealer.glob("facts/*.jsonl"))
    imported = commsched(installed, "import", *facts, cwd=dealer)
    assert imported.returncode == 0, imported.stdout + imported.stderr
    planned = commsched(installed, "--json", "plan", "--at", "2026-12-01 09:00", cwd=dealer)
    assert planned.returncode == 0, planned.stderr
    assert {"messages", "tasks", "summary"} <= json.loads(planned.stdout).keys()


def test_init_never_writes_over_anything(installed, tmp_path):
    """A folder with something in it is refused in one sentence."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    refused = commsched(installed, "init", "mine", cwd=tmp_path)
    assert refused.returncode == 2
    assert len(refused.stderr.strip().splitlines()) == 1
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]
