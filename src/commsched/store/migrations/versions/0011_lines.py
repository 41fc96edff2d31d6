"""Attempts by the provider's own id, the events that name nothing else, and who waits in a channel's line."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create them; whoever stood in line stands in it again when they are looked at next."""
    known = sa.text("state = 'accepted' AND length(detail) <= 200")
    op.create_index(
        "attempt_by_reference", "attempt", ["channel", "detail"], sqlite_where=known, postgresql_where=known
    )
    op.create_table(
        "unmatched",
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("reference", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("whose", TEXT, nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "waiting",
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "channel", "key"),
        sqlite_with_rowid=False,
    )
    op.create_index("waiting_by_channel", "waiting", ["channel"])
    op.drop_column("rate", "line")
