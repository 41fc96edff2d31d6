"""Alembic's entry: runs on the connection that the store hands over."""

from __future__ import annotations

from alembic import context

from commsched.store.tables import metadata

given = context.config.attributes
context.configure(
    connection=given.get("connection"),
    # Without a connection the statements are only written out.
    url=given.get("url"),
    target_metadata=metadata,
    render_as_batch=True,
    transaction_per_migration=True,
)
context.run_migrations()
