"""The code by which the links of a short message are known."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column and its index."""
    op.add_column("attempt", sa.Column("code", TEXT))
    op.create_index("attempt_by_code", "attempt", ["code"], unique=True)
