"""Texts that beg for a score, and texts that sell where nothing may be sold."""

from __future__ import annotations

from collections.abc import Iterator

from commsched.app import App
from commsched.check.lints.text import Found, Text, Texts, users
from commsched.check.report import line_of
from commsched.errors import Problem
from commsched.rules.rule import Rule

# Purposes in which a word that sells is out of place: what is said there must be said, and is exempt from caps.
PLAIN = frozenset({"transactional", "safety", "legal", "collections"})


def begging(app: App, texts: Texts) -> Found:
    """Ask what people think; a score that was begged for says nothing, and annoys whoever is asked."""
    found = Found()
    for text in texts.files:
        for at, words in _places(text, texts, "scores"):
            message = f"{words!r} begs for a score; ask what went well and what did not"
            found.problems.append(Problem(text.file, text.line(at), "begs_for_score", message))
    for rule, words in _in_reasons(app, texts, "scores"):
        message = f"{words!r} in `why` begs for a score; say why the message is worth reading"
        found.problems.append(Problem(rule.file, line_of(app.folder, rule.file, "why:"), "begs_for_score", message))
    return found


def selling(app: App, texts: Texts) -> Found:
    """Words that sell in a message that is sent because it must be: a warning, for a word may mean something else."""
    found = Found()
    for name, using in users(texts, app.rules).items():
        strict = [use.rule for use in using if use.rule.purpose in PLAIN]
        for text in texts.of(name) if strict else ():
            for at, words in _places(text, texts, "selling"):
                message = f"{words!r} sells, and {strict[0].name} sends this as {strict[0].purpose}"
                found.warn(text.file, text.line(at), "selling_words", message)
    for rule, words in _in_reasons(app, texts, "selling"):
        if rule.purpose in PLAIN:
            line = line_of(app.folder, rule.file, "why:")
            found.warn(rule.file, line, "selling_words", f"{words!r} in `why` sells, and the purpose is {rule.purpose}")
    return found


def _places(text: Text, texts: Texts, name: str) -> Iterator[tuple[int, str]]:
    for match in texts.words.find(text.plain, name, text.speech):
        yield match.start(), " ".join(text.plain[match.start() : match.end()].split())


def _in_reasons(app: App, texts: Texts, name: str) -> Iterator[tuple[Rule, str]]:
    """Phrases in what rules say of themselves, in any of the deployment's languages."""
    spoken = sorted({text.speech for text in texts.files})
    for rule in app.rules:
        for speech in spoken:
            for match in texts.words.find(rule.why, name, speech):
                yield rule, " ".join(match[0].split())
