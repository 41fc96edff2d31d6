"""The channels' lines in their order, so that of a long one only the front is read."""

from __future__ import annotations

from alembic import op

from commsched.store.store import MIGRATION_WAIT

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

NAME, COLUMNS = "waiting_by_rank", ["channel", "due", "priority", "until", "key", "turn", "units"]


def upgrade() -> None:
    """Make the index beside the work of others; what an attempt that was cut off has left is made anew."""
    if op.get_context().dialect.name != "postgresql":
        op.create_index(NAME, "waiting", COLUMNS)
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
        op.drop_index(NAME, "waiting", if_exists=True, postgresql_concurrently=True)
        op.create_index(NAME, "waiting", COLUMNS, postgresql_concurrently=True)
        op.drop_index("waiting_by_channel", "waiting", if_exists=True, postgresql_concurrently=True)
        op.execute(f"SET lock_timeout = '{MIGRATION_WAIT}'")
