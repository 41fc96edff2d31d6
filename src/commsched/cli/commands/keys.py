"""``commsched keys``."""

from __future__ import annotations

import click

from commsched.cli.session import Session, command


@command("keys")
@click.argument("action", type=click.Choice(["list", "rotate"]), default="list")
@click.option("--now", "at_once", is_flag=True, help="With rotate: the key is known to others; no old link works.")
@click.option("--by", help="Who does it; default: you.")
def keys(session: Session, action: str, *, at_once: bool, by: str | None) -> None:
    """List the keys that customers' links are signed with, or make a new one.

    Two keys live: the newest signs, both are believed. So the links of messages that have gone work until the next
    rotation; rotate no more often than your longest deadline. With --now they all stop working at once, also those to
    unsubscribe, and replies by link are lost. Restart what runs then. The key of erased customers' hashes and the
    secrets of providers are other things, and stay.

    Example: commsched keys rotate
    """
    from commsched.cli.stated import me
    from commsched.errors import Misuse
    from commsched.store.keys import link_keys, rotate
    from commsched.store.store import micros

    app = session.app()
    if at_once and action != "rotate":
        raise Misuse("--now belongs to rotate: commsched keys rotate --now")
    if action == "rotate":
        dead = rotate(app.store, micros(app.clock.now()), by or me(), at_once=at_once)
    live = [{"key": _name(key), "signs": key == link_keys(app.store)[-1]} for key in link_keys(app.store)]

    def human(_: object) -> None:
        for one in live:
            click.echo(f"{one['key']}  {'signs new links' if one['signs'] else 'is still believed'}")
        if not live:
            click.echo("There is no key yet; the first is made when the first message goes.")
        if action == "rotate":
            click.echo(_said(dead, at_once=at_once))

    session.show({"keys": live}, human)


def _said(dead: int, *, at_once: bool) -> str:
    if at_once:
        return "Every link that was sent is dead. Restart `commsched run`, so that it signs with the new key."
    if dead:
        return "Links signed two rotations ago are dead. What is running signs with the new key once it is restarted."
    return "All links that were sent still work. What is running signs with the new key once it is restarted."


def _name(key: str) -> str:
    """What a key is told by: a fingerprint from which nobody has it."""
    from hashlib import sha256

    return sha256(key.encode()).hexdigest()[:12]
