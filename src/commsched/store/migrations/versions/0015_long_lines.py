"""The channels' lines in their order, so that of a long one only the front is read, and by whose turn has come."""

from __future__ import annotations

from alembic import op

from commsched.store.store import MIGRATION_WAIT

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
    # What is rewritten in each pass has few rows today and many tomorrow; the planner must know.
    op.execute(
        "ALTER TABLE waiting SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 5000,"
        " autovacuum_analyze_scale_factor = 0.02, autovacuum_analyze_threshold = 1000)"
    )
    with op.get_context().autocommit_block():
        # Nobody stands behind one who waits like this, so that it may last as long as a backup does.
        op.execute("SET lock_timeout = 0")
        for name, columns in INDEXES.items():
            op.drop_index(name, "waiting", if_exists=True, postgresql_concurrently=True)
            op.create_index(name, "waiting", columns, postgresql_concurrently=True)
        op.drop_index("waiting_by_channel", "waiting", if_exists=True, postgresql_concurrently=True)
        op.execute(f"SET lock_timeout = '{MIGRATION_WAIT}'")
