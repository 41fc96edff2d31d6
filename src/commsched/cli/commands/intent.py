"""``commsched intent``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import click

from commsched.cli.session import Session, command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from commsched.app import App
    from commsched.model.facts import Intent
    from commsched.store.ledgers import Loaded

    Stance = Literal["never", "not_before", "wants"]


@command("intent")
@click.argument("customer")
@click.argument("topic", required=False)
@click.argument("stance", required=False, type=click.Choice(("never", "not_before", "wants")))
@click.option("--until", metavar="DATE", help="Until when it holds.")
@click.option("--for", "length", metavar="LENGTH", help="How long, from the day each asset was acquired, e.g. 10y.")
@click.option("--asset", metavar="ID", help="Only what is about this asset; default: each of theirs, the next one too.")
@click.option("--words", help="What they said, in their own words; it is quoted wherever it holds something back.")
@click.option("--withdraw", is_flag=True, help="They take back what they said of TOPIC.")
def intent(
    session: Session,
    customer: str,
    topic: str | None,
    stance: Stance | None,
    until: str | None,
    length: str | None,
    asset: str | None,
    words: str | None,
    withdraw: bool,
) -> None:
    """Record what CUSTOMER said they want, or never want, of TOPIC; it covers all topics under it.

    It is the customer's own word: no campaign and no import outranks it, and another purchase does not end it.
    `*` as TOPIC is everything that asks something of them. Without a TOPIC, what stands is listed.

    Example: commsched intent C0042 trade_in never --for 10y --words "I keep cars ten years"

    Example: commsched intent C0042 trade_in --withdraw
    """
    from commsched.cli.lookup import facts_of, require_customer, unknown
    from commsched.cli.times import day
    from commsched.errors import Misuse
    from commsched.model.facts import Asset, Intent

    app = session.app()
    loaded, now = require_customer(app, customer), app.clock.now()
    if topic is None:
        _list(session, loaded)
    elif withdraw:
        _withdraw(session, app, loaded, topic, asset)
    elif stance is None:
        raise Misuse("Name what they want of it: never, not_before or wants; or take it back with --withdraw.")
    elif stance == "not_before" and until is None and length is None:
        raise Misuse("not_before needs --until DATE or --for LENGTH; without an end, write never.")
    else:
        known = sorted({one.id or "" for one in facts_of(loaded.ledger.entries) if isinstance(one, Asset)})
        if asset is not None and asset not in known:
            raise unknown(f"asset of {customer}", asset, known)
        end = day(until) if until is not None else None
        _record(
            session, app, loaded,
            Intent(at=now, customer=customer, stated_by="customer", topic=topic, stance=stance, until=end,
                   for_=length, asset=asset, words=words),
        )  # fmt: skip


def _record(session: Session, app: App, loaded: Loaded, fact: Intent) -> None:
    from commsched.cli.lookup import name_of
    from commsched.cli.stated import record, say

    customer = loaded.ledger.customer
    record(app, customer, fact)
    about = f" --asset {fact.asset}" if fact.asset else ""
    undo = f"commsched intent {customer} {fact.topic}{about} --withdraw"
    say(session, fact, f"Noted of {name_of(app, loaded)} ({customer}): {_told(fact)}.", undo)


def _withdraw(session: Session, app: App, loaded: Loaded, topic: str, asset: str | None) -> None:
    from msgspec.structs import replace

    from commsched.cli.lookup import unknown
    from commsched.cli.stated import record, say

    customer, now = loaded.ledger.customer, app.clock.now()
    said = standing(_intents(loaded))
    mine = [one for one in said if one.topic == topic and (one.asset or "*") == (asset or "*")]
    if not mine:
        raise unknown(f"topic that {customer} has spoken of", topic, sorted({one.topic for one in said}))
    taken = [
        replace(one, at=now, recorded_at=None, source=None, stated_by="customer", withdrawn=True, words=None)
        for one in mine
    ]
    record(app, customer, *taken)
    last = mine[-1]
    flags = (f" --until {last.until}" if last.until else "") + (f" --for {last.for_}" if last.for_ else "")
    about = f" --asset {last.asset}" if last.asset else ""
    undo = f"commsched intent {customer} {topic} {last.stance}{flags}{about}"
    say(session, taken[-1], f"{customer} has taken back: {'; '.join(map(_told, mine))}.", undo)


def _list(session: Session, loaded: Loaded) -> None:
    said = standing(_intents(loaded))
    words = [_told(one) for one in said] or ["Nothing is known of what they want."]
    session.show({"intents": said}, lambda _: click.echo("\n".join(words)))


def standing(intents: Sequence[Intent]) -> list[Intent]:
    """The last word on each topic, asset and direction, as the policy `stated_intent` counts it."""
    rank = {"customer": 2, "staff": 1}
    order = sorted(intents, key=lambda one: (rank.get(one.stated_by or "", 0), one.at))
    last = {(one.topic, one.asset or "*", one.stance == "wants"): one for one in order}
    return [one for one in last.values() if not one.withdrawn]


def _intents(loaded: Loaded) -> list[Intent]:
    from commsched.cli.lookup import facts_of
    from commsched.model.facts import Intent

    return [one for one in facts_of(loaded.ledger.entries) if isinstance(one, Intent)]


def _told(one: Intent) -> str:
    """A statement in a line."""
    parts = [f"{one.stance.replace('_', ' ')} {one.topic}"]
    parts += [f"until {one.until}"] if one.until else []
    parts += [f"for {one.for_} from each purchase" if not one.asset else f"for {one.for_}"] if one.for_ else []
    parts += [f"about {one.asset}"] if one.asset else []
    return " ".join(parts) + (f' ("{one.words}")' if one.words else "")
