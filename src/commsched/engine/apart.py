"""Who can be simulated apart: customers share nothing but circles, and what a deployment gives out in turn.

A circle (an address, a household, an organisation, a guardian) keeps its customers together. Places that a rule has a
day (``pace``) do so only where they run out, which shows when all has been simulated without them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from commsched.engine.virtual import KnownFact
from commsched.model.decisions import ACCEPTED
from commsched.model.facts import Offer, Wish
from commsched.rules.rule import OFFER_SLOTS, Rule
from commsched.store.ledgers import circles_of
from commsched.store.messages import MessageRecord
from commsched.timing.rates import Rate

UNLIMITED = 1_000_000_000


def must_stay_whole(rules: Iterable[Rule], rates: Mapping[str, Rate], facts: Iterable[KnownFact]) -> bool:
    """Whether customers may want the same free times, or a place at the same channel."""
    return bool(rates) or any(map(_gives_times, rules)) or any(isinstance(fact, Wish | Offer) for _, fact in facts)


def _gives_times(rule: Rule) -> bool:
    fallbacks = (rule.otherwise, *(one for step in rule.steps for one in (step.too_late, step.on_veto)))
    return rule.free_slots or any(one is not None and one.template == OFFER_SLOTS for one in fallbacks)


def without_paces(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """The rules with places for everybody."""
    return tuple(replace(rule, pace=None, catch_up=UNLIMITED if rule.catch_up is not None else None) for rule in rules)


def crowded(messages: Iterable[MessageRecord], rules: Iterable[Rule], zone: ZoneInfo) -> set[str]:
    """The rules of which some day's places were all taken, or would have been."""
    limits = {one.name: [n for n in (one.pace, one.catch_up) if n is not None] for one in rules}
    places = {name: min(found) for name, found in limits.items() if found}
    went = ((one.rule, one.at) for one in messages if one.rule in places and one.state in ACCEPTED and one.at)
    taken = Counter((rule, at.astimezone(zone).date()) for rule, at in went)
    return {rule for (rule, _), count in taken.items() if count >= places[rule]}


def rivals(messages: Iterable[MessageRecord], rules: Collection[str]) -> set[str]:
    """The customers to whom messages of these rules went."""
    return {one.customer for one in messages if one.rule in rules and one.state in ACCEPTED}


class Circles:
    """Which facts belong together, as they stand in the ledgers of customers who share a circle."""

    def __init__(self, facts: Iterable[KnownFact]) -> None:
        self._above: dict[str, str] = {}
        for subject, fact in facts:
            mine = self.of(subject)
            for circle in circles_of([("", fact)]):
                self._above[self.of(circle)] = mine

    def of(self, subject: str) -> str:
        """The ledger that stands for all that belong together with this one."""
        path = []
        while (above := self._above.get(subject, subject)) != subject:
            path.append(subject)
            subject = above
        self._above.update(dict.fromkeys(path, subject))
        return subject

    def shares(self, facts: Sequence[KnownFact], number: int) -> list[list[KnownFact]]:
        """The facts in at most so many shares of about the same size, none of which needs to know of another."""
        sizes = Counter(self.of(subject) for subject, _ in facts)
        loads, places = [0] * number, dict[str, int]()
        for group, size in sorted(sizes.items(), key=lambda one: (-one[1], one[0])):
            places[group] = loads.index(min(loads))
            loads[places[group]] += size
        found: list[list[KnownFact]] = [[] for _ in loads]
        for subject, fact in facts:
            found[places[self.of(subject)]].append((subject, fact))
        return [share for share in found if share]
