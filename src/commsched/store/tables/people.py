"""What is known of customers, and what is kept of those who are forgotten."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, PrimaryKeyConstraint, Table

from commsched.store.tables.base import Bytes, Text, metadata

# One row a ledger: a customer or a circle. ``version`` grows with every fact; what is about to be sent is checked
# against it. ``flags``: see FLAG_*.
ledger = Table(
    "ledger",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("flags", Integer, nullable=False, server_default="0"),
    sqlite_with_rowid=False,
)
FLAG_CORRECTED = 1  # somebody other than an import has stated a ranked fact: re-imports may conflict
FLAG_REFUSED = 2  # a consent was taken back: it binds the addresses, too
FLAG_COLLEAGUE = 4  # they belong to an organisation, or did: their cases and promises bind their colleagues, too

# The facts, clustered by ledger. The digest is the fact's identity, so a fact that comes twice is there once.
fact = Table(
    "fact",
    metadata,
    Column("subject", Text, nullable=False),
    Column("digest", Bytes, nullable=False),
    Column("body", Bytes, nullable=False),
    PrimaryKeyConstraint("subject", "digest"),
    sqlite_with_rowid=False,
)

# Who belongs to a circle: address -> customers, organisation -> customers, household -> customers.
member = Table(
    "member",
    metadata,
    Column("circle", Text, nullable=False),
    Column("customer", Text, nullable=False),
    PrimaryKeyConstraint("circle", "customer"),
    sqlite_with_rowid=False,
)

# Overwrites that were refused, for the source that tried: ``state`` is waiting, told or given_up.
correction = Table(
    "correction",
    metadata,
    Column("customer", Text, nullable=False),
    Column("fact", Text, nullable=False),
    Column("field", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("detail", Text, nullable=False, server_default=""),
    Column("body", Bytes, nullable=False),
    PrimaryKeyConstraint("customer", "fact", "field"),
    Index("correction_by_due", "state", "due"),
    sqlite_with_rowid=False,
)

# Ledgers whose names must not stand here any more: the keyed hash of each, and the erasure's id in the audit log.
# ``again``: facts about a customer that are true since then are taken in once more. ``body``: an address's refusals.
suppression = Table(
    "suppression",
    metadata,
    Column("digest", Bytes, primary_key=True),
    Column("erasure", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("again", BigInteger),
    Column("body", Bytes),
    sqlite_with_rowid=False,
)

# Who is about to get in touch with whom: a customer, or an address (``c:``, ``a:``), until when. It is gone after that.
claim = Table(
    "claim",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("by", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
