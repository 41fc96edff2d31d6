"""Words in quotes that an expression compares with a name whose values are known: a misspelt one is never true."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import get_args

from commsched.model.facts import AppointmentStatus, Meaning, Mood
from commsched.model.vocabulary import Vocabulary
from commsched.rules.problems import Findings, suggestion
from commsched.rules.yamldoc import KeyPath

_TEXT = r"""(?:"[^"\\\n]*"|'[^'\\\n]*')"""
_NAME = r"[A-Za-z_][\w.]*"
_COMPARED = re.compile(
    rf"(?P<name>{_NAME})\s*[!=]=\s*(?P<text>{_TEXT})|(?P<text2>{_TEXT})\s*[!=]=\s*(?P<name2>{_NAME})"
)
_AMONG = re.compile(rf"(?P<name>{_NAME})\s+in\s+\[(?P<texts>[^\]]*)\]")
_CONTAINED = re.compile(rf"(?P<text>{_TEXT})\s+in\s+(?P<name>{_NAME})")

_FIXED: Mapping[str, tuple[str, ...]] = {
    "customer.kind": ("person", "organisation"),
    "customer.status": ("prospect", "active", "former", "deceased"),
    "mood": (*get_args(Mood), ""),
    "feedback.mood": get_args(Mood),
    "reply.meaning": get_args(Meaning),
    "record.outcome": ("done", "declined", "done_elsewhere", "advised"),
    "appointment.status": get_args(AppointmentStatus),
    "appointment.booked_by": ("customer", "staff", "system"),
    "obligation.status": ("open", "met", "waived", "disputed"),
    "case.status": ("open", "closed"),
}


def check_literals(
    text: str, vocabulary: Vocabulary, path: KeyPath, findings: Findings, *, steps: Iterable[str] = ()
) -> None:
    """Note the words in an expression that can never be the value of what they are compared with."""
    known = {**_FIXED, **_declared(vocabulary), "replied": tuple(steps), "sent": tuple(steps)}
    for name, word in _comparisons(text):
        if name in known and word not in known[name]:
            hint = suggestion(word, known[name]) or f"; it can be {_listed(known[name])}."
            findings.add(path, "unknown", f"`{path[-1]}`: {name} is never {word!r}{hint}")


def _declared(vocabulary: Vocabulary) -> dict[str, tuple[str, ...]]:
    return {
        "customer.roles": tuple(vocabulary.roles),
        "asset.kind": tuple(vocabulary.assets),
        "event.kind": tuple(vocabulary.events),
        "event.item": (*vocabulary.equivalents, ""),
        "service": tuple(vocabulary.services),
        "feedback.department": (*vocabulary.departments, ""),
    }


def _comparisons(text: str) -> Iterable[tuple[str, str]]:
    for found in _COMPARED.finditer(text):
        yield found["name"] or found["name2"], (found["text"] or found["text2"])[1:-1]
    for found in _AMONG.finditer(text):
        for word in re.findall(_TEXT, found["texts"]):
            yield found["name"], word[1:-1]
    for found in _CONTAINED.finditer(text):
        yield found["name"], found["text"][1:-1]


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(repr(word) for word in words)) or "nothing: none is declared"
