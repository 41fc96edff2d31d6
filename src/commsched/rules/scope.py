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
from commsched.rules.rule import Fallback, Service, Trigger
from commsched.rules.schema import FallbackEntry
from commsched.rules.timeexpr import TimeExpression, parse_time
from commsched.rules.yamldoc import KeyPath


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
        if entry.offer_slots is not None:
            message = "offer_slots is not available yet; write a `task` for somebody who calls and offers another time."
            self.findings.add((*path, "offer_slots"), "not_available", message)
        elif (entry.task is None) == (entry.template is None):
            self.findings.add(path, "invalid", f"`{path[-1]}` needs exactly one of `task` and `template`.")
        if entry.task is not None:
            self.text(entry.task, (*path, "task"), more=("reason",))
        return Fallback(task=entry.task, template=entry.template)
