"""``commsched preview``."""

from __future__ import annotations

import secrets
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from commsched.app import App
    from commsched.cli.previewed import Preview

MARK = "[Preview] "


@command("preview")
@click.argument("rule")
@click.option("--customer", metavar="ID", required=True, help="For whom.")
@click.option("--to", "address", metavar="ADDRESS", help="Send it there, to yourself, marked as a preview.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the first e-mail's HTML here.")
def preview(session: Session, rule: str, customer: str, address: str | None, html: Path | None) -> int:
    """Show the messages of RULE as the customer would get them now, whether they are due or not.

    With --to they are sent to an address of yours, through the deployment's own channel; nothing is
    recorded, and the customer gets nothing. The exit code is 1 if the rule has nothing to say.

    Example: commsched preview oil-change-due --customer C0042 --html mail.html
    """
    from commsched.cli.lookup import require_customer, unknown
    from commsched.cli.previewed import previews

    app = session.app()
    known = [one.name for one in app.rules]
    if rule not in known:
        raise unknown("rule", rule, known)
    require_customer(app, customer)
    found, why = previews(app, rule, customer)
    if not found:
        session.say(f"{rule} has nothing to say to {customer}: {why}", messages=[])
        return 1
    if html is not None:
        _write(html, found)
    if address is not None:
        for one in found:
            _send(app, one, address)
    _show(session, found, address)
    return 0


def _write(path: Path, found: list[Preview]) -> None:
    from commsched.errors import Misuse

    body = next((one.content.html for one in found if one.content.html), "")
    if not body:
        raise Misuse("None of these messages has HTML.")
    path.write_text(body, "utf-8")


def _show(session: Session, found: list[Preview], address: str | None) -> None:
    def human(_: object) -> None:
        for one in found:
            click.echo(f"--- {one.step} on {one.medium}, {one.content.locale}; {one.note}")
            if one.content.subject:
                click.echo(f"Subject: {one.content.subject}\n")
            click.echo(one.content.text.rstrip() + "\n")
        if address is not None:
            click.echo(f"Sent to {address}.")

    data = [
        {
            "step": one.step,
            "medium": one.medium,
            "subject_line": one.content.subject,
            "body": one.content.text,
            "html": one.content.html,
            "locale": one.content.locale,
            "note": one.note,
        }
        for one in found
    ]
    session.show({"messages": data}, human)


def _send(app: App, one: Preview, address: str) -> None:
    """Hand it to the channel of its medium; the address is the only thing that is not as it would be."""
    import asyncio

    import msgspec

    from commsched.errors import Misuse

    name = one.world.channels.get(one.medium)
    if name is None:
        raise Misuse(f"No channel serves {one.medium}.")
    content = replace(one.content, subject=MARK + one.content.subject if one.content.subject else "")
    if not content.subject:
        content = replace(content, text=MARK + content.text)
    proposal = msgspec.structs.replace(one.decision.proposal, addresses={one.medium: address})
    decision = msgspec.structs.replace(one.decision, proposal=proposal)
    outgoing = app.composer.outgoing(one.plan, decision, content, one.state, f"preview-{secrets.token_hex(12)}")
    asyncio.run(app.channels[name].send(outgoing))
