"""The channels' lines in their order, so that of a long one only the front is read, and by whose turn has come."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

INDEXES = {
    "waiting_by_rank": ["channel", "due", "priority", "until", "key", "turn", "units"],
    "waiting_by_turn": ["turn", "customer"],
}


def upgrade() -> None:
    """Make the indexes beside the work of others; what an attempt that was cut off has left is made anew."""
    if op.get_context().dialect.name != "postgresql":
        for name, columns in INDEXES.items():
            op.create_index(name, "waiting", columns)
        op.drop_index("waiting_by_channel", "waiting")
        return
    with op.get_context().autocommit_block():
        for name, columns in INDEXES.items():
            op.drop_index(name, "waiting", if_exists=True, postgresql_concurrently=True)
            op.create_index(name, "waiting", columns, postgresql_concurrently=True)
        op.drop_index("waiting_by_channel", "waiting", if_exists=True, postgresql_concurrently=True)
