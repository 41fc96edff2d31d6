"""The tables. Instants are microseconds since 1970 in UTC; JSON is bytes that msgspec reads.

The customer is the unit of work: a customer's facts, messages, attempts and decisions share the leading key, so that a
batch of customers is read in one sweep, and the tables can be partitioned by it.
"""

from __future__ import annotations

import sqlalchemy
from sqlalchemy import BigInteger, Column, Dialect, Index, Integer, LargeBinary, MetaData, PrimaryKeyConstraint, Table

metadata = MetaData()


class Bytes(LargeBinary):
    """Bytes as the drivers take and give them.

    SQLAlchemy would wrap each value that goes in and copy each that comes out, which made imports slower by a third.
    """

    def bind_processor(self, dialect: Dialect) -> None:
        """Nothing is done to a value on its way in."""
        del dialect

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        """Nothing is done to a value on its way out."""
        del dialect, coltype


# Keys stand in the order of their bytes, whatever language the database speaks: ranges and locks rest on that order.
Text = sqlalchemy.Text().with_variant(sqlalchemy.Text(collation="C"), "postgresql")

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
    Index("waiting_by_channel", "channel"),
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
