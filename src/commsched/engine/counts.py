"""What this process did, counted for Prometheus: it hears what is announced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from commsched.engine import meters as m
from commsched.model.decisions import Decision
from commsched.signals import Asked, Attempted, Called, Decided, Failed, Handed, Heard, Passed, Received, Signal

# So many combinations of what plugins make up are told apart, so that a code that counts up is not a million labels.
MOST = 200
LONGEST = 60
OTHER = "other"
# When each series began is asked by nobody, and would double their number.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Few:
    """Labels of which a plugin decides: the first combinations as they are, all others as one."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self._known = most, set[tuple[str, ...]]()

    def __call__(self, *labels: str) -> tuple[str, ...]:
        """The labels under which these are counted."""
        short = tuple(str(label)[:LONGEST] for label in labels)
        if short not in self._known:
            if len(self._known) >= self._most:
                return (OTHER,) * len(labels)
            self._known.add(short)
        return short


class Counts:
    """The counters of a process, in a registry of their own; ``turned_at``: its main loop's last turn, in Unix time."""

    def __init__(self, turned_at: Callable[[], float]) -> None:
        self.registry = CollectorRegistry()
        self._all = {one.name: _made(one, self.registry) for one in m.METERS if not one.stands}
        self._all[m.LAST_TURN.name].set_function(turned_at)
        self._codes, self._kinds = Few(), Few()

    def hear(self, signal: Signal) -> None:
        """Count what was announced."""
        match signal:
            case Received():
                self._add(m.FACTS, str(type(signal.event).__struct_config__.tag))
            case Decided():
                self._decided(signal.decision)
            case Attempted():
                self._add(m.ATTEMPTS, signal.attempt.channel, signal.outcome)
            case Passed():
                self._all[m.PASS_SECONDS.name].observe(signal.seconds)
                self._all[m.CUSTOMERS_PLANNED.name].inc(signal.customers)
            case Handed():
                late = max(0.0, signal.late.total_seconds())
                self._all[m.LATENESS.name].labels(signal.channel).observe(late)
            case Failed():
                self._add(m.FAILURES, signal.plugin, signal.kind)
            case Called():
                self._add(m.CALLS, signal.channel or "unknown", signal.result)
            case Asked():
                self._add(m.PAGES, signal.kind, str(signal.status))
            case Heard():
                self._add(m.EVENTS, *self._kinds(signal.channel, signal.kind))

    def _decided(self, decision: Decision) -> None:
        self._add(m.DECISIONS, decision.state)
        if decision.state == "refused":
            for reason in decision.reasons:
                self._add(m.VETOES, *self._codes(reason.policy, reason.code, reason.force))

    def _add(self, meter: m.Meter, *labels: str) -> None:
        self._all[meter.name].labels(*labels).inc()


def _made(meter: m.Meter, registry: CollectorRegistry) -> Any:  # noqa: ANN401 - one of three kinds, by the table
    if meter.kind == "histogram":
        return Histogram(meter.name, meter.means, meter.labels, buckets=meter.buckets, registry=registry)
    kind = Counter if meter.kind == "counter" else Gauge
    return kind(meter.name, meter.means, meter.labels, registry=registry)
