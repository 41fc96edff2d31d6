"""A report as it is printed: rows, policies, families beside businesses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rich.console import Console

from commsched.cli.output import line, table
from commsched.cli.times import local
from commsched.config import DeploymentSettings
from commsched.render.formats import money
from commsched.store.reports import Group, Question, Summary, Sums

_NUMBERS = ("contacts", "cost", "vetoes", "may still go", "saved", "bookings that followed")
_HELD = ("vetoes", "may still go", "saved")
_GROUPS = {"family": "families", "business": "businesses"}


def report_json(
    asked: Question, found: Summary, policies: Mapping[str, Sums] | None, currency: str
) -> dict[str, object]:
    """The report for tools; money is rounded to ten-thousandths."""
    data: dict[str, object] = {
        "from": asked.start if asked.start.timestamp() else None,
        "to": asked.end,
        "by": asked.by,
        "booking_within_days": asked.within.days,
        "currency": currency,
        "rows": [{asked.by: name, **_sums(sums)} for name, sums in found.rows.items()],
        "total": _sums(found.total),
        "groups": {_GROUPS[name]: _group(group) for name, group in found.groups.items()},
    }
    if policies is not None:
        data["policies"] = [{"policy": name, **_held(sums)} for name, sums in _heaviest(policies)]
    return data


def _sums(sums: Sums) -> dict[str, object]:
    return {"contacts": sums.contacts, "cost": round(sums.cost, 4), **_held(sums), "bookings": sums.bookings}


def _held(sums: Sums) -> dict[str, object]:
    return {"vetoes": sums.vetoes, "may_still_go": sums.waiting, "saved": round(sums.saved, 4)}


def _group(group: Group) -> dict[str, object]:
    counts = {"customers": group.customers, "reached": group.reached, "open_tasks": group.tasks}
    return {**counts, **_sums(group.sums), "per_100": {name: round(n, 1) for name, n in _rates(group).items()}}


def _rates(group: Group) -> dict[str, float]:
    """What comes on each hundred customers, which is what can be compared."""
    each = 100 / group.customers if group.customers else 0.0
    counts = {
        "reached": group.reached,
        "contacts": group.sums.contacts,
        "vetoes": group.sums.vetoes,
        "bookings": group.sums.bookings,
        "open_tasks": group.tasks,
    }
    return {name: count * each for name, count in counts.items()}


def _heaviest(rows: Mapping[str, Sums]) -> list[tuple[str, Sums]]:
    return sorted(rows.items(), key=lambda one: (-one[1].vetoes, one[0]))


@dataclass(frozen=True, slots=True)
class Shown:
    """The report for people."""

    console: Console
    settings: DeploymentSettings
    asked: Question

    def all(self, found: Summary, policies: Mapping[str, Sums] | None) -> None:
        """Everything, in order."""
        line(self.console, f"{self.settings.name}, {self._span(found)}")
        if self.asked.by == "policy":
            self._policies(found.rows)
        else:
            self._rows(found)
        if policies is not None:
            self._policies(policies)
        self._groups(found.groups)
        days = self.asked.within.days
        line(self.console, f"A booking follows a message about its service when it is made within {days} days of it.")

    def _span(self, found: Summary) -> str:
        begins = "from the beginning" if not self.asked.start.timestamp() else self._at(self.asked.start)
        if not found.total.contacts and not found.total.vetoes:
            return f"{begins} to {self._at(self.asked.end)}: nothing went, and nothing was refused."
        return f"{begins} to {self._at(self.asked.end)}"

    def _at(self, at: datetime) -> str:
        return local(at, self.asked.zone)

    def _rows(self, found: Summary) -> None:
        rows = [(name, *self._cells(sums)) for name, sums in found.rows.items()]
        rows.append(("all", *self._cells(found.total)))
        self.console.print(table("", (self.asked.by, *_NUMBERS), rows, right=_NUMBERS))

    def _cells(self, sums: Sums) -> tuple[str, ...]:
        held = self._held(sums)
        return f"{sums.contacts:,}", self._money(sums.cost), *held, f"{sums.bookings:,}"

    def _held(self, sums: Sums) -> tuple[str, str, str]:
        return f"{sums.vetoes:,}", f"{sums.waiting:,}", self._money(sums.saved)

    def _policies(self, rows: Mapping[str, Sums]) -> None:
        cells = [(name, *self._held(sums)) for name, sums in _heaviest(rows)]
        self.console.print(table("", ("policy", *_HELD), cells, right=_HELD))

    def _groups(self, groups: Mapping[str, Group]) -> None:
        columns = ("for each 100 customers", *_GROUPS.values())
        rates = {name: _rates(group) for name, group in groups.items()}
        labels = {"reached": "written to", "open_tasks": "open tasks"}
        rows = [(labels.get(one, one), *(f"{rates[name][one]:,.1f}" for name in _GROUPS)) for one in rates["family"]]
        rows.append(("cost", *(self._money(self._each(groups[name])) for name in _GROUPS)))
        rows.append(("(customers)", *(f"{groups[name].customers:,}" for name in _GROUPS)))
        self.console.print(table("", columns, rows, right=tuple(_GROUPS.values())))

    @staticmethod
    def _each(group: Group) -> float:
        return group.sums.cost * 100 / group.customers if group.customers else 0.0

    def _money(self, amount: float) -> str:
        currency = self.settings.currency
        return money(amount, currency, self.settings.locale) if currency else f"{amount:,.2f}"
