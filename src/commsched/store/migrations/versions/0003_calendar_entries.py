"""What stands of our appointments in calendars."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "calendar_entry",
        sa.Column("calendar", TEXT, nullable=False),
        sa.Column("uid", TEXT, nullable=False),
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("appointment", TEXT, nullable=False),
        sa.Column("start", sa.BigInteger()),
        sa.Column("end", sa.BigInteger()),
        sa.Column("new_start", sa.BigInteger()),
        sa.Column("new_end", sa.BigInteger()),
        sa.PrimaryKeyConstraint("calendar", "uid"),
        sqlite_with_rowid=False,
    )
