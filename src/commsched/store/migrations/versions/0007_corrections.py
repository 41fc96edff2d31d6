"""Overwrites that were refused, and whether their source has been told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table; what was refused before is listed, and not reported."""
    op.create_table(
        "correction",
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("fact", TEXT, nullable=False),
        sa.Column("field", TEXT, nullable=False),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("detail", TEXT, nullable=False, server_default=""),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "fact", "field"),
        sqlite_with_rowid=False,
    )
    op.create_index("correction_by_due", "correction", ["state", "due"])
