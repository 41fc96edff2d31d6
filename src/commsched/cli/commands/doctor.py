"""``commsched doctor``."""

from __future__ import annotations

import click

from commsched.cli.session import Session, command


@command("doctor")
def doctor(session: Session) -> int:
    """Say how the deployment is, and what to do about what is not well; the exit code is then 1.

    The store, the queue, messages, doubt, pauses, policies, channels, sources, calendars, disks; whether an engine and
    workers are at work, which plugins failed within the hour, whether clocks agree and links lead anywhere.

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
