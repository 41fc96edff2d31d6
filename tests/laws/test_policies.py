"""Every registered policy kind, built-in or of the shipped deployment, keeps the laws of policies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from commsched import NoSettings, Policy, Proposal, Settings, Verdict, View, Windows, deny, must_not, only
from commsched.config import load_configuration
from commsched.loading import load_plugins
from commsched.rules.expressions import Declarations, compile_expression
from commsched.testing.laws import policy_laws

ROOT = Path(__file__).parents[2]
PLUGINS = load_plugins(ROOT)
KINDS = sorted(name for what, name in PLUGINS.kinds if what == "policy")
NAMES = Declarations(
    {"mood": "string", "booked": "boolean", "purpose": "string", "topic": "string", "facts.loyalty_tier": "string"}
)
# For kinds that cannot do without settings and that the shipped deployment does not use.
SETTINGS: dict[str, dict[str, object]] = {
    "known_facts": {"ask_first": ["facts.loyalty_tier", "asset.model"]},
    "expression": {
        "deny_when": 'purpose == "marketing" && (mood == "trapped" || facts.loyalty_tier == "blue")',
        "detail": "a person gets in touch instead",
    },
    "role": {"by_purpose": {"sales": ["buyer"]}, "by_topic": {"maintenance": ["driver", "buyer"]}},
    "silence": {"after": 1},
}


def settings_of(kind: str, plugin: type[Policy[Any]]) -> Settings:
    """The kind's defaults; else what the shipped deployment, or this file, says."""
    model = plugin.settings_type()
    try:
        return model(**SETTINGS.get(kind, {}))
    except ValidationError:
        configured = [one for one in load_configuration(ROOT).policies if one.kind == kind]
        return model.model_validate(configured[0].settings)


@pytest.mark.parametrize("kind", KINDS)
def test_every_policy_keeps_the_laws(kind: str) -> None:
    """It is pure, only takes away, gives the clipped verdict for a narrower span, and declares what it depends on."""
    plugin = PLUGINS.kinds["policy", kind].plugin
    policy: Any = plugin(settings_of(kind, plugin), name=kind, folder=ROOT)
    policy.compiled = {name: compile_expression(text, NAMES, where=name) for name, text in policy.expressions.items()}
    policy_laws(policy, examples=80)


class Broken(Policy[NoSettings]):
    """What the laws must notice."""

    kind = "broken"
    code = must_not("broken")
    depends = frozenset({"time"})

    def __init__(self, how: str) -> None:
        super().__init__(NoSettings(), name="broken")
        self.how = how

    def review(self, proposal: Proposal, view: View) -> Verdict:
        if self.how == "span":
            first, last = proposal.span
            return only(Windows([(first, first + (last - first) / 2)]), detail="the first half")
        if self.how == "memory":
            view.reads.add(f"asked {len(view.reads)}")
            return deny("again") if len(view.reads) > 1 else Verdict()
        if self.how == "history":
            return deny("full") if view.history else Verdict()
        if self.how == "silent":
            return deny("")
        return "yes"  # type: ignore[return-value]  # that is what is tested


@pytest.mark.parametrize(
    ("how", "law"),
    [
        ("span", "clipped"),
        ("memory", "same verdict"),
        ("history", "declare `history`"),
        ("silent", "says why"),
        ("yes", "no verdict"),
    ],
)
def test_the_laws_catch_a_policy_that_breaks_them(how: str, law: str) -> None:
    """A policy that breaks a law fails its test, and the failure names the law."""
    with pytest.raises(AssertionError, match=law):
        policy_laws(Broken(how), examples=200, shrink=False)
