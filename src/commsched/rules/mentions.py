"""Which variables the texts of a rule mention. They are only parsed here; what they say is rendered elsewhere."""

from __future__ import annotations

from collections.abc import Iterator

import jinja2
from jinja2 import meta, nodes

from commsched.rules.problems import Findings, suggestion
from commsched.rules.rule import TriggerKind
from commsched.rules.yamldoc import KeyPath

_TRANSLATION = frozenset({"gettext", "ngettext", "pgettext", "npgettext"})
_ENVIRONMENT = jinja2.Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
# What every text may name besides the variables and anchors of its trigger.
EVERYWHERE = frozenset(
    {"why", "department", "organisation", "parts", "locale", "reference", "place_zone", "step", "based_on", "links"}
)
# Groups whose members are all declared. Others print in ways that the renderer knows (`due.date`).
CLOSED = frozenset({"customer", "asset", "facts"})
# Names that are about the sender, or about anybody, and so no fact about this very customer.
_NOT_THEIRS = frozenset({"customer", "mood", "replied", "sent", "booked", "served"})
_OF_EVERYBODY: frozenset[TriggerKind] = frozenset({"season", "schedule"})


def mentioned(text: str) -> frozenset[str]:
    """The variables that a Jinja text names, as flat names: ``asset.model``. Raises ``TemplateSyntaxError``."""
    tree = _ENVIRONMENT.parse(text)
    # The renderer's filters and tests are not known here, and do not matter for the names.
    for used in tree.find_all((nodes.Filter, nodes.Test)):
        used.name = "string"
    free = meta.find_undeclared_variables(tree) - _ENVIRONMENT.globals.keys() - _TRANSLATION
    return frozenset(path for path in _paths(tree) if path.partition(".")[0] in free)


def _paths(node: nodes.Node) -> Iterator[str]:
    path = _path(node)
    if path is not None:
        yield path
        return
    for child in node.iter_child_nodes():
        yield from _paths(child)


def _path(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        inner = _path(node.node)
        return None if inner is None else f"{inner}.{node.attr}"
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        inner = _path(node.node)
        return None if inner is None else f"{inner}.{node.arg.value}"
    return None


def check_text(text: str, known: frozenset[str], path: KeyPath, findings: Findings) -> frozenset[str]:
    """The variables that a text names, once the misspelt ones are noted; ``known`` are flat names and anchors."""
    try:
        names = mentioned(text)
    except jinja2.TemplateSyntaxError as error:
        where = f"line {error.lineno}: " if "\n" in text.strip() else ""
        findings.add(path, "template", f"`{path[-1]}`: {where}{error.message}")
        return frozenset()
    roots = {name.partition(".")[0] for name in known}
    for name in sorted(names):
        root, _, member = name.partition(".")
        # A root that resembles none may come from a plugin; `check` renders the text and would tell.
        if root not in roots and (hint := suggestion(root, roots)):
            findings.add(path, "unknown", f"`{path[-1]}`: there is no {root!r} here{hint}")
        if root in CLOSED & roots and member and name not in known:
            hint = suggestion(name, known) or "."
            findings.add(path, "unknown", f"`{path[-1]}`: there is no {name!r} here{hint}")
    return names


def names_their_facts(
    names: frozenset[str], known: frozenset[str], anchors: tuple[str, ...], kind: TriggerKind
) -> bool:
    """Whether one of the names is a fact about this very customer, and not merely who they are."""
    not_theirs = _NOT_THEIRS | EVERYWHERE | (set(anchors) if kind in _OF_EVERYBODY else set())
    theirs = ({name.partition(".")[0] for name in known} | set(anchors) | {"facts"}) - not_theirs
    return any(name.partition(".")[0] in theirs for name in names)
