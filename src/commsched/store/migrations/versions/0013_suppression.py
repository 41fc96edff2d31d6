"""The keyed hashes that are left of customers who were erased."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table; nobody was erased yet."""
    op.create_table(
        "suppression",
        sa.Column("digest", sa.LargeBinary(), primary_key=True),
        sa.Column("erasure", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("again", sa.BigInteger()),
        sa.Column("body", sa.LargeBinary()),
        sqlite_with_rowid=False,
    )
