"""Which policy has a say in which purpose."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from commsched.app import App
from commsched.planning.world import Applied

ALL, SOME, NONE = "●", "◐", "·"


@dataclass(frozen=True, slots=True)
class Row:
    """A policy: what its code means for fallbacks, and its say in each purpose."""

    policy: str
    kind: str
    force: str
    cells: dict[str, str]


def matrix(app: App) -> tuple[list[str], list[Row]]:
    """The purposes, the most urgent first, and a row for each policy in its order."""
    purposes = sorted(app.vocabulary.purposes, key=lambda name: (app.vocabulary.purposes[name], name))
    return purposes, [_row(applied, purposes) for applied in app.policies]


def _row(applied: Applied, purposes: Iterable[str]) -> Row:
    whole = applied.media is None and applied.topics is None and applied.departments is None
    mark = ALL if whole else SOME
    cells = {p: mark if applied.purposes is None or p in applied.purposes else NONE for p in purposes}
    return Row(applied.name, applied.policy.kind, applied.policy.code.force.replace("_", " "), cells)
