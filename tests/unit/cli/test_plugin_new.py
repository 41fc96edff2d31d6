"""plugin new: what is begun works, keeps the laws, and never takes the place of what is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DECLARED = {
    "channel": """
[[channels]]
name = "gate"
kind = "sms_gate"
url = "https://gateway.example/x"
token = "env:SMS_GATE_TOKEN"
""",
    "policy": '\n[[policies]]\nkind = "sms_gate"\ndays = [0, 6]\n',
}


@pytest.mark.parametrize("kind", sorted(DECLARED))
def test_a_new_plugin_keeps_the_laws_as_it_stands(shell, kind, monkeypatch):
    """Its own test passes, its kind is listed, and the deployment that declares it has no fault by it."""
    said = shell("plugin", "new", kind, "sms_gate")
    assert "plugins/sms_gate.py" in said.stdout
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_sms_gate.py"],
        cwd=shell.folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-2000:]
    monkeypatch.setenv("SMS_GATE_TOKEN", "a-token-of-ours")
    with (shell.folder / "config/commsched.toml").open("a") as file:
        file.write(DECLARED[kind])
    rows = shell.json("plugins")["plugins"]
    assert ("deployment", kind, "sms_gate") in {(row["origin"], row["what"], row["name"]) for row in rows}
    shell("check")


@pytest.mark.parametrize("kind", sorted(DECLARED))
def test_a_new_plugin_passes_this_projects_own_checks(shell, kind):
    """It is an example, so it is written as we write; in its own folder, commsched is a library like any other."""
    shell("plugin", "new", kind, "sms_gate")
    ruff = Path(sys.executable).parent / "ruff"
    for action in (["format", "--check"], ["check", "--ignore", "INP001,I001"]):
        ran = subprocess.run(
            [ruff, *action, "--config", ROOT / "pyproject.toml", "plugins"],
            cwd=shell.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout[-2000:]


@pytest.mark.parametrize("name", ["class", "Gate", "sms-gate", "../gate", "", "9lives"])
def test_a_name_that_cannot_be_a_kind_is_refused(shell, name):
    """One sentence, nothing written."""
    said = shell("plugin", "new", "channel", name, code=2)
    assert "small letters" in said.stderr
    assert not (shell.folder / "tests").exists()


def test_nothing_is_written_over(shell):
    """Neither the plugin nor its test."""
    shell("plugin", "new", "policy", "calm")
    mine = shell.folder / "plugins/calm.py"
    mine.write_text("mine")
    (shell.folder / "tests/test_calm.py").unlink()
    said = shell("plugin", "new", "policy", "calm", code=2)
    assert "There is a plugins/calm.py already" in said.stderr
    assert mine.read_text() == "mine"
    assert not (shell.folder / "tests/test_calm.py").exists()
