"""``commsched doctor``."""

from __future__ import annotations

import click

from commsched.cli.session import Session, command


@command("doctor")
def doctor(session: Session) -> int:
    """Say how the deployment is: store, queue, messages, doubt, pauses, policies, calendars, disk.

    What is not well comes with what to do about it, and the exit code is then 1.

    Example: commsched doctor
    """
    from commsched.cli.health import examine

    findings = examine(session.app())

    def human(_: object) -> None:
        for one in findings:
            click.echo(f"{'ok  ' if one.ok else 'LOOK'}  {one.what}: {one.says}")
            if one.do:
                click.echo(f"      {one.do}")

    well = all(one.ok for one in findings)
    session.show({"ok": well, "findings": findings}, human)
    return 0 if well else 1
