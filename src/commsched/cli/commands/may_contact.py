"""``commsched may-contact``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from datetime import timedelta

    from commsched.cli.enquired import Asked


@command("may-contact")
@click.argument("who", metavar="CUSTOMER|PHONE|EMAIL")
@click.option("--purpose", metavar="P", required=True, help="What for, such as service, sales or collections.")
@click.option("--topic", metavar="T", help="About what, a topic of the vocabulary.")
@click.option(
    "--medium",
    type=click.Choice(["voice", "email", "sms", "letter"]),
    help="On what; default: voice, or email for a mail address.",
)
@click.option("--department", metavar="D", help="Who asks; default: the one whose rules speak of this purpose.")
@click.option("--about", metavar="ID", default="", help="About this obligation, asset or appointment.")
@click.option("--offer", "offers", metavar="ITEM", multiple=True, help="An item that is to be sold; again for more.")
@click.option("--days", type=click.IntRange(1, 60), default=7, show_default=True, help="How far ahead to look.")
@click.option("--claim", "claimed_for", metavar="TIME", help="If you may now: claim them for so long, e.g. 30m.")
@click.option("--release", is_flag=True, help="Give your claim back.")
@click.option("--by", help="Who asks; default: you.")
def may_contact(
    session: Session,
    who: str,
    purpose: str,
    topic: str | None,
    medium: str | None,
    department: str | None,
    about: str,
    offers: tuple[str, ...],
    days: int,
    claimed_for: str | None,
    release: bool,
    by: str | None,
) -> int:
    """Say whether you may call or write to somebody, when, why not, and whom to ask instead.

    What commsched would ask before a message is asked here, of the same policies. The exit code is 1 if you may not
    now. With --claim a colleague who asks within that time is told that you are about to call; --release ends it.

    Example: commsched may-contact C0042 --purpose sales --topic trade_in

    Example: commsched may-contact "+1 847 555 0188" --purpose service --claim 30m
    """
    from commsched.cli.enquired import asked, claim_for, release_for, show
    from commsched.cli.stated import me

    app, name = session.app(), by or me()
    length = _length(claimed_for, release=release)
    found = asked(app, who, purpose, topic, medium, department, name, about=about, offers=offers, days=days)
    if release:
        return _released(session, found, release_for(app, found, name))
    if length is not None and found.reply.allowed:
        found = claim_for(app, found, name, length)
    show(session, found, app.configuration.deployment.zone)
    return 0 if found.reply.allowed else 1


def _length(text: str | None, *, release: bool) -> timedelta | None:
    from datetime import timedelta

    from commsched.errors import Misuse
    from commsched.timing.durations import parse_exact

    if text is None:
        return None
    if release:
        raise Misuse("Either --claim or --release.")
    try:
        length = parse_exact(text)
    except ValueError as error:
        raise Misuse(f"--claim: {error}; write e.g. 30m.") from None
    if not timedelta() < length <= timedelta(days=1):
        raise Misuse("--claim: a claim is for some minutes or hours, at most 24h; for longer, use commsched hold.")
    return length


def _released(session: Session, found: Asked, count: int) -> int:
    names = ", ".join(f"{one.name} ({one.id})" for one in found.reply.people) or found.meant.address
    session.say(f"{names}: {'your claim is given back' if count else 'you had no claim'}.", released=bool(count))
    return 0 if count else 1
