"""The timing proof as a page with a picture for each step: no script, nothing fetched, light or dark."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape

from commsched.app import App
from commsched.check.report import Report
from commsched.cli.page import framed
from commsched.cli.proved import COLUMNS as _COLUMNS
from commsched.cli.proved import row_of
from commsched.planning.proof import Proof
from commsched.timing.civil import WEEKDAYS

_MAY = "These depend on what is known of the customer, or on what they were sent, and cannot be foreseen."
_NONE = "No step depends on how early an appointment is booked."
_BARS = "The bar is the longest least lead of that weekday, its dark part the usual one."
_WELL = "Every step has an answer for every case."
_HOUR = timedelta(hours=1)
_WIDTH, _HEIGHT, _LEFT = 64, 110, 8


def proof_page(app: App, report: Report) -> str:
    """The page as text."""
    place = app.configuration.deployment.zone
    rows = "".join(_row(row_of(one, place), "td") for one in report.proofs)
    problems = "".join(
        f"<li>{escape(one.message)}<br><strong>{escape(one.counterexample)}</strong></li>"
        for one in report.problems
        if one.counterexample is not None
    )
    lead = (
        "How long before an appointment it must be booked, at least, so that each message can go in time, whatever the "
        "weekday, holiday or clock change of the next two years. Computed from the edges of all windows, not sampled."
    )
    pictures = "".join(_picture(app, one) for one in report.proofs if _drawn(one))
    body = (
        f"<p>{lead}</p>\n"
        + (f"<h2>No answer</h2>\n<ul>{problems}</ul>\n" if problems else f"<p>{_WELL}</p>\n")
        + f"<h2>By the weekday of the start</h2>\n<p class=quiet>{_BARS}</p>\n"
        + (f'<div class="pictures">{pictures}</div>' if pictures else f"<p class=quiet>{_NONE}</p>")
        + f'<h2>Every step</h2>\n<div class="scroll"><table>{_row(_COLUMNS, "th")}{rows}</table></div>\n'
        + f"<h2>What may refuse all the same</h2>\n<p>{_MAY}</p>\n<ul>{_may_refuse(report.proofs)}</ul>"
    )
    return framed(f"When can it be told? {app.configuration.deployment.name}", body)


def _may_refuse(proofs: Sequence[Proof]) -> str:
    """Each policy that cannot be foreseen, with the steps that it has a say in."""
    found: dict[str, list[str]] = {}
    for proof in proofs:
        for name in proof.may_refuse:
            found.setdefault(name, []).append(f"{proof.rule.name}/{proof.step.name}")
    everywhere = len(proofs)
    return "".join(
        f"<li>{escape(name)} <span class=quiet>{_steps(steps, everywhere)}</span></li>" for name, steps in found.items()
    )


def _steps(steps: Sequence[str], everywhere: int) -> str:
    return "every step" if len(steps) == everywhere else escape(", ".join(dict.fromkeys(steps)))


def _row(cells: Sequence[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _drawn(proof: Proof) -> bool:
    return proof.rule.trigger.kind == "appointment" and proof.least_lead not in {None, timedelta()}


def _picture(app: App, proof: Proof) -> str:
    """A bar a weekday: the longest and the usual least lead of the starts on it."""
    place = app.configuration.deployment.zone
    days: dict[int, list[timedelta]] = {}
    for main, lead in proof.leads.items():
        if isinstance(main, datetime):
            days.setdefault(main.astimezone(place).weekday(), []).append(max(lead, timedelta()))
    most = max((max(leads) for leads in days.values()), default=_HOUR) or _HOUR
    bars = "".join(_bar(day, leads, most) for day, leads in sorted(days.items()))
    name = escape(" / ".join(row_of(proof, place)[:2]))
    words = escape(", ".join(f"{WEEKDAYS[day]} {max(leads) / _HOUR:.0f} h" for day, leads in sorted(days.items())))
    return (
        f'<figure><figcaption>{name}</figcaption><svg viewBox="0 0 {7 * _WIDTH + _LEFT} {_HEIGHT + 40}" role="img" '
        f'aria-label="Least lead by weekday: {words}">{bars}</svg></figure>\n'
    )


def _bar(day: int, leads: list[timedelta], most: timedelta) -> str:
    longest, usual = max(leads), sorted(leads)[len(leads) // 2]
    high, low = (round(length / most * _HEIGHT, 1) for length in (longest, usual))
    left, foot = _LEFT + day * _WIDTH, 20 + _HEIGHT
    label = f"{WEEKDAYS[day].title()}: {longest / _HOUR:.1f} h at most, {usual / _HOUR:.1f} h usually"
    return (
        f'<g><title>{label}</title><rect opacity=".45" x="{left}" y="{foot - high}" width="{_WIDTH - 14}" '
        f'height="{high}"></rect><rect x="{left}" y="{foot - low}" width="{_WIDTH - 14}" height="{low}"></rect>'
        f'<text x="{left}" y="{foot - high - 4}">{longest / _HOUR:.0f} h</text>'
        f'<text x="{left}" y="{foot + 15}">{WEEKDAYS[day].title()}</text></g>'
    )
