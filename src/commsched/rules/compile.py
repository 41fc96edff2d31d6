"""From one rule file to one :class:`~commsched.rules.rule.Rule`, or to all that is wrong with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import timedelta

from commsched.model.vocabulary import Vocabulary
from commsched.rules.declarations import for_trigger
from commsched.rules.mentions import names_their_facts
from commsched.rules.problems import Findings
from commsched.rules.rule import Bundle, Recipient, Repeat, Rule, Service, Trigger
from commsched.rules.schema import GuardianEntry, RecipientEntry, RuleEntry
from commsched.rules.scope import Scope
from commsched.rules.steps import compile_steps, names_of
from commsched.rules.triggers import anchors_of, compile_trigger
from commsched.rules.values import FREE_SLOTS, exact, pace
from commsched.rules.yamldoc import Document

# Purposes whose messages the sender wants more than the reader: they must say what they know of this reader.
MUST_NAME_A_FACT = frozenset({"sales", "marketing"})


def compile_rule(
    findings: Findings,
    vocabulary: Vocabulary,
    services: Mapping[str, Service],
    tolerate: frozenset[str] = frozenset(),
) -> Rule | None:
    """The rule of the document of ``findings``; ``None`` when something is wrong, which is then noted there.

    A rule with problems of the codes in ``tolerate`` alone is made all the same.
    """
    entry = findings.validated(RuleEntry)
    if entry is None:
        return None
    _check_words(entry, vocabulary, findings)
    trigger = compile_trigger(entry.trigger, vocabulary, findings)
    if trigger is None:
        return None
    rule = _compile(entry, _scope(entry, trigger, vocabulary, services, findings))
    return None if any(one.code not in tolerate for one in findings.problems) else rule


def _scope(
    entry: RuleEntry, trigger: Trigger, vocabulary: Vocabulary, services: Mapping[str, Service], findings: Findings
) -> Scope:
    event = trigger.names[0] if trigger.kind == "event" else None
    return Scope(
        findings=findings,
        vocabulary=vocabulary,
        services=services,
        trigger=trigger,
        declarations=for_trigger(trigger.kind, vocabulary, event=event),
        anchors=anchors_of(trigger),
        steps=names_of(entry.steps),
    )


def _compile(entry: RuleEntry, scope: Scope) -> Rule:
    _check_why(entry, scope)
    if entry.pace == FREE_SLOTS and not scope.bookable:
        message = "`pace: free_slots` needs a trigger that names services with a calendar: nothing else can be full."
        scope.findings.add(("pace",), "invalid", message)
    where = scope.expression(entry.trigger.where, ("trigger", "where"))
    trigger = scope.trigger
    if where is not None:
        trigger = Trigger(trigger.kind, cron=trigger.cron, where=where)
    if entry.reference is not None:
        scope.text(entry.reference, ("reference",))
    return Rule(
        name=entry.rule,
        why=entry.why,
        purpose=entry.purpose,
        topic=entry.topic,
        department=entry.department,
        trigger=trigger,
        steps=compile_steps(entry.steps, scope),
        file=scope.findings.document.file,
        digest=_digest(scope.findings.document),
        priority=entry.priority or scope.vocabulary.purposes.get(entry.purpose, 5),
        when=scope.expression(entry.when, ("when",)),
        stop_when=scope.expression(entry.stop_when, ("stop_when",)),
        otherwise=scope.fallback(entry.otherwise, ("otherwise",)),
        bundle=Bundle(exact(entry.bundle.within), entry.bundle.template) if entry.bundle else None,
        merge=exact(entry.merge),
        to=_recipient(entry.to),
        offers=entry.offers,
        repeat=Repeat(entry.repeat.every, entry.repeat.at_most) if entry.repeat else None,
        pace=pace(entry.pace) if entry.pace and entry.pace != FREE_SLOTS else None,
        free_slots=entry.pace == FREE_SLOTS,
        catch_up=entry.catch_up.per_day if entry.catch_up else None,
        since=entry.since,
        reference=entry.reference,
        was=entry.was,
        reads=frozenset(scope.reads),
    )


def _check_words(entry: RuleEntry, vocabulary: Vocabulary, findings: Findings) -> None:
    """What the rule names must be declared, and what its purpose asks for must be there."""
    _declared("purpose", entry.purpose, vocabulary.purposes, findings)
    _declared("topic", entry.topic, vocabulary.topics, findings)
    _declared("department", entry.department, vocabulary.departments, findings)
    for number, item in enumerate(entry.offers):
        if item not in vocabulary.equivalents:
            findings.unknown(("offers", number), "item", item, vocabulary.equivalents)
    if entry.to is not None and not isinstance(entry.to, GuardianEntry) and entry.to.role not in vocabulary.roles:
        findings.unknown(("to", "role"), "role", entry.to.role, vocabulary.roles)
    if entry.purpose == "safety" and entry.reference is None:
        message = "A rule of purpose safety needs `reference`: the number of the recall or notice that it stands for."
        findings.add(("purpose",), "missing", message)
    if entry.rule in entry.was:
        findings.add(("was",), "invalid", f"`was` names {entry.rule!r}, which the rule is still called; leave it out.")
    if entry.bundle is not None and exact(entry.bundle.within) <= timedelta():
        findings.add(("bundle", "within"), "invalid", "`within` must be longer than nothing.")


def _declared(key: str, name: str, known: Iterable[str], findings: Findings) -> None:
    if name not in known:
        findings.unknown((key,), key, name, known)


def _check_why(entry: RuleEntry, scope: Scope) -> None:
    before = len(scope.findings.problems)
    names = scope.text(entry.why, ("why",))
    if entry.purpose not in MUST_NAME_A_FACT or len(scope.findings.problems) > before:
        return
    if not names_their_facts(names, frozenset(scope.declarations), scope.anchors, scope.trigger.kind):
        message = (
            f"`why` of a {entry.purpose} rule must name a fact about this very customer besides who they are, such as"
            " {{ asset.model }} or {{ facts.NAME }}: why should this reader care?"
        )
        scope.findings.add(("why",), "why", message)


def _recipient(entry: RecipientEntry | None) -> Recipient | None:
    if entry is None:
        return None
    if isinstance(entry, GuardianEntry):
        return Recipient(guardian=True)
    return Recipient(role=entry.role, at_most=entry.at_most)


def _digest(document: Document) -> str:
    """The same for files that say the same: comments and layout do not count."""
    text = json.dumps(document.values, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
