"""A demo's store stands at a day, and commands go by it; an empty store is called empty."""

import shutil

from commsched.cli.sandbox import STORE

STANDS = "This is the demo's store: it stands at Mon 22 Mar 2027 01:00 CDT, and this command goes by that."


def _demo(shell) -> None:
    (shell.folder / "facts").mkdir()
    shutil.move(shell.facts(), shell.folder / "facts" / "all.jsonl")
    (shell.folder / "facts" / "as-of.txt").write_text("2027-02-20\n", "utf-8")
    shell("demo")


def test_commands_over_the_demos_store_go_by_its_day(shell, monkeypatch):
    """The last day of the demo is today for whoever looks at what it left, and one line says so."""
    _demo(shell)
    monkeypatch.setenv("COMMSCHED_STORE", STORE)
    result = shell("brief", "ana")
    assert "it is Mon 22 Mar 2027 01:00 CDT there" in result.stdout
    assert result.stderr == f"{STANDS}\n"
    assert shell("tick").stderr == f"{STANDS}\n"


def test_a_time_that_was_given_goes_before_the_demos_day(shell, monkeypatch):
    """With --at nothing needs to be explained."""
    _demo(shell)
    monkeypatch.setenv("COMMSCHED_STORE", STORE)
    assert shell("plan", "--at", "2027-03-01").stderr == ""


def test_a_store_of_ones_own_goes_by_the_machines_clock(told):
    """Nothing is said where no demo was."""
    assert told("tasks").stderr == ""


def test_an_empty_store_is_called_empty(shell):
    """Whoever looks into an empty store is told which it is, and how to fill it."""
    said = "This store (sqlite:///var/commsched.db) is empty: `commsched import facts/*.jsonl`.\n"
    for arguments in (("tasks",), ("plan",), ("report",)):
        assert shell(*arguments).stderr == said
    for arguments in (("brief", "ana"), ("timeline", "ana"), ("explain", "ana/x/y"), ("explain", "--customer", "ana")):
        assert shell(*arguments, code=2).stderr.startswith(said)


def test_an_empty_store_beside_a_demo_says_where_the_demo_is(shell):
    """The demo works in a store of its own, which a new shell does not know of."""
    _demo(shell)
    words = f"or export COMMSCHED_STORE={STORE} to look at the demo."
    assert words in shell("tasks").stderr
