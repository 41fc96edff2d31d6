"""A report of a simulation as one HTML page: no script, nothing fetched, light or dark as the reader has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from html import escape

from commsched.cli.output import pairs
from commsched.cli.summary import ByRule, HeldBack

_STYLE = """
:root { color-scheme: light dark; --bar: #2a6db0; --line: #c9ced6; --quiet: #5b6470; }
@media (prefers-color-scheme: dark) { :root { --bar: #7fb3ec; --line: #444b55; --quiet: #a7b0bc; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .6rem; vertical-align: top; }
tr { border-bottom: 1px solid var(--line); } td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.quiet { color: var(--quiet); } svg { width: 100%; height: auto; } svg rect { fill: var(--bar); }
svg text { fill: currentColor; font: 11px system-ui, sans-serif; } .scroll { overflow-x: auto; }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1rem; }
figure { margin: 0; } figcaption { font-weight: 600; }
"""
_HEIGHT, _WIDTH = 120, 44


def page(
    title: str,
    lead: str,
    rows: Sequence[ByRule],
    weeks: Sequence[tuple[date, Counter[str]]],
    held: Sequence[HeldBack],
) -> str:
    """The page as text."""
    return framed(
        title,
        f"<p>{escape(lead)}</p>\n<h2>Messages a week</h2>\n{_bars(weeks)}\n<h2>By rule</h2>\n{_rules(rows)}\n"
        f"<h2>Held back</h2>\n{_held(held)}",
    )


def framed(title: str, body: str) -> str:
    """A page of ours around what it says; ``body`` is HTML."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body>\n<h1>{escape(title)}</h1>\n{body}\n</body></html>\n"
    )


def _bars(weeks: Sequence[tuple[date, Counter[str]]]) -> str:
    if not weeks:
        return '<p class="quiet">Nothing was sent.</p>'
    most = max(1, *(count.total() for _, count in weeks))
    bars = "".join(_bar(number, week, count, most) for number, (week, count) in enumerate(weeks))
    label = f"Messages a week: {', '.join(f'{week}: {count.total()}' for week, count in weeks)}"
    return (
        f'<svg viewBox="0 0 {len(weeks) * _WIDTH} {_HEIGHT + 36}" role="img" aria-label="{escape(label)}">{bars}</svg>'
    )


def _bar(number: int, week: date, count: Counter[str], most: int) -> str:
    height = round(count.total() / most * _HEIGHT, 1)
    left, top = number * _WIDTH + 6, 16 + _HEIGHT - height
    words = escape(f"Week of {week}: {pairs(dict(count.most_common()))}")
    return (
        f'<g><title>{words}</title><rect x="{left}" y="{top}" width="{_WIDTH - 12}" height="{height}"></rect>'
        f'<text x="{left}" y="{top - 4}">{count.total()}</text>'
        f'<text x="{left}" y="{_HEIGHT + 30}">{week.day} {week:%b}</text></g>'
    )


def _rules(rows: Sequence[ByRule]) -> str:
    head = (
        "<tr><th>rule</th><th class=n>sent</th><th class=n>people</th><th>on</th><th>held back by</th>"
        "<th class=n>tasks</th></tr>"
    )
    body = "".join(
        f"<tr><td>{escape(row.rule)}</td><td class=n>{row.sent}</td><td class=n>{len(row.people)}</td>"
        f"<td>{escape(pairs(dict(sorted(row.media.items()))))}</td>"
        f"<td>{escape(pairs(dict(row.refused.most_common())))}</td><td class=n>{row.tasks}</td></tr>"
        for row in rows
    )
    return f'<div class="scroll"><table>{head}{body}</table></div>'


def _held(held: Sequence[HeldBack]) -> str:
    if not held:
        return '<p class="quiet">Nothing.</p>'
    head = "<tr><th>policy</th><th class=n>messages</th><th class=n>people</th><th>for example</th></tr>"
    body = "".join(
        f"<tr><td>{escape(row.policy)}</td><td class=n>{row.messages}</td><td class=n>{row.people}</td>"
        f"<td>{escape(row.example.rule)}: {escape(row.detail)}</td></tr>"
        for row in held
    )
    return f'<div class="scroll"><table>{head}{body}</table></div>'
