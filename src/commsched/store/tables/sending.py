"""The queue, messages, attempts and decisions, and what is known of channels."""

from __future__ import annotations

import sqlalchemy
from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Table

from commsched.store.tables.base import Bytes, Text, metadata

# The only queue: customers to wake. Claiming moves ``due`` to the end of the lease and raises the fence.
wake = Table(
    "wake",
    metadata,
    Column("customer", Text, primary_key=True),
    Column("due", BigInteger, nullable=False),
    Column("fence", BigInteger, nullable=False, server_default="0"),
    Column("world", Text, nullable=False, server_default=""),
    Index("wake_by_due", "due", "customer"),
    sqlite_with_rowid=False,
)

# Messages as they stand: what the last plan said, or what became of it.
message = Table(
    "message",
    metadata,
    Column("customer", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("at", BigInteger),
    Column("attempt", Text),
    Column("signature", Bytes, nullable=False),
    Column("body", Bytes, nullable=False),
    PrimaryKeyConstraint("customer", "key"),
    sqlite_with_rowid=False,
)

# An accepted attempt whose ``detail`` is the provider's own id of the message; an index takes no text of any length.
KNOWN_BY_REFERENCE = "state = 'accepted' AND length(detail) <= 200"
# Every attempt to send, written down before the call. ``sent`` is the fact that becomes true when it is accepted;
# ``code`` the secret of its links where a signed one would be too long; ``again``: not before then may the message be
# tried by this channel again, by its own word.
attempt = Table(
    "attempt",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("send_by", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("detail", Text),
    Column("sent", Bytes, nullable=False),
    Column("code", Text),
    Index("attempt_by_code", "code", unique=True),
    Column("again", BigInteger),
    Index("attempt_by_message", "customer", "key"),
    Index("attempt_by_state", "state"),
    Index(
        "attempt_by_reference",
        "channel",
        "detail",
        sqlite_where=sqlalchemy.text(KNOWN_BY_REFERENCE),
        postgresql_where=sqlalchemy.text(KNOWN_BY_REFERENCE),
    ),
    Index(
        "attempt_by_again",
        "customer",
        "again",
        sqlite_where=sqlalchemy.text("again IS NOT NULL"),
        postgresql_where=sqlalchemy.text("again IS NOT NULL"),
    ),
    sqlite_with_rowid=False,
)

# Decisions, one row each time that one changed.
decision = Table(
    "decision",
    metadata,
    Column("customer", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("decided_at", BigInteger, nullable=False),
    Column("body", Bytes, nullable=False),
    PrimaryKeyConstraint("customer", "key", "decided_at"),
    sqlite_with_rowid=False,
)

# What people must do. ``taken_by`` is who has taken it upon them; planning again leaves that as it is.
task = Table(
    "task",
    metadata,
    Column("key", Text, primary_key=True),
    Column("customer", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("body", Bytes, nullable=False),
    Column("taken_by", Text, nullable=False, server_default=""),
    Column("taken_at", BigInteger),
    Index("task_by_state", "state", "at"),
    Index("task_by_customer", "customer", "state"),
    sqlite_with_rowid=False,
)

# What each channel has room for: when its next message may go, and how many units (messages, parts of texts) have gone
# on a day of the deployment's zone.
rate = Table(
    "rate",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("next", BigInteger, nullable=False),
    Column("day", Text, nullable=False),
    Column("used", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Who waits for a place at a channel that has a rate: how urgent it is, how many units it takes, when its turn comes.
waiting = Table(
    "waiting",
    metadata,
    Column("channel", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("units", BigInteger, nullable=False),
    Column("turn", BigInteger, nullable=False),
    PrimaryKeyConstraint("customer", "channel", "key"),
    Index("waiting_by_rank", "channel", "due", "priority", "until", "key", "turn", "units"),
    sqlite_with_rowid=False,
)

# Channels that gave no good answer lately: how often in a row; once closed, since when, until when, how often tried.
outage = Table(
    "outage",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("since", BigInteger),
    Column("until", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("detail", Text, nullable=False),
    sqlite_with_rowid=False,
)

# The events of providers that were taken, so that each counts once; ``id`` is the provider's own.
heard = Table(
    "heard",
    metadata,
    Column("channel", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("channel", "id"),
    Index("heard_by_at", "at"),
    sqlite_with_rowid=False,
)

# Events that name a message by the provider's own id only, which nobody knows yet. Nothing of a person: ``whose`` is a
# digest of the address, which tells the messages of one request from each other.
unmatched = Table(
    "unmatched",
    metadata,
    Column("channel", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("whose", Text, nullable=False),
    Column("kept_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("channel", "id"),
    sqlite_with_rowid=False,
)
