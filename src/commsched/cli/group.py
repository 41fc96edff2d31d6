"""The commands, by name: where each lives and what it does in a line. A module is imported when its command is wanted.

So ``commsched --help`` costs this table and no more.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Any, ClassVar

import click

from commsched.errors import CommschedError, FactRejected, Misuse, UnknownName


@dataclass(frozen=True, slots=True)
class Entry:
    """A command: its module below ``commsched.cli.commands``, the function there, and its help in one line."""

    module: str
    function: str
    help: str
    panel: str


START, LOOK, WORK, PEOPLE, CARE = "Begin", "Look ahead, and ask why", "Work", "What people say and do", "Care"
COMMANDS: dict[str, Entry] = {
    "init": Entry("init", "init", "Make a new deployment from the shipped one.", START),
    "demo": Entry("demo", "demo", "Show commsched at work on sample customers.", START),
    "check": Entry("check", "check", "Say everything that is wrong with the deployment.", START),
    "import": Entry("take_in", "take_in", "Take facts in from files.", START),
    "plan": Entry("plan", "plan", "Show what would go, when and on what, and what would not, and why.", LOOK),
    "simulate": Entry("simulate", "simulate", "Run facts through months of virtual time, on a scratch store.", LOOK),
    "preview": Entry("preview", "preview", "Show a message as a customer would get it.", LOOK),
    "explain": Entry("explain", "explain", "Say why a message goes when it goes, or does not go.", LOOK),
    "timeline": Entry("timeline", "timeline", "Show all that was said to and known of a customer, in order.", LOOK),
    "report": Entry("report", "report", "Add up contacts, vetoes, cost, and the bookings that followed.", LOOK),
    "tick": Entry("tick", "tick", "Do what is due now, once.", WORK),
    "run": Entry("run", "run", "Run the service: plan and send until stopped.", WORK),
    "worker": Entry("worker", "worker", "Work beside the service, on this machine or another.", WORK),
    "find": Entry("find", "find", "Find a customer by name, phone, mail, plate or model.", PEOPLE),
    "brief": Entry("brief", "brief", "Show a customer on one page, before a talk.", PEOPLE),
    "may-contact": Entry("may_contact", "may_contact", "Say whether you may call or write to somebody, now.", PEOPLE),
    "screen": Entry("screen", "screen", "Take out of a list whoever must not be approached.", PEOPLE),
    "note": Entry("note", "note", "Note a call, a letter or a talk with a customer.", PEOPLE),
    "hold": Entry("note", "hold", "Keep some purposes from a customer until a date.", PEOPLE),
    "commit": Entry("commit", "commit", "Note a promise, that it is kept, or that it is late.", PEOPLE),
    "case": Entry("case", "case", "Open or close a case: a complaint, a problem.", PEOPLE),
    "intent": Entry("intent", "intent", "Record what a customer wants, or never wants.", PEOPLE),
    "withdraw-links": Entry("withdraw_links", "withdraw_links", "Let a customer's links lead nowhere.", PEOPLE),
    "slots": Entry("slots", "slots", "List the free times for a service.", PEOPLE),
    "book": Entry("book", "book", "Book an appointment.", PEOPLE),
    "cancel": Entry("book", "cancel", "Cancel an appointment.", PEOPLE),
    "wish": Entry("wish", "wish", "Put a customer on the waiting list.", PEOPLE),
    "disrupt": Entry("disrupt", "disrupt", "Close a calendar, and say whose appointments that affects.", PEOPLE),
    "tasks": Entry("tasks", "tasks", "List what people must do.", PEOPLE),
    "done": Entry("tasks", "done", "Say what came of a task.", PEOPLE),
    "pause": Entry("pause", "pause", "Stop a rule, a department, a channel, or everything.", CARE),
    "resume": Entry("pause", "resume", "Let go on what was paused.", CARE),
    "settle": Entry("settle", "settle", "End the doubt whether a message went.", CARE),
    "conflicts": Entry("conflicts", "conflicts", "List what imports tried to overwrite and could not.", CARE),
    "facts": Entry("facts", "facts", "Say which facts nothing reads, and which are read and never recorded.", CARE),
    "plugins": Entry("plugins", "plugins", "List what is loaded, and from where.", CARE),
    "plugin": Entry("plugin", "plugin", "Begin a new plugin, with its law test.", CARE),
    "export": Entry("export", "export", "Give all that is known of a customer.", CARE),
    "forget": Entry("forget", "forget", "Erase a customer.", CARE),
    "retain": Entry("retain", "retain", "Delete facts that are older than they are to be kept.", CARE),
    "keys": Entry("keys", "keys", "List the keys of customers' links, or make a new one.", CARE),
    "restored": Entry("restored", "restored", "Say that the database was put back from a backup.", CARE),
    "doctor": Entry("doctor", "doctor", "Say how the deployment is, and what to do where it is not well.", CARE),
}


class Commands(click.Group):
    """A group whose commands are loaded when they are run; errors become one sentence and an exit code."""

    entries: ClassVar[dict[str, Entry]] = COMMANDS

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        del ctx
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """What the list of commands shows of one; ``load`` has the command itself."""
        del ctx
        entry = self.entries.get(cmd_name)
        return click.Command(cmd_name, help=entry.help) if entry else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, in its parts. Plain: rich takes longer to load than all the rest of this."""
        del ctx
        for panel in dict.fromkeys(entry.panel for entry in self.entries.values()):
            rows = [(name, entry.help) for name, entry in self.entries.items() if entry.panel == panel]
            with formatter.section(panel):
                formatter.write_dl(rows)

    def load(self, name: str) -> click.Command:
        """The command of that name."""
        entry = self.entries[name]
        found = getattr(import_module(f"commsched.cli.commands.{entry.module}"), entry.function)
        if not isinstance(found, click.Command):
            raise TypeError(name)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that is run, loaded."""
        name = args[0]
        if name in self.entries:
            return name, self.load(name), args[1:]
        if ctx.resilient_parsing:
            return None, None, args[1:]
        close = get_close_matches(name, self.entries, 1)
        hint = f"did you mean {close[0]}?" if close else f"`{ctx.command_path} --help` lists them."
        raise click.UsageError(f"There is no command {name!r}; {hint}", ctx)

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,  # noqa: ANN401 - as click has it
    ) -> Any:  # noqa: ANN401 - as click has it
        """Run a command, and exit with its code: 0 well, 1 the answer is no, 2 misuse or bad configuration."""

        def run() -> object:
            return super(Commands, self).main(
                args, prog_name, complete_var, standalone_mode=False, windows_expand_args=windows_expand_args, **extra
            )

        return sys.exit(_code(run)) if standalone_mode else run()


def _code(run: Any) -> int:  # noqa: ANN401 - a command returns what it likes
    try:
        returned = run()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return 130
    except FactRejected as error:
        return _said(error, 1)
    except CommschedError as error:
        return _said(error, 2)
    except OSError as error:
        # A file that the user named; what goes wrong with a store or a calendar has words of its own.
        if error.filename is None:
            raise
        return _said(Misuse(f"{error.filename}: {error.strerror or error}."), 2)
    return returned if isinstance(returned, int) and not isinstance(returned, bool) else 0


def _said(error: CommschedError, code: int) -> int:
    # Whoever asked for something that there is not wants to know what there is, not what kind of error that was.
    words = error.detail if isinstance(error, Misuse | UnknownName) else str(error)
    click.echo(f"Error: {words[:1].upper()}{words[1:]}", err=True)
    return code
