"""Appointments, and what there is to book."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, PrimaryKeyConstraint, Table

from commsched.store.tables.base import Text, metadata

# Appointments as they stand, by time.
appointment = Table(
    "appointment",
    metadata,
    Column("customer", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    Column("service", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("calendar", Text),
    PrimaryKeyConstraint("customer", "id"),
    Index("appointment_by_start", "start"),
)

# What stands of our appointments in calendars that other people write to as well. ``start`` and ``end``: what both
# sides had last, null before the first time; ``new_start`` and ``new_end``: what is being written, null if nothing is.
calendar_entry = Table(
    "calendar_entry",
    metadata,
    Column("calendar", Text, nullable=False),
    Column("uid", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("appointment", Text, nullable=False),
    Column("start", BigInteger),
    Column("end", BigInteger),
    Column("new_start", BigInteger),
    Column("new_end", BigInteger),
    PrimaryKeyConstraint("calendar", "uid"),
    sqlite_with_rowid=False,
)

# What an appointment that holds takes: the cells [first, last) of one resource of its calendar; without a resource it
# is overbooked. ``cell`` says the same a row a cell, and its key is what keeps two from taking one.
slot = Table(
    "slot",
    metadata,
    Column("customer", Text, nullable=False),
    Column("appointment", Text, nullable=False),
    Column("calendar", Text, nullable=False),
    Column("resource", Text),
    Column("first", BigInteger, nullable=False),
    Column("last", BigInteger, nullable=False),
    PrimaryKeyConstraint("customer", "appointment"),
    Index("slot_by_time", "calendar", "last"),
)
cell = Table(
    "cell",
    metadata,
    Column("resource", Text, nullable=False),
    Column("cell", BigInteger, nullable=False),
    Column("customer", Text, nullable=False),
    Column("appointment", Text, nullable=False),
    PrimaryKeyConstraint("resource", "cell"),
    sqlite_with_rowid=False,
)

# The waiting list, and what it was offered: who else wants a time is in nobody's own ledger.
wish = Table(
    "wish",
    metadata,
    Column("customer", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
    PrimaryKeyConstraint("customer", "id"),
)
offer = Table(
    "offer",
    metadata,
    Column("customer", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("calendar", Text, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
    PrimaryKeyConstraint("customer", "id"),
    Index("offer_by_expiry", "expires"),
)

# Whom a rule has invited that invites no more people than there is room for.
invitation = Table(
    "invitation",
    metadata,
    Column("rule", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("calendar", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("rule", "key"),
)

# When a calendar, or one resource of it, is closed besides its own hours.
closure = Table(
    "closure",
    metadata,
    Column("id", Text, primary_key=True),
    Column("calendar", Text, nullable=False),
    Column("resource", Text),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)
