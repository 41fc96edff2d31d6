"""``commsched note`` and ``commsched hold``."""

from __future__ import annotations

import secrets

import click

from commsched.cli.session import Session, command


@command("note")
@click.argument("customer")
@click.argument("text")
@click.option("--medium", default="voice", show_default=True, help="On what: voice, email, letter, visit, …")
@click.option("--in/--out", "inward", default=False, help="They came to us, or we to them (default).")
@click.option("--purpose", help="What it was for, such as service or sales.")
@click.option("--topic", help="What it was about, a topic of the vocabulary.")
@click.option("--by", help="Who of us; default: you.")
@click.option("--customer-said", is_flag=True, help="The words are the customer's own.")
def note(
    session: Session,
    customer: str,
    text: str,
    medium: str,
    inward: bool,
    purpose: str | None,
    topic: str | None,
    by: str | None,
    customer_said: bool,
) -> None:
    """Note a call, a letter or a talk with CUSTOMER, so that all departments know of it.

    Example: commsched note C0042 "Wants no calls before noon" --in --customer-said
    """
    from commsched.cli.lookup import name_of, require_customer
    from commsched.cli.stated import me, record, say, stated_by
    from commsched.model.facts import Interaction

    app = session.app()
    name = name_of(app, require_customer(app, customer))
    fact = Interaction(
        at=app.clock.now(),
        customer=customer,
        stated_by=stated_by(customer_said=customer_said),
        direction="in" if inward else "out",
        medium="voice" if medium == "phone" else medium,
        purpose=purpose,
        topic=topic,
        by=by or me(),
        summary=text,
    )
    record(app, customer, fact)
    undo = f'a note stays; write what is right: commsched note {customer} "…"'
    say(session, fact, f"Noted for {name} ({customer}): {text}", undo)


@command("hold")
@click.argument("customer")
@click.option(
    "--purpose", "purposes", multiple=True, metavar="P", help="What to hold; give it again for more, * for all."
)
@click.option(
    "--until", metavar="TIME", help="When the hold ends by itself, which it must; a date alone is the end of that day."
)
@click.option("--reason", help="Why, for whoever asks.")
@click.option("--about", metavar="ID", help="Only what concerns this obligation or asset.")
@click.option("--release", metavar="HOLD", help="End this hold now.")
@click.option("--by", help="Who says so; default: you.")
def hold(
    session: Session,
    customer: str,
    purposes: tuple[str, ...],
    until: str | None,
    reason: str | None,
    about: str | None,
    release: str | None,
    by: str | None,
) -> None:
    """Keep messages of some purposes from CUSTOMER until a time; every department keeps to it.

    Example: commsched hold C0042 --purpose collections --until 2026-12-15 --reason "Her insurer pays"

    Example: commsched hold C0042 --release H-1a2b3c
    """
    from commsched.cli import times
    from commsched.cli.lookup import name_of, require_customer
    from commsched.cli.stated import me, record, say
    from commsched.cli.times import local
    from commsched.errors import Misuse
    from commsched.model.facts import Hold

    app = session.app()
    loaded = require_customer(app, customer)
    if release is not None:
        _release(session, customer, release, by)
        return
    end, now = times.end(until, session.zone()) if until is not None else None, app.clock.now()
    if not purposes or end is None or not reason:
        raise Misuse("A hold needs --purpose, --until and --reason.")
    if end <= now:
        raise Misuse("--until is past; a hold ends in the future.")
    fact = Hold(
        at=now,
        customer=customer,
        id=f"H-{secrets.token_hex(3)}",
        stated_by="staff",
        purposes=list(purposes),
        about=about,
        reason=reason,
        until=end,
        by=by or me(),
    )
    record(app, customer, fact)
    who = f"{name_of(app, loaded)} ({customer})"
    words = f"{who} gets nothing for {', '.join(purposes)} until {local(end, session.zone())}: {reason}"
    say(session, fact, words, f"commsched hold {customer} --release {fact.id}")


def _release(session: Session, customer: str, name: str, by: str | None) -> None:
    import msgspec

    from commsched.cli.lookup import facts_of, require_customer, unknown
    from commsched.cli.stated import me, record, say
    from commsched.model.facts import Hold

    app = session.app()
    holds = {f.id: f for f in facts_of(require_customer(app, customer).ledger.entries) if isinstance(f, Hold) and f.id}
    if name not in holds:
        raise unknown(f"hold of {customer}", name, sorted(holds))
    fact = msgspec.structs.replace(
        holds[name], at=app.clock.now(), recorded_at=None, released=True, by=by or me(), source=None, stated_by="staff"
    )
    record(app, customer, fact)
    again = " ".join(f"--purpose {purpose}" for purpose in fact.purposes)
    undo = f'commsched hold {customer} {again} --until {fact.until:%Y-%m-%dT%H:%MZ} --reason "{fact.reason}"'
    say(session, fact, f"The hold {name} on {customer} has ended.", undo)
