"""Second messages that say nothing new: "just checking if you got my last mail"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from commsched.app import App
from commsched.check.lints.text import Found, Shown, Texts
from commsched.check.lints.words import Words, folded
from commsched.check.report import line_of
from commsched.errors import Problem
from commsched.rules.rule import Rule, Step

# What must be said again is said again; and a reminder of an appointment is worth having for its time alone.
_AGAIN = frozenset({"safety", "legal"})
_LEAST = 2  # words that the earlier message does not have
_WORD = re.compile(r"[^\W\d_]{2,}")
_SENTENCE = re.compile(r"(?<=[.!?:])\s+|\n+")


def without_news(app: App, texts: Texts) -> Found:
    """Later steps of a rule whose text says nothing that an earlier one does not."""
    found = Found()
    told: set[tuple[str, str]] = set()
    for rule in app.rules:
        if rule.purpose in _AGAIN or rule.trigger.kind == "appointment":
            continue
        for earlier, later in _pairs(rule, texts):
            place = texts.place(later)
            if (rule.name, place) not in told and not _says_more(earlier, later, texts.words):
                told.add((rule.name, place))
                found.problems.append(_problem(app, rule, earlier, later, place))
    for text in texts.files:
        for match in texts.words.find(text.plain, "filler", text.speech):
            line = text.line(match.start())
            if not any(problem.file == text.file for problem in found.problems):
                words = " ".join(match[0].split())
                found.warn(text.file, line, "filler", f"{words!r} says nothing to whoever reads it; leave it out")
    return found


def _pairs(rule: Rule, texts: Texts) -> Iterator[tuple[Shown, Shown]]:
    """Each message of the rule with each that may go before it, on one medium and in one language."""
    mine = [one for one in texts.shown if one.use.rule is rule and one.use.template == one.use.step.template]
    for later in mine:
        for earlier in mine:
            alike = (earlier.medium, earlier.locale) == (later.medium, later.locale)
            if alike and _follows(rule, earlier.use.step, later.use.step):
                yield earlier, later


def _follows(rule: Rule, earlier: Step, later: Step) -> bool:
    """Whether somebody may get both, one after the other; steps under conditions may be meant for different people."""
    if later.after is not None:
        return later.after == earlier.name or _follows(rule, earlier, rule.step(later.after))
    free = later.unless is None or "replied" in later.unless.names
    return earlier.unless is None and free and rule.steps.index(earlier) < rule.steps.index(later)


def _says_more(earlier: Shown, later: Shown, words: Words) -> bool:
    new = _content(later, words) - _content(earlier, words)
    return len(new) >= _LEAST


def _content(shown: Shown, words: Words) -> set[str]:
    """The words that carry what a text says: without sentences that only fill it, and without common ones."""
    text = f"{shown.content.subject}\n{shown.content.text}"
    said = [one for one in _SENTENCE.split(text) if not words.has(one, "filler", shown.speech)]
    common = set(words.phrases("common", shown.speech))
    return {word for one in said for word in _WORD.findall(folded(one)) if word not in common}


def _problem(app: App, rule: Rule, earlier: Shown, later: Shown, place: str) -> Problem:
    step = later.use.step.name
    message = (
        f"{step} of {rule.name} says nothing that {earlier.use.step.name} has not said; "
        "say something new in it, or leave the step out: silence is an answer"
    )
    line = line_of(app.folder, place, "") if place.endswith(".txt") else None
    file = place if line is not None else rule.file
    return Problem(file, line or line_of(app.folder, rule.file, "step:", step), "no_news", message)
