"""What passes of the loop have done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self


@dataclass
class Report:
    """What passes have done."""

    planned: int = 0
    sent: int = 0
    refused: int = 0
    later: int = 0
    in_doubt: int = 0
    overtaken: int = 0
    problems: list[str] = field(default_factory=list)

    def count(self, name: str) -> None:
        """One more of these."""
        setattr(self, name, getattr(self, name) + 1)

    def __iadd__(self, other: Report) -> Self:
        for name in ("planned", "sent", "refused", "later", "in_doubt", "overtaken"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.problems += other.problems
        return self
