"""What a store is where that may surprise: the demo's, which stands at a day, or one with nothing in it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import make_url

from commsched.app import App
from commsched.cli.sandbox import STORE
from commsched.cli.session import Session
from commsched.cli.times import local
from commsched.store import queries
from commsched.store.store import Store

# The setting in which the demo's store remembers the instant at which its virtual time ended.
STANDS_AT = "demo_stands_at"


def stand(store: Store, at: datetime) -> None:
    """Write into the demo's store at which instant it stands."""
    with store.write() as connection:
        queries.put_setting(connection, STANDS_AT, at.isoformat())


def stands_at(app: App) -> datetime | None:
    """The instant at which the deployment's store stands, if a demo left it; a store that is not there stays so."""
    store = Store(app.configuration.deployment.store, folder=app.folder)
    # A demo's store is a file. One that is not there yet is not made by a command that has no need of it.
    if not store.sqlite or not Path(str(store.url.database)).is_file():
        return None
    with app.store.read() as connection:
        found = queries.setting(connection, STANDS_AT)
    return datetime.fromisoformat(found) if found is not None else None


def in_words(app: App, at: datetime) -> str:
    """``This is the demo's store: it stands at Tue 22 Dec 2026 00:00 CST``."""
    return f"This is the demo's store: it stands at {local(at, app.configuration.deployment.zone)}"


def tell_if_empty(session: Session, app: App) -> None:
    """Where no fact is about any customer, say so on stderr, which store that is, and what to do."""
    with app.store.read() as connection:
        if queries.has_customers(connection):
            return
    name = make_url(app.configuration.deployment.store).render_as_string(hide_password=True)
    there = (app.folder / str(make_url(STORE).database)).is_file()
    demo = f", or export COMMSCHED_STORE={STORE} to look at the demo" if there else ""
    session.warn(f"This store ({name}) is empty: `commsched import facts/*.jsonl`{demo}.")
