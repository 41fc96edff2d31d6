"""What appointments take of the resources they are booked on, when a resource is closed, and the waiting list."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the tables; they are filled when the deployment first says what resources there are."""
    op.create_table(
        "slot",
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("appointment", TEXT, nullable=False),
        sa.Column("calendar", TEXT, nullable=False),
        sa.Column("resource", TEXT),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "appointment"),
    )
    op.create_index("slot_by_time", "slot", ["calendar", "last"])
    op.create_table(
        "cell",
        sa.Column("resource", TEXT, nullable=False),
        sa.Column("cell", sa.BigInteger(), nullable=False),
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("appointment", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("resource", "cell"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "closure",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("calendar", TEXT, nullable=False),
        sa.Column("resource", TEXT),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "wish",
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("service", TEXT, nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "id"),
    )
    op.create_table(
        "offer",
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("calendar", TEXT, nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("expires", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "id"),
    )
    op.create_index("offer_by_expiry", "offer", ["expires"])
    op.create_table(
        "invitation",
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("rule", "key"),
    )
