"""What a reminder may say of somebody's health: a name, a time and a number to call, and nothing else.

It is read on a lock screen, and by whoever shares the mailbox. The rule is that of the minimum necessary, 45 CFR
164.502(b).
"""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import Environment, TemplateSyntaxError, nodes

from commsched.app import App
from commsched.check.lints.text import LAYOUT, Found, Text, Texts
from commsched.check.messages import Use, uses
from commsched.check.report import line_of
from commsched.errors import Problem

REMINDS = frozenset({"appointment", "service_due", "obligation", "offer"})
# Names that say who, when, where to call, and in what language; a group stands for all that is in it.
_MAY = frozenset(
    {"customer.name", "customer.id", "customer.roles", "customer.locale", "appointment.booked_by", "appointment.status"}
    | {"offer.start", "offer.end", "due", "start", "end", "booked", "changed", "offered", "expires", "last", "opens"}
    | {"closes", "prep", "slots", "department", "organisation", "links", "why", "locale", "direction", "subject"}
    | {"content"}
)
_environment = Environment()  # noqa: S701 - it only parses


def health_details(app: App, texts: Texts) -> Found:
    """Details in the reminders of departments that are marked ``minimal_content``."""
    found = Found()
    own = {name for text in texts.files if text.template == LAYOUT for name in _set_in(text.written)}
    marked = {name for name, one in app.configuration.departments.items() if one.minimal_content}
    strict = {use.template: use for use in uses(app.rules) if use.rule.department in marked and _reminds(use)}
    for text in texts.files:
        use = strict.get(text.template) or (next(iter(strict.values()), None) if text.template == LAYOUT else None)
        if use is not None:
            found.problems += _names(text, use, own)
            found.problems += _words(text, use, texts)
    for use in {use.rule.name: use for use in strict.values()}.values():
        found.problems += _reasons(app, use, texts)
    return found


def _reminds(use: Use) -> bool:
    """Whether it reminds or invites; what tells how to prepare must say how."""
    return use.rule.trigger.kind in REMINDS and use.step.prep is None and not use.step.covers


def _names(text: Text, use: Use, own: set[str]) -> Iterator[Problem]:
    seen: set[tuple[str, int]] = set()
    for name, line in used(text.written):
        if (name, line) not in seen and not _allowed(name) and name.partition(".")[0] not in own:
            seen.add((name, line))
            message = (
                f"{name} tells more than a name, a time and how to call back, "
                f"which is all that a reminder of {use.rule.department} may say (minimal_content)"
            )
            yield Problem(text.file, line, "health_detail", message)


def _words(text: Text, use: Use, texts: Texts) -> Iterator[Problem]:
    for match in texts.words.find(text.plain, "health", text.speech):
        message = f"{match[0]!r} tells what somebody is treated for, and {use.rule.department} is minimal_content"
        yield Problem(text.file, text.line(match.start()), "health_detail", message)


def _reasons(app: App, use: Use, texts: Texts) -> Iterator[Problem]:
    """The rule's ``why``, which stands in the message."""
    rule = use.rule
    line = line_of(app.folder, rule.file, "why:")
    names = [name for name, _ in used(rule.why) if not _allowed(name)]
    spoken = sorted({text.speech for text in texts.files})
    words = [match[0] for speech in spoken for match in texts.words.find(rule.why, "health", speech)]
    for one in dict.fromkeys([*names, *words]):
        message = f"{one} in `why` tells more than a reminder of {rule.department} may say (minimal_content)"
        yield Problem(rule.file, line, "health_detail", message)


def _allowed(name: str) -> bool:
    parts = name.split(".")
    return any(".".join(parts[:number]) in _MAY for number in range(1, len(parts) + 1))


def _set_in(template: str) -> set[str]:
    """The names that a layout sets for the messages in it; what it makes them from is looked at there."""
    try:
        names = _environment.parse(template).find_all(nodes.Name)
        return {node.name for node in names if node.ctx == "store"}
    except TemplateSyntaxError:
        return set()


def used(template: str) -> Iterator[tuple[str, int]]:
    """The variables of a template, dotted, each with its line; names that it sets itself are none."""
    try:
        tree = _environment.parse(template)
    except TemplateSyntaxError:
        return
    own = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "store"}
    inner = {id(node.node) for node in tree.find_all(nodes.Getattr)}
    for node in tree.find_all((nodes.Getattr, nodes.Name)):
        dotted = _dotted(node)
        if id(node) not in inner and dotted is not None and dotted.partition(".")[0] not in own:
            yield dotted, node.lineno


def _dotted(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        before = _dotted(node.node)
        return f"{before}.{node.attr}" if before is not None else None
    return None
