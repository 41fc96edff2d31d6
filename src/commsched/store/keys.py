"""The keys that customers' links are signed with: kept in the store, so that all workers have the same."""

from __future__ import annotations

import json
import secrets

from sqlalchemy import Connection

from commsched.store import queries
from commsched.store.store import Store

SETTING = "link_keys"


def link_keys(store: Store) -> tuple[str, ...]:
    """The live keys, oldest first; none before the first was made."""
    with store.read() as connection:
        return keys_in(connection)


def keys_in(connection: Connection) -> tuple[str, ...]:
    """The same, for whoever reads more in the same transaction."""
    return tuple(json.loads(queries.setting(connection, SETTING) or "[]"))


def ensure_link_keys(store: Store, first: str | None = None) -> None:
    """Make the first key, if there is none yet; where time is virtual it is given, so that texts repeat to the byte."""
    if link_keys(store):
        return
    with store.write() as connection:
        if queries.setting(connection, SETTING) is None:
            queries.put_setting(connection, SETTING, json.dumps([first or secrets.token_hex(32)]))


def rotate(store: Store, now: int, by: str, *, at_once: bool = False) -> int:
    """Make a new key, which signs from now on; the one before it is still believed. How many are not any more.

    ``at_once``: none of the others is, and no short link leads anywhere, for somebody else knows the key.
    """
    with store.write() as connection:
        former = tuple(json.loads(queries.setting(connection, SETTING) or "[]"))
        live = [*(() if at_once else former[-1:]), secrets.token_hex(32)]
        queries.put_setting(connection, SETTING, json.dumps(live))
        if at_once:
            queries.forget_codes(connection)
        queries.note(connection, now, by, "keys rotate", "at once" if at_once else "")
    return len(set(former) - set(live))
