"""The stop button, policies that failed, rules, settings, and the audit."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, PrimaryKeyConstraint, Table

from commsched.store.tables.base import Text, metadata

# The stop button, policies that failed, rules with the instant from which they count, rates used, other settings.
pause = Table(
    "pause",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("since", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
)
breaker = Table(
    "breaker",
    metadata,
    Column("policy", Text, primary_key=True),
    Column("until", BigInteger, nullable=False),
    Column("detail", Text, nullable=False),
)
rule = Table(
    "rule",
    metadata,
    Column("name", Text, primary_key=True),
    Column("since", BigInteger, nullable=False),
    Column("digest", Text, nullable=False),
)
pace = Table(
    "pace",
    metadata,
    Column("rule", Text, nullable=False),
    Column("day", Text, nullable=False),
    Column("used", Integer, nullable=False),
    PrimaryKeyConstraint("rule", "day"),
)

setting = Table("setting", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))

# Who pressed what, and when: appended only.
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("detail", Text, nullable=False),
)
