"""Two sets of rules over the same facts: exactly what differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from commsched.store.messages import MessageRecord

Pair = tuple[MessageRecord, MessageRecord]


@dataclass
class Difference:
    """What another set of rules changes. Pairs are before and after; ``refused`` and ``allowed`` likewise."""

    added: list[MessageRecord] = field(default_factory=list)
    removed: list[MessageRecord] = field(default_factory=list)
    moved: list[Pair] = field(default_factory=list)
    medium: list[Pair] = field(default_factory=list)
    refused: list[MessageRecord] = field(default_factory=list)
    allowed: list[MessageRecord] = field(default_factory=list)
    text: list[Pair] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any((self.added, self.removed, self.moved, self.medium, self.refused, self.allowed, self.text))


def difference(before: Mapping[str, MessageRecord], after: Mapping[str, MessageRecord]) -> Difference:
    """Compare messages by key. What was refused on both sides is no difference."""
    found = Difference()
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        _compare(found, old, new)
    return found


def _compare(found: Difference, old: MessageRecord | None, new: MessageRecord | None) -> None:
    goes, went = new is not None and new.state == "planned", old is not None and old.state == "planned"
    if new is not None and goes and not went:
        (found.added if old is None else found.allowed).append(new)
    elif old is not None and went and not goes:
        if new is None:
            found.removed.append(old)
        else:
            found.refused.append(new)
    elif old is not None and new is not None and goes:
        _details(found, old, new)


def _details(found: Difference, old: MessageRecord, new: MessageRecord) -> None:
    if (old.medium, old.to) != (new.medium, new.to):
        found.medium.append((old, new))
    elif old.at != new.at:
        found.moved.append((old, new))
    elif old.template != new.template:
        found.text.append((old, new))
