"""What a customer never told us is not used in messages to them, where they would wonder how we know.

Some facts come from lists that were bought, from guesses, or from what a colleague overheard. Which of them a customer
would find creepy is for the organisation to say: it names them, and a message whose text, reason or conditions rest on
one goes only if the customer said it themselves, or somebody noted it as their word (`--customer-said`). A fact that
nobody has recorded is used by no message and stops none. It binds every purpose; say ``purposes`` to bind fewer::

    [[policies]]
    kind = "known_facts"
    ask_first = ["facts.income", "asset.plate"]
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from commsched import Policy, Proposal, Settings, Verdict, View, allow, deny, hookimpl, must_not

ROOTS = ("customer", "facts", "asset")


def _names(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        root, _, member = value.partition(".")
        if root not in ROOTS or not member:
            message = f"{value!r} names no fact; write customer.NAME, facts.NAME or asset.NAME"
            raise ValueError(message)
    return values


class KnownFactsSettings(Settings):
    """What must come from the customer."""

    ask_first: Annotated[tuple[str, ...], AfterValidator(_names)] = Field(
        min_length=1, description="Variables that a message may use only if the customer stated them."
    )


class KnownFacts(Policy[KnownFactsSettings]):
    """Denies what rests on a fact that the customer did not give us."""

    kind = "known_facts"
    code = must_not("known_facts")
    depends = frozenset({"facts"})

    def review(self, proposal: Proposal, view: View) -> Verdict:
        """Nothing against what uses none of them, or only what they said."""
        for name in self.settings.ask_first:
            if name in proposal.uses and view.said_by(name, proposal.asset) not in {None, "customer"}:
                return deny(f"it would use something that you did not tell us ({name})")
        return allow()


@hookimpl
def register_policies() -> list[type[KnownFacts]]:
    """Announce the kind."""
    return [KnownFacts]
