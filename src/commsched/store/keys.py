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
