"""What ``doctor`` finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: whether it is well, and what to do where it is not."""

    what: str
    ok: bool
    says: str
    do: str = ""
