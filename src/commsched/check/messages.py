"""Templates and phrases: that each is there for what uses it, in every language, and can be rendered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from commsched.app import App
from commsched.check.report import line_of
from commsched.engine.channels import carriers
from commsched.errors import Problem, TemplateError
from commsched.planning.prep import variable
from commsched.render.context import Context
from commsched.render.formats import language
from commsched.render.links import SAMPLE, Links
from commsched.render.sample import sample_context, samples
from commsched.rules.rule import OFFER_SLOTS, Fallback, Rule, Step

_BEGINS = datetime(2026, 11, 28, 15, tzinfo=UTC)
# Free times, as a message is given them that offers some.
SLOTS = tuple(datetime(2026, 12, day, 15, tzinfo=UTC) for day in (1, 2, 4))
_PLACE = re.compile(r"(?P<file>[^\s:]+):(?P<line>\d+): (?P<words>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Use:
    """A template where a step uses it."""

    template: str
    rule: Rule
    step: Step


def message_problems(app: App) -> Iterator[Problem]:
    """Everything wrong with the templates, and with the texts that stand in rules."""
    yield from app.renderer.problems()
    seen: set[tuple[str, str, str, str]] = set()
    for use in uses(app.rules):
        yield from _use(app, use, seen)
    for rule in app.rules:
        yield from _phrases(app, rule)


def uses(rules: tuple[Rule, ...]) -> Iterator[Use]:
    """Every template that a rule names, with the step that would send it."""
    for rule in rules:
        for step in rule.steps:
            named = [step.template, step.uncertain, rule.bundle.template if rule.bundle else None]
            named += [one.template for one in (step.too_late, step.on_veto, rule.otherwise) if one is not None]
            for template in dict.fromkeys(named):
                if template is not None and step.template is not None:
                    yield Use(template, rule, step)


def media_of(app: App, step: Step) -> tuple[str, ...]:
    """The media of a step that a channel serves; *preferred* may be any of them."""
    served = media_served(app)
    return served if "preferred" in step.media else tuple(medium for medium in served if medium in step.media)


def media_served(app: App) -> tuple[str, ...]:
    """The media that there are channels for."""
    return tuple(carriers(app.channels))


def _use(app: App, use: Use, seen: set[tuple[str, str, str, str]]) -> Iterator[Problem]:
    file, line = use.rule.file, line_of(app.folder, use.rule.file, use.template)
    if use.template not in app.renderer.names():
        message = f"there is no template {use.template!r}; make templates/{use.template}/email.txt"
        yield Problem(file, line, "template_missing", message)
        return
    written = app.renderer.media(use.template)
    wanted = [medium for medium in media_served(app) if medium in use.step.media]
    usable = [medium for medium in media_of(app, use.step) if medium in written]
    if not usable:
        goes = f"{use.step.name} goes on {_listed(use.step.media)}"
        message = f"the template {use.template!r} is written for {_listed(written)}, and {goes}"
        yield Problem(file, line, "template_medium", message)
    elif missing := [medium for medium in wanted if medium not in written]:
        message = f"{use.step.name} may go on {_listed(missing)}, and templates/{use.template} has no {missing[0]}.txt"
        yield Problem(file, line, "template_medium", message)
    for medium in usable:
        for locale in app.configuration.deployment.locales or (app.configuration.deployment.locale,):
            key = (use.template, medium, locale, use.rule.trigger.kind)
            if key not in seen:
                seen.add(key)
                yield from _rendered(app, use, medium, locale)


def _rendered(app: App, use: Use, medium: str, locale: str) -> Iterator[Problem]:
    """Render with everything known, and with all unknown that may be."""
    for bare in (False, True):
        context = context_of(app, use.rule, bare=bare)
        if use.template == OFFER_SLOTS:
            context = replace(context, variables={**context.variables, "slots": SLOTS[: 1 if bare else None]})
        try:
            content = app.renderer.render(use.template, medium, locale, context)
        except TemplateError as error:
            known = "with what may be unknown left out, " if bare else ""
            yield _failed(app, error, use, f"{known}for {use.rule.name}, {medium}, {locale}")
            return
        if speech_of(content.locale) != speech_of(locale):
            message = f"there is no {medium}.txt in {locale}; whoever reads {locale} gets {content.locale}"
            yield Problem(f"templates/{use.template}", None, "template_locale", message)
            return


def context_of(app: App, rule: Rule, *, bare: bool) -> Context:
    """Made-up variables; what the rule itself asks about is always known to its messages."""
    department = None if bare else app.departments.get(rule.department)
    context = sample_context(rule.trigger.kind, app.vocabulary, why=rule.why, department=department, bare=bare)
    asked = rule.when.names if rule.when is not None else frozenset()
    known = {name: value for name, value in samples(rule.trigger.kind, app.vocabulary).items() if name in asked}
    known |= _preparations(rule)
    parts = tuple(replace(part, variables={**part.variables, **known}) for part in context.parts)
    links = Links(app.public_url).all(SAMPLE) if app.public_url and not bare else None
    return replace(context, variables={**context.variables, **known}, parts=parts, links=links)


def _preparations(rule: Rule) -> dict[str, object]:
    """Made-up beginnings of what the rule's steps tell."""
    told = [prep for step in rule.steps for prep in (step.prep, *step.covers) if prep is not None]
    begins: dict[str, object] = {variable(prep): _BEGINS for prep in told}
    return {**begins, "prep": _BEGINS} if begins else {}


def _failed(app: App, error: TemplateError, use: Use, where: str) -> Problem:
    found = _PLACE.match(error.detail)
    if found is None:
        return Problem(f"templates/{use.template}", None, "template_failed", f"{error.detail} ({where})")
    file, number, words = found["file"], int(found["line"]), f"{found['words']} ({where})"
    if file == "why":
        file, number = use.rule.file, line_of(app.folder, use.rule.file, "why:") or 1
    return Problem(file, number, "template_failed", words)


def _phrases(app: App, rule: Rule) -> Iterator[Problem]:
    """The texts in a rule, with what each of them sees."""
    variables = samples(rule.trigger.kind, app.vocabulary) | _preparations(rule)
    texts = [("why:", rule.why, variables)]
    tasks = [step.task for step in rule.steps] + [one.task for one in _fallbacks(rule)]
    texts += [(text[:20], text, variables | {"reason": "a reason"}) for text in dict.fromkeys(tasks) if text]
    for mark, text, seen in texts:
        line = line_of(app.folder, rule.file, mark) or 1
        wrong = app.renderer.phrase_problems(text, rule.file, line)
        yield from wrong
        if not wrong:
            yield from _phrase(app, rule, text, seen, line)


def _phrase(app: App, rule: Rule, text: str, variables: dict[str, object], line: int) -> Iterator[Problem]:
    seen = Context(variables, app.configuration.deployment.zone, department=app.departments.get(rule.department))
    for locale in app.configuration.deployment.locales or (app.configuration.deployment.locale,):
        try:
            app.renderer.phrase(text, seen, locale=locale)
        except TemplateError as error:
            words = error.detail.partition(": ")[2] or error.detail
            yield Problem(rule.file, line, "text_failed", f"this text cannot be rendered: {words}")
            return


def _fallbacks(rule: Rule) -> list[Fallback]:
    found = [rule.otherwise, *(one for step in rule.steps for one in (step.too_late, step.on_veto))]
    return [one for one in found if one is not None]


def speech_of(tag: str) -> str:
    """The language of a locale, without its place: ``en`` of ``en_US``."""
    known = language(tag)
    return known.chain[-1] if known else tag


def _listed(names: frozenset[str] | tuple[str, ...] | list[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"
