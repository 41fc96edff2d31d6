"""``config/vocabulary.yaml``: the words of a deployment (DESIGN §6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from babel import Locale
from pydantic import BeforeValidator, Field

from commsched.model.vocabulary import PURPOSES, Vocabulary
from commsched.rules.declarations import BUILT_IN_ASSET, BUILT_IN_EVENT
from commsched.rules.problems import Entry, Findings
from commsched.rules.values import Identifier, Name, Names, Text
from commsched.rules.yamldoc import KeyPath


def _nothing_is_empty(value: object) -> object:
    return {} if value is None else value


# The languages that have two letters: their own names, as Unicode's data list them.
LANGUAGES = frozenset(code for code in map(str, Locale("en").languages) if len(code) == 2)  # noqa: PLR2004 - two letters
Scalar = Literal["string", "number", "integer", "boolean"]
Fields = Annotated[dict[Identifier, Scalar], BeforeValidator(_nothing_is_empty)]


class ItemEntry(Entry):
    """An item; ``same_as`` names what is the same thing for somebody who has bought it."""

    same_as: Names = ()


Titles = dict[Name, dict[str, Text]]


class TitlesEntry(Entry):
    """What readers see in place of words, by word and language; every key may be left out."""

    topics: Titles = Field(default_factory=dict)
    assets: Titles = Field(default_factory=dict)
    services: Titles = Field(default_factory=dict)
    departments: Titles = Field(default_factory=dict)


class VocabularyEntry(Entry):
    """The whole file; every key may be left out."""

    topics: dict[str, object] = Field(default_factory=dict)
    events: dict[Name, Fields] = Field(default_factory=dict)
    items: dict[Name, Annotated[ItemEntry, BeforeValidator(_nothing_is_empty)]] = Field(default_factory=dict)
    roles: list[Name] = Field(default_factory=list)
    assets: dict[Name, Fields] = Field(default_factory=dict)
    facts: Fields = Field(default_factory=dict)
    purposes: dict[Name, Annotated[int, Field(ge=1, le=9)]] = Field(default_factory=dict)
    titles: Annotated[TitlesEntry, BeforeValidator(_nothing_is_empty)] = TitlesEntry()


def compile_vocabulary(findings: Findings) -> Vocabulary | None:
    """The document of ``findings`` as a vocabulary, or ``None`` when something is wrong, which is then noted."""
    entry = findings.validated(VocabularyEntry)
    if entry is None:
        return None
    _check(entry, findings)
    topics = _Tree(findings).of(entry.topics)
    titles = _titles(entry, topics, findings)
    if findings.problems:
        return None
    return Vocabulary(
        topics=MappingProxyType(topics),
        events=MappingProxyType(entry.events),
        equivalents=MappingProxyType(_equivalents(entry.items)),
        roles=frozenset(entry.roles),
        assets=MappingProxyType(entry.assets),
        facts=MappingProxyType(entry.facts),
        purposes=MappingProxyType({**PURPOSES, **entry.purposes}),
        titles=MappingProxyType(titles),
    )


def _titles(
    entry: VocabularyEntry, topics: Mapping[str, str | None], findings: Findings
) -> dict[tuple[str, str], Mapping[str, str]]:
    """The titles by kind and word. Services and departments are not known here: ``check`` looks whether they are."""
    declared: Mapping[str, Iterable[str]] = {"topics": topics, "assets": entry.assets}
    found = {}
    for kind, words in dict(entry.titles).items():
        for word, titles in words.items():
            path = ("titles", kind, word)
            if kind in declared and word not in declared[kind]:
                findings.unknown(path, "topic" if kind == "topics" else "kind of asset", word, declared[kind])
            for code in titles.keys() - LANGUAGES:
                message = f"There is no language {code!r}; write its two letters, such as de or fr."
                findings.add((*path, code), "unknown_language", message)
            found[kind, word] = titles
    return found


def _check(entry: VocabularyEntry, findings: Findings) -> None:
    for name in entry.purposes.keys() & PURPOSES.keys():
        message = f"The purpose {name!r} is built in; a rule can have a `priority` of its own."
        findings.add(("purposes", name), "built_in", message)
    for number, role in enumerate(entry.roles):
        if role in entry.roles[:number]:
            findings.add(("roles", number), "duplicate", f"The role {role!r} stands twice.")
    for kind, fields in entry.events.items():
        for name in fields:
            if BUILT_IN_EVENT.get(name, fields[name]) != fields[name]:
                message = f"Every event has {name!r} already, as a {BUILT_IN_EVENT[name]}; leave it out."
                findings.add(("events", kind, name), "built_in", message)
    _check_assets(entry.assets, findings)


def _check_assets(assets: Mapping[str, Mapping[str, str]], findings: Findings) -> None:
    first: dict[str, tuple[str, str]] = {}
    for kind, fields in assets.items():
        for name, scalar in fields.items():
            if name in BUILT_IN_ASSET:
                findings.add(("assets", kind, name), "built_in", f"Every asset has {name!r} already; leave it out.")
            known, owner = first.setdefault(name, (scalar, kind))
            if known != scalar:
                message = f"{name!r} is a {scalar} here but a {known} for {owner!r}; give both the same type."
                findings.add(("assets", kind, name), "type_conflict", message)


class _Tree:
    """The tree of topics: a topic has a list of topics, or more of the same; its parent is noted for each."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.parents: dict[str, str | None] = {}

    def of(self, topics: Mapping[str, object]) -> dict[str, str | None]:
        self.below(topics, None, ("topics",))
        return self.parents

    def below(self, value: object, parent: str | None, path: KeyPath) -> None:
        if isinstance(value, dict):
            for name, inside in value.items():
                self.topic(name, parent, (*path, name))
                self.below(inside, name, (*path, name))
        elif isinstance(value, list):
            for number, item in enumerate(value):
                if isinstance(item, dict | list):
                    self.below(item, parent, (*path, number))
                else:
                    self.topic(item, parent, (*path, number))
        elif value is not None:
            self.topic(value, parent, path)

    def topic(self, name: object, parent: str | None, path: KeyPath) -> None:
        if not isinstance(name, str) or not name.strip() or name == "*":
            self.findings.add(path, "invalid", f"{name!r} is not the name of a topic; write a word.")
        elif name in self.parents:
            message = f"The topic {name!r} stands twice; a topic has one place in the tree."
            self.findings.add(path, "duplicate", message)
        else:
            self.parents[name] = parent


def _equivalents(items: Mapping[str, ItemEntry]) -> dict[str, frozenset[str]]:
    """Every item with all that is the same thing: ``same_as`` holds both ways, and from one to the next."""
    groups: dict[str, set[str]] = {}
    for name, item in items.items():
        joined = {name, *item.same_as}
        joined.update(*(groups.get(each, set()) for each in tuple(joined)))
        groups.update(dict.fromkeys(joined, joined))
    return {name: frozenset(group) for name, group in groups.items()}
