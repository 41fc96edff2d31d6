"""Who has taken a task upon them, and the tasks of a customer at hand."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the columns and the index."""
    op.add_column("task", sa.Column("taken_by", TEXT, nullable=False, server_default=""))
    op.add_column("task", sa.Column("taken_at", sa.BigInteger()))
    op.create_index("task_by_customer", "task", ["customer", "state"])
