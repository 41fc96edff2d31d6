"""To which calendar somebody was invited, so that two campaigns do not give away the same room."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column; older invitations count at every calendar of their rule until they lapse."""
    op.add_column("invitation", sa.Column("calendar", TEXT, nullable=False, server_default=""))
