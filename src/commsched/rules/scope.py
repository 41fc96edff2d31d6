"""What the parts of one rule are checked against, and how its texts become expressions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from commsched.errors import ExpressionError, TimeExpressionError
from commsched.model.vocabulary import Vocabulary
from commsched.rules.expressions import Declarations, Expression, compile_expression
from commsched.rules.literals import check_literals
from commsched.rules.mentions import EVERYWHERE, check_text
from commsched.rules.problems import Findings
from commsched.rules.rule import OFFER_SLOTS, Fallback, Service, Trigger, TriggerKind
from commsched.rules.schema import FallbackEntry
from commsched.rules.timeexpr import TimeExpression, parse_time
from commsched.rules.yamldoc import KeyPath

# Triggers whose names are those of services.
OF_SERVICES: frozenset[TriggerKind] = frozenset({"service_due", "service_record", "appointment", "offer"})
# Of the three things that a fallback can be, two are left out.
ALL_BUT_ONE = 2


@dataclass(frozen=True, slots=True)
class Scope:
    """A rule's surroundings while it is compiled; ``reads`` gathers the names that its texts use."""

    findings: Findings
    vocabulary: Vocabulary
    services: Mapping[str, Service]
    trigger: Trigger
    declarations: Declarations
    anchors: tuple[str, ...]
    steps: tuple[str, ...]
    reads: set[str] = field(default_factory=set)

    @property
    def bookable(self) -> bool:
        """Whether the trigger names services, all of which are booked at a calendar."""
        named = self.trigger.names if self.trigger.kind in OF_SERVICES else ()
        known = [self.services[name] for name in named if name in self.services]
        return bool(known) and all(service.calendar is not None for service in known)

    @property
    def known(self) -> frozenset[str]:
        """What texts may name."""
        return frozenset(self.declarations) | frozenset(self.anchors) | EVERYWHERE

    def expression(self, text: str | None, path: KeyPath) -> Expression | None:
        """The compiled expression; ``None`` if there is none, or if it is wrong, which is then noted."""
        if text is None:
            return None
        try:
            expression = compile_expression(text, self.declarations, where=f"`{path[-1]}`")
        except ExpressionError as error:
            self.findings.add(path, "expression", error.detail)
            return None
        check_literals(text, self.vocabulary, path, self.findings, steps=self.steps)
        self.reads.update(expression.names)
        return expression

    def time(self, text: str | None, path: KeyPath, *, more: tuple[str, ...] = ()) -> TimeExpression | None:
        """The parsed time expression, which may also name the anchors ``more``; ``None`` as above."""
        if text is None:
            return None
        try:
            return parse_time(text, (*self.anchors, *more))
        except TimeExpressionError as error:
            self.findings.add(path, "time", f"`{path[-1]}`: {error.detail}")
            return None

    def text(self, text: str, path: KeyPath, *, more: Iterable[str] = ()) -> frozenset[str]:
        """The names that a text for people uses, besides which it may use ``more``."""
        names = check_text(text, self.known | frozenset(more), path, self.findings)
        self.reads.update(names & frozenset(self.declarations))
        return names

    def fallback(self, entry: FallbackEntry | None, path: KeyPath) -> Fallback | None:
        """What happens when a message could not be."""
        if entry is None:
            return None
        if (entry.task is None) + (entry.template is None) + (entry.offer_slots is not True) != ALL_BUT_ONE:
            message = f"`{path[-1]}` needs exactly one of `task`, `template` and `offer_slots: true`."
            self.findings.add(path, "invalid", message)
        if entry.offer_slots and not self.bookable:
            message = (
                "`offer_slots` needs a trigger that names services with a calendar: there are no times without one."
            )
            self.findings.add((*path, "offer_slots"), "invalid", message)
        if entry.task is not None:
            self.text(entry.task, (*path, "task"), more=("reason",))
        return Fallback(task=entry.task, template=OFFER_SLOTS if entry.offer_slots else entry.template)
