"""The timing proof, printed: as JSON and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rich.table import Table

from commsched.app import App
from commsched.check.proof import full, lead_in_words
from commsched.cli.output import table
from commsched.planning.proof import Proof

COLUMNS = ("rule", "step", "told if known", "latest for", "if later")
# From here on a lead is easier to read in days.
_DAYS = timedelta(hours=72)


def proof_json(proof: Proof) -> dict[str, object]:
    """A proof as DESIGN §11 has it, and more: ``least_lead`` as a duration, ``null`` where there is none."""
    lead, worst = proof.least_lead, proof.worst
    return {
        "rule": proof.rule.name,
        "step": proof.step.name,
        "service": proof.service.id if proof.service is not None else None,
        "least_lead": lead_in_words(lead) if lead is not None else None,
        "least_lead_seconds": int(lead.total_seconds()) if lead is not None else None,
        "always": proof.always,
        "worst": {"for": worst.main, "known": worst.born, "medium": worst.medium, "zones": list(map(str, worst.zones))}
        if worst is not None
        else None,
        "otherwise": proof.otherwise,
        "may_refuse": proof.may_refuse,
    }


def proof_table(app: App, proofs: Sequence[Proof]) -> Table:
    """The least leads, a row a step."""
    place = app.configuration.deployment.zone
    return table("", COLUMNS, (row_of(proof, place) for proof in proofs))


def row_of(proof: Proof, place: ZoneInfo) -> tuple[str, ...]:
    """A proof in words: rule, step, how early it must be known, the start that needs that, what happens otherwise."""
    step = proof.step.name + (f" ({proof.service.name})" if proof.service is not None else "")
    return proof.rule.name, step, known(proof), worst(proof, place), _later(proof)


def _later(proof: Proof) -> str:
    """What happens to what is known too late, where there is such a thing."""
    if not proof.always:
        return proof.otherwise
    return "skipped" if proof.step.late == "skip" and proof.least_lead is not None else ""


def known(proof: Proof) -> str:
    """How early something must be known."""
    if proof.least_lead is None:
        return "at any time" if proof.always else "not always"
    if proof.least_lead.total_seconds() < 0:
        return f"up to {_spoken(proof.least_lead)} after"
    return f"{_spoken(proof.least_lead)} before"


def _spoken(lead: timedelta) -> str:
    """``26h 30m``, and from three days on ``5d 14h``, rounded to the safe side; without a minus."""
    if abs(lead) < _DAYS:
        return lead_in_words(lead).removeprefix("-")
    days, hours = divmod(abs(-(-lead // timedelta(hours=1))), 24)
    return f"{days}d {hours}h" if hours else f"{days}d"


def worst(proof: Proof, place: ZoneInfo) -> str:
    """The start that needs the longest lead, with its medium."""
    example = proof.worst
    if example is None:
        return ""
    main = example.main
    when = full(main, place) if isinstance(main, datetime) else f"{main:%a} {main.day} {main:%b %Y}"
    return f"{when}, {example.medium}" + ("" if example.zones == (place,) else f", {example.zones[0]}")
