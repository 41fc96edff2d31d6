"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "appointment",
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("id", TEXT, nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("service", TEXT, nullable=False),
        sa.Column("status", TEXT, nullable=False),
        sa.Column("calendar", TEXT),
        sa.PrimaryKeyConstraint("customer", "id"),
    )
    op.create_index("appointment_by_start", "appointment", ["start"])
    op.create_table(
        "attempt",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("channel", TEXT, nullable=False),
        sa.Column("address", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("send_by", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("detail", TEXT),
        sa.Column("sent", sa.LargeBinary(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("attempt_by_message", "attempt", ["customer", "key"])
    op.create_index("attempt_by_state", "attempt", ["state"])
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", TEXT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("detail", TEXT, nullable=False),
    )
    op.create_table(
        "breaker",
        sa.Column("policy", TEXT, primary_key=True),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("detail", TEXT, nullable=False),
    )
    op.create_table(
        "decision",
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "key", "decided_at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "fact",
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "digest"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ledger",
        sa.Column("subject", TEXT, primary_key=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("flags", sa.Integer(), nullable=False, server_default="0"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "member",
        sa.Column("circle", TEXT, nullable=False),
        sa.Column("customer", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("circle", "customer"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "message",
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("at", sa.BigInteger()),
        sa.Column("attempt", TEXT),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("customer", "key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pace",
        sa.Column("rule", TEXT, nullable=False),
        sa.Column("day", TEXT, nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("rule", "day"),
    )
    op.create_table(
        "pause",
        sa.Column("scope", TEXT, primary_key=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("by", TEXT, nullable=False),
    )
    op.create_table(
        "rule",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("digest", TEXT, nullable=False),
    )
    op.create_table(
        "setting",
        sa.Column("name", TEXT, primary_key=True),
        sa.Column("value", TEXT, nullable=False),
    )
    op.create_table(
        "task",
        sa.Column("key", TEXT, primary_key=True),
        sa.Column("customer", TEXT, nullable=False),
        sa.Column("department", TEXT, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("task_by_state", "task", ["state", "at"])
    op.create_table(
        "wake",
        sa.Column("customer", TEXT, primary_key=True),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("world", TEXT, nullable=False, server_default=""),
        sqlite_with_rowid=False,
    )
    op.create_index("wake_by_due", "wake", ["due", "customer"])
