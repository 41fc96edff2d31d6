"""Rates and outages of channels, the events of providers that were taken, and when an attempt may be made again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables; every channel begins with all its places, and well."""
    op.create_table(
        "rate",
        sa.Column("channel", TEXT, primary_key=True),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("day", TEXT, nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "outage",
        sa.Column("channel", TEXT, primary_key=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger()),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("detail", TEXT, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "heard",
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("channel", "id"),
        sqlite_with_rowid=False,
    )
    op.create_index("heard_by_at", "heard", ["at"])
    op.add_column("attempt", sa.Column("again", sa.BigInteger()))
    asked = sa.text("again IS NOT NULL")
    op.create_index("attempt_by_again", "attempt", ["customer", "again"], sqlite_where=asked, postgresql_where=asked)
