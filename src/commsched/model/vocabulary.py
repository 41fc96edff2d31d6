"""The words a deployment has declared: topics, events, items, roles, asset kinds, custom facts, purposes, media."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

MEDIA = ("email", "sms", "voice", "letter", "webhook", "task")

# Purposes, with the priority that a rule has when it states none: 1 goes first. Deployments may add their own.
PURPOSES: Mapping[str, int] = MappingProxyType(
    {
        "safety": 1,
        "legal": 2,
        "transactional": 3,
        "collections": 4,
        "service": 5,
        "survey": 7,
        "sales": 8,
        "marketing": 8,
    }
)
ASKS = frozenset({"sales", "marketing", "survey"})
# What people must be told is never capped, spaced or silenced; what they need not be told is what bothers them.
MUST_TELL = frozenset({"safety", "legal", "transactional"})
NEED_NOT_TELL = ASKS | {"service"}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What is not declared here is refused, in facts and in rules.

    ``topics`` maps each topic to its parent (``None`` at a root); ``events`` and ``assets`` map a kind to its typed
    fields; ``equivalents`` maps an item to every item that is the same thing; ``titles`` maps a word (``("topics",
    "sales")``, also of ``assets``, ``services`` and ``departments``) to what readers of a language see, by language.
    """

    topics: Mapping[str, str | None] = field(default_factory=dict)
    events: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    equivalents: Mapping[str, frozenset[str]] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    assets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    purposes: Mapping[str, int] = field(default_factory=lambda: PURPOSES)
    services: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    titles: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)

    def title(self, kind: str, word: str, own: str, *languages: str) -> str:
        """A word as readers see it, in the first of these languages that it has a title in; else by its own name."""
        known = self.titles.get((kind, word), {})
        return next((known[code] for code in languages if code in known), own)

    def untitled(self) -> list[tuple[str, str]]:
        """The titles of services and departments that there are not."""
        known = {"services": self.services, "departments": self.departments}
        return [(kind, word) for kind, word in self.titles if kind in known and word not in known[kind]]

    def covers(self, general: str | None, topic: str) -> bool:
        """Whether ``topic`` is ``general`` or lies under it; no topic, or ``*``, covers every topic."""
        if general is None or general == "*":
            return True
        seen: str | None = topic
        while seen is not None:
            if seen == general:
                return True
            seen = self.topics.get(seen)
        return False

    def same(self, item: str) -> frozenset[str]:
        """The item and all its declared equivalents."""
        return self.equivalents.get(item, frozenset((item,)))
