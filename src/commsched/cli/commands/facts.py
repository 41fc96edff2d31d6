"""``commsched facts``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import Console


@command("facts")
def facts(session: Session) -> None:
    """Say which recorded facts nothing ever reads, and which facts are read that nobody records.

    What is recorded and read by no rule, service, template, policy or plugin is remembered in vain: use it, or stop
    asking for it. What is read and never recorded keeps a rule from ever coming true.

    Example: commsched facts
    """
    from commsched.check.used_facts import usage
    from commsched.cli.output import counted, line, table

    found = usage(session.app())

    def human(console: Console) -> None:
        if found.unread:
            rows = [(name, f"{count:,}") for name, count in found.unread.items()]
            console.print(table("Recorded, and read by nothing", ("fact", "how often"), rows, right=("how often",)))
        if found.unrecorded:
            named = [(name, ", ".join(who)) for name, who in found.unrecorded.items()]
            console.print(table("Read, and recorded by nobody", ("fact", "read by"), named))
        if not found.unread and not found.unrecorded:
            line(console, "Every fact that is recorded is read, and every fact that is read is recorded.")
        line(console, f"{counted(found.recorded, 'fact')} looked at.")

    data = {
        "unread": [{"name": name, "count": count} for name, count in found.unread.items()],
        "unrecorded": [{"name": name, "readers": who} for name, who in found.unrecorded.items()],
        "facts": found.recorded,
    }
    session.show(data, human)
