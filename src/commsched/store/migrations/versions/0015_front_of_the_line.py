"""The channels' lines in their order, so that of a long one only the front is read."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

RANK = ["channel", "due", "priority", "until", "key", "turn", "units"]


def upgrade() -> None:
    """Make the index beside the work of others; what an attempt that was cut off has left is made anew."""
    if op.get_context().dialect.name != "postgresql":
        op.create_index("waiting_by_rank", "waiting", RANK)
        op.drop_index("waiting_by_channel", "waiting")
        return
    with op.get_context().autocommit_block():
        op.drop_index("waiting_by_rank", "waiting", if_exists=True, postgresql_concurrently=True)
        op.create_index("waiting_by_rank", "waiting", RANK, postgresql_concurrently=True)
        op.drop_index("waiting_by_channel", "waiting", if_exists=True, postgresql_concurrently=True)
