"""The list of commands, help, and how errors come out."""

import subprocess
import sys

import click
import pytest

from commsched.cli import cli
from commsched.cli.group import COMMANDS, Commands
from commsched.cli.session import Session

HEAVY = {
    "sqlalchemy",
    "pydantic",
    "apscheduler",
    "rich.console",
    "commsched.app",
    "commsched.public",
    "cel_expr_python",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_tells_the_truth_about_every_command(name):
    """A command is where the table says, has its name, an example, and takes --json."""
    assert isinstance(cli, Commands)
    command = cli.load(name)
    assert command.name == name
    assert "Example: commsched" in (command.help or "")
    assert "--json" in {option for parameter in command.params for option in parameter.opts}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_does(name):
    """No option of any command is without a help text."""
    options = [one for one in cli.load(name).params if isinstance(one, click.Option)]
    assert [one.name for one in options if not one.help] == []


def test_help_loads_nothing_that_takes_time():
    """The list of commands needs neither the store nor the rules nor rich."""
    code = (
        "import sys; from commsched.cli import cli; cli.main(['--help'], standalone_mode=False); "
        f"sys.exit(str({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == "set()"
    assert "Show what would go" in done.stdout


def test_an_unknown_command_is_misuse_with_a_hint(shell):
    """A mistyped command exits with 2 and names the nearest."""
    assert "did you mean import?" in shell("impart", code=2).stderr


def test_a_missing_deployment_is_a_sentence(tmp_path, shell):
    """A folder that is no deployment exits with 2, says what to do, and shows no traceback."""
    shell.folder = tmp_path
    result = shell("plan", code=2)
    assert "commsched init DIR" in result.stderr
    assert "Traceback" not in result.stderr


def test_version(shell):
    """The version is printed."""
    assert shell("--version").stdout.startswith("commsched ")


def test_json_stands_before_or_after_the_command(shell):
    """Both places of --json give the same."""
    assert shell("--json", "plugins").stdout == shell("plugins", "--json").stdout


def test_interruption_exits_with_130(shell, monkeypatch):
    """Ctrl-C ends a command without a traceback, and with the code that shells expect."""

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Session, "app", interrupted)
    assert "Stopped" in shell("plan", code=130).stderr
