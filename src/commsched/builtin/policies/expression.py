"""A policy in one line of configuration: messages for which the expression is true are not sent.

It is written in CEL over the same names as a rule's ``when``, and ``purpose``, ``topic``, ``department``, ``rule`` and
``step`` of the message. Where it has no answer, because a fact that it names is not recorded, the message is not sent
either. ``force`` says what follows: after ``must_not`` nothing else is tried, after ``could_not`` the rule's fallback
runs::

    [[policies]]
    kind = "expression"
    name = "trapped"
    code = "trapped"
    deny_when = 'mood == "trapped" && purpose == "marketing"'
    detail = "a person gets in touch instead"
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from commsched import Code, Policy, Proposal, Settings, Verdict, View, allow, deny, hookimpl, must_not

# The facts behind the variables, by the first word of their names.
FACTS = {"customer": "customer", "mood": "feedback", "asset": "asset", "facts": "custom"}


class ExpressionSettings(Settings):
    """When to deny, and what to say then."""

    deny_when: str = Field(min_length=1, description="CEL: the message is refused when this is true, or has no answer.")
    detail: str = Field(min_length=1, description="Why, in a sentence that the customer may read.")
    note: str = Field(default="", description="The same for the staff, where it should say more: what to do instead.")
    code: str = Field(default="expression", pattern=r"^[a-z][a-z0-9_]*$", description="The code in reports.")
    force: Literal["must_not", "could_not"] = Field(default="must_not", description="Whether a fallback may run.")


class Expression(Policy[ExpressionSettings]):
    """Denies what the configured expression describes."""

    kind = "expression"
    code = must_not("expression")
    depends = frozenset({"facts", "history"})

    def __init__(
        self, settings: ExpressionSettings, *, name: str, folder: Path = Path(), zone: ZoneInfo | None = None
    ) -> None:
        super().__init__(settings, name=name, folder=folder, zone=zone)
        self.code = Code(settings.code, settings.force)

    @property
    def expressions(self) -> Mapping[str, str]:
        """What is to be compiled."""
        return {"deny_when": self.settings.deny_when}

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """Nothing against it, if the expression is certainly not true."""
        condition = self.compiled["deny_when"]
        view.reads.update(FACTS[root] for name in condition.names if (root := name.partition(".")[0]) in FACTS)
        own = ("purpose", "topic", "department", "rule", "step")
        answer = condition.holds({**proposal.variables, **{name: getattr(proposal, name) for name in own}})
        return allow() if answer is False else deny(self.settings.detail, note=self.settings.note)


@hookimpl
def register_policies() -> list[type[Expression]]:
    """Announce the kind."""
    return [Expression]
