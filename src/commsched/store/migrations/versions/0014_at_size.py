"""PostgreSQL at size: the ledger in parts by customer, and a queue whose dead rows are cleared away soon."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

PARTS = 16
# Table, what it is parted by, and its key. All that is read of a customer lies in one part of each.
PARTED = (
    ("fact", "subject", "subject, digest"),
    ("message", "customer", "customer, key"),
    ("decision", "customer", "customer, key, decided_at"),
)


def upgrade() -> None:
    """Copy the tables into parts. This takes as long as reading them, and nobody writes meanwhile."""
    if op.get_context().dialect.name != "postgresql":
        return
    for table, column, key in PARTED:
        op.execute(f"ALTER TABLE {table} RENAME TO {table}_whole")
        op.execute(f"CREATE TABLE {table} (LIKE {table}_whole INCLUDING DEFAULTS) PARTITION BY HASH ({column})")
        for number in range(PARTS):
            op.execute(
                f"CREATE TABLE {table}_{number:02} PARTITION OF {table}"
                f" FOR VALUES WITH (MODULUS {PARTS}, REMAINDER {number})"
            )
        op.execute(f"INSERT INTO {table} SELECT * FROM {table}_whole")  # noqa: S608 - names of ours
        op.execute(f"DROP TABLE {table}_whole")
        op.execute(f"ALTER TABLE {table} ADD PRIMARY KEY ({key})")
    # Each claim and each end of one leaves a dead row; a fifth of a large table would be waited for otherwise.
    op.execute(
        "ALTER TABLE wake SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01,"
        " autovacuum_vacuum_threshold = 5000)"
    )
