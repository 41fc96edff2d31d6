"""``commsched pause`` and ``commsched resume``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from rich.console import Console

    from commsched.app import App

BREAKER, OUTAGE = "policy:", "channel:"


@command("pause")
@click.argument("scope", required=False)
@click.option("--by", help="Who says so; default: you.")
def pause(session: Session, scope: str | None, by: str | None) -> None:
    """Stop SCOPE at once: the name of a rule, a department or a channel, or all. Without SCOPE: list what is stopped.

    What was planned waits; what has left cannot be called back.

    Example: commsched pause trade-in
    """
    from commsched.cli.stated import me
    from commsched.store import queries
    from commsched.store.store import micros

    app = session.app()
    if scope is None:
        _list(session, app)
        return
    _require(app, scope)
    now, who = micros(app.clock.now()), by or me()
    with app.store.write() as connection:
        queries.put_pause(connection, scope, now, who)
        queries.note(connection, now, who, "pause", scope)
        queries.wake_messages(connection, _woken(app, scope), ("planned", "refused"), now)
    session.say(f"Stopped: {scope}. To let it go on: commsched resume {scope}", scope=scope, by=who)


@command("resume")
@click.argument("scope")
@click.option("--by", help="Who says so; default: you.")
def resume(session: Session, scope: str, by: str | None) -> int:
    """Let SCOPE go on. With policy:NAME a policy that failed is asked again, with channel:NAME a closed one is open.

    The exit code is 1 if it was not stopped.

    Example: commsched resume trade-in

    Example: commsched resume policy:frequency_cap

    Example: commsched resume channel:text
    """
    from commsched.cli.stated import me
    from commsched.store import queries
    from commsched.store.store import micros

    app = session.app()
    if not scope.startswith((BREAKER, OUTAGE)):
        _require(app, scope)
    now, who = micros(app.clock.now()), by or me()
    with app.store.write() as connection:
        if scope.startswith(BREAKER):
            was = queries.drop_breaker(connection, scope.removeprefix(BREAKER))
        elif scope.startswith(OUTAGE):
            was = queries.drop_outage(connection, scope.removeprefix(OUTAGE))
        else:
            was = queries.drop_pause(connection, scope)
        if was:
            queries.note(connection, now, who, "resume", scope)
            queries.wake_messages(connection, _woken(app, scope), ("planned", "refused"), now)
    words = f"Goes on: {scope}. To stop it again: commsched pause {scope}" if was else f"{scope} was not stopped."
    session.say(words, scope=scope, was=was)
    return 0 if was else 1


def _require(app: App, scope: str) -> None:
    """Refuse a scope that there is not, with the nearest that there is."""
    from commsched.cli.lookup import unknown

    known = [*(rule.name for rule in app.rules), *app.configuration.departments, *app.channels, "all"]
    if scope not in known:
        raise unknown("rule, department or channel", scope, known)


def _woken(app: App, scope: str) -> str:
    """Whose messages to look at again: one rule's, or everybody's."""
    return scope if any(rule.name == scope for rule in app.rules) else "all"


def _list(session: Session, app: App) -> None:
    from commsched.cli.output import table
    from commsched.cli.times import local
    from commsched.store import queries
    from commsched.store.store import instant

    with app.store.read() as connection:
        rows = [(row.scope, instant(row.since), row.by) for row in queries.pauses(connection)]
        failed = [(f"{BREAKER}{row.policy}", instant(row.until), row.detail) for row in queries.breakers(connection)]
        failed += [(f"{OUTAGE}{row.channel}", instant(row.until), row.detail) for row in queries.outages(connection)]
    zone = app.configuration.deployment.zone

    def show(console: Console) -> None:
        if not rows and not failed:
            console.print("Nothing is stopped.")
            return
        cells = [(scope, f"since {local(since, zone)}", f"by {who}") for scope, since, who in rows]
        cells += [(scope, f"until {local(until, zone)}", detail) for scope, until, detail in failed]
        console.print(table("", ("stopped", "when", "why"), cells))

    data = {
        "pauses": [{"scope": scope, "since": since, "by": who} for scope, since, who in rows],
        "breakers": [{"scope": scope, "until": until, "detail": detail} for scope, until, detail in failed],
    }
    session.show(data, show)
