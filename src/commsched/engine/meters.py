"""Every metric: its name, what its labels are, what it means. The dashboard and the alerts are held against this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Meter:
    """A metric. ``stands``: read from the store, the same in every process; else what this process did."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    labels: tuple[str, ...]
    means: str
    stands: bool = False
    buckets: tuple[float, ...] = ()


LATE = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
LONG = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


def _did(name: str, labels: tuple[str, ...], means: str) -> Meter:
    return Meter(name, "counter", labels, means)


def _stands(name: str, labels: tuple[str, ...], means: str) -> Meter:
    return Meter(name, "gauge", labels, means, stands=True)


LATENESS = Meter(
    "commsched_lateness_seconds",
    "histogram",
    ("channel",),
    "From when a message was to go to when it is handed to its channel.",
    buckets=LATE,
)
PASS_SECONDS = Meter(
    "commsched_pass_seconds", "histogram", (), "How long it took to work on one batch of customers.", buckets=LONG
)
CUSTOMERS_PLANNED = _did("commsched_customers_planned_total", (), "Customers who were looked at.")
DECISIONS = _did("commsched_decisions_total", ("state",), "Decisions that changed, by the state that they give.")
VETOES = _did(
    "commsched_vetoes_total",
    ("policy", "code", "force"),
    "Reasons for which a decision that changed refuses a message.",
)
ATTEMPTS = _did("commsched_attempts_total", ("channel", "outcome"), "Attempts to send, by what came of them.")
FACTS = _did("commsched_facts_total", ("type",), "Facts that came in.")
EVENTS = _did("commsched_events_total", ("channel", "kind"), "Events of providers that were new.")
CALLS = _did("commsched_webhook_calls_total", ("channel", "result"), "Calls of providers.")
PAGES = _did("commsched_page_requests_total", ("kind", "status"), "Requests for customers' pages, and presses there.")
FAILURES = _did(
    "commsched_plugin_failures_total", ("plugin", "kind"), "Plugins that raised, hung or answered nonsense."
)
LAST_TURN = Meter(
    "commsched_last_turn_timestamp_seconds", "gauge", (), "When the main loop of this process turned last (Unix time)."
)

STORE_UP = _stands("commsched_store_up", (), "Whether the store answered when it was last read.")
CUSTOMERS_DUE = _stands("commsched_customers_due", (), "Customers who are due and in nobody's hands (100,000 at most).")
OLDEST_DUE = _stands("commsched_oldest_due_seconds", (), "For how long the first of them has been due.")
CUSTOMERS = _stands("commsched_customers", (), "Customers who are known.")
MESSAGES = _stands("commsched_messages", ("state",), "Messages as they stand.")
UNDER_WAY = _stands(
    "commsched_attempts_open", ("state", "channel"), "Attempts under way (sending) or in doubt (in_doubt)."
)
OLDEST_OPEN = _stands("commsched_oldest_attempt_seconds", ("state", "channel"), "How old the oldest of them is.")
POLICY_OPEN = _stands("commsched_policy_broken", ("policy",), "1 for a policy that failed and refuses everything.")
CHANNEL_CLOSED = _stands("commsched_channel_closed", ("channel",), "1 for a channel that is out of order, else 0.")
PAUSED = _stands("commsched_paused", ("scope",), "1 for what somebody has stopped.")
TASKS = _stands("commsched_tasks_open", ("department",), "Tasks that are to be done.")
TASKS_OVERDUE = _stands("commsched_tasks_overdue", ("department",), "Those not done within the department's tasks_due.")
SOURCE_AGE = _stands("commsched_source_age_seconds", ("source",), "Since when nothing was heard of a source.")
SOURCE_FRESH = _stands("commsched_source_fresh_seconds", ("source",), "How old its last word may be.")
JOBS = _stands("commsched_jobs_waiting", (), "Batches that wait for a worker (distributed engine).")
JOBS_STUCK = _stands("commsched_jobs_stuck", (), "Batches whose worker is not heard of any more.")
WORKERS = _stands("commsched_workers", (), "Workers that are heard of.")
READ_AGE = _stands("commsched_reading_age_seconds", ("reading",), "How old these numbers are: quick, and bulk.")

METERS: tuple[Meter, ...] = tuple(one for one in tuple(globals().values()) if isinstance(one, Meter))
