"""The steps of a rule: from the operator's words to :class:`~commsched.rules.rule.Step`, with all that is checked."""

from __future__ import annotations

from collections.abc import Iterable

from commsched.model.vocabulary import MEDIA
from commsched.rules.order import never_in_time
from commsched.rules.rule import Fallback, Prep, Step
from commsched.rules.schema import StepEntry
from commsched.rules.scope import Scope
from commsched.rules.yamldoc import KeyPath

# The code of a step that says nothing of those for whom it is too late; `check` finds an example before it complains.
NO_ANSWER = "no_answer"
DEFAULT_MEDIA = ("preferred", "email", "sms")


def compile_steps(entries: list[StepEntry], scope: Scope) -> tuple[Step, ...]:
    """The steps in their order; what is wrong with them is noted in the scope's findings."""
    for number, entry in enumerate(entries):
        if entry.step in scope.steps[:number]:
            scope.findings.add(("steps", number, "step"), "duplicate", f"The step {entry.step!r} stands twice.")
    _check_after(entries, scope)
    steps = [_step(entry, ("steps", number), scope) for number, entry in enumerate(entries)]
    return tuple(step for step in steps if step is not None)


def _step(entry: StepEntry, path: KeyPath, scope: Scope) -> Step | None:
    _check_shape(entry, path, scope)
    _check_media(entry, path, scope)
    preps = _preps(entry, path, scope)
    more = ("prep",) if entry.prep is not None else ()
    at = scope.time(entry.at, (*path, "at"), more=more)
    not_before = scope.time(entry.not_before, (*path, "not_before"), more=more)
    deadline = scope.time(entry.deadline, (*path, "deadline"), more=more)
    for key, text in (("task", entry.task), ("owner", entry.owner)):
        if text is not None:
            scope.text(text, (*path, key))
    on_veto = entry.on_veto
    if on_veto is not None:
        scope.text(on_veto.task, (*path, "on_veto", "task"), more=("reason",))
    unless = scope.expression(entry.unless, (*path, "unless"))
    too_late = scope.fallback(entry.too_late, (*path, "too_late"))
    if at is None:
        return None
    step = Step(
        name=entry.step,
        at=at,
        deadline=deadline,
        not_before=not_before,
        template=entry.template,
        task=entry.task,
        owner=entry.owner,
        media=entry.media or DEFAULT_MEDIA,
        uncertain=entry.uncertain.template if entry.uncertain else None,
        after=entry.after,
        unless=unless,
        late=entry.late or ("skip" if scope.trigger.kind == "appointment" and entry.prep is None else "send"),
        prep=entry.prep,
        covers=entry.covers,
        too_late=too_late,
        on_veto=Fallback(task=on_veto.task) if on_veto else None,
    )
    key_and_message = never_in_time(step, preps, scope.trigger.kind)
    if key_and_message is not None:
        scope.findings.add((*path, key_and_message[0]), "order", key_and_message[1])
    return step


def _check_shape(entry: StepEntry, path: KeyPath, scope: Scope) -> None:
    """Which keys need, or exclude, which others."""
    say = scope.findings.add
    if (entry.template is None) == (entry.task is None):
        say(path, "invalid", f"The step {entry.step!r} needs exactly one of `template` and `task`.")
    if entry.deadline is None and entry.prep is None and entry.task is None:
        message = f"The step {entry.step!r} needs a `deadline`: until when is it still worth saying?"
        say(path, "missing", message)
    if entry.task is None and entry.owner is not None:
        say((*path, "owner"), "invalid", "Only a task has an `owner`; a message is the department's.")
    if entry.task is not None and entry.media is not None:
        say((*path, "media"), "invalid", "A task goes to a person, not over media; leave `media` out.")
    if entry.uncertain is not None and (scope.trigger.kind != "service_due" or entry.task is not None):
        message = "`uncertain` belongs to a message of the trigger service_due: only that is forecast."
        say((*path, "uncertain"), "invalid", message)
    if entry.prep is None and entry.too_late is not None:
        say((*path, "too_late"), "invalid", "`too_late` belongs to a step with `prep`; write `otherwise` for the rule.")
    if entry.prep is None and entry.on_veto is not None:
        message = "`on_veto` belongs to a step with `prep`; any other veto must not turn into a phone call."
        say((*path, "on_veto"), "invalid", message)
    if entry.prep is not None and entry.after is not None:
        message = "A preparation waits for no other message, which may never go; leave `after` out."
        say((*path, "after"), "invalid", message)
    if entry.prep is not None and entry.late == "skip":
        message = "A preparation is told however late it became known; leave `late` out."
        say((*path, "late"), "invalid", message)
    if entry.prep is not None and entry.too_late is None:
        message = f"The step {entry.step!r} needs `too_late`, such as {{task: ...}}: who acts when no time is left?"
        say((*path, "prep"), NO_ANSWER, message)


def _check_media(entry: StepEntry, path: KeyPath, scope: Scope) -> None:
    media = entry.media
    if media is None:
        return
    if not media:
        scope.findings.add((*path, "media"), "missing", "`media` is empty; leave it out for the usual ones.")
    for number, medium in enumerate(media):
        if medium not in MEDIA and medium != "preferred":
            scope.findings.unknown((*path, "media", number), "medium", medium, (*MEDIA, "preferred"))
        if medium in media[:number]:
            scope.findings.add((*path, "media", number), "duplicate", f"The medium {medium!r} stands twice.")


def _preps(entry: StepEntry, path: KeyPath, scope: Scope) -> tuple[Prep, ...]:
    """The preparations that ``prep`` can mean: one for each service of the trigger that has it."""
    if entry.prep is None and not entry.covers:
        return ()
    if scope.trigger.kind != "appointment":
        key = "prep" if entry.prep is not None else "covers"
        message = f"`{key}` belongs to the trigger appointment: only appointments are prepared for."
        scope.findings.add((*path, key), "invalid", message)
        return ()
    names = scope.trigger.names or tuple(scope.services)
    of_services = [prep for name in names if name in scope.services for prep in scope.services[name].prep]
    known = {prep.id for prep in of_services}
    if entry.prep is not None and entry.prep not in known:
        scope.findings.unknown((*path, "prep"), "prep step", entry.prep, known)
    for number, covered in enumerate(entry.covers):
        if covered not in known:
            scope.findings.unknown((*path, "covers", number), "prep step", covered, known)
    return tuple(prep for prep in of_services if prep.id == entry.prep)


def _check_after(entries: list[StepEntry], scope: Scope) -> None:
    follows = {entry.step: entry.after for entry in entries}
    for number, entry in enumerate(entries):
        path = ("steps", number, "after")
        if entry.after is None:
            continue
        if entry.after not in follows:
            scope.findings.unknown(path, "step", entry.after, scope.steps)
        elif entry.step in _before(entry.after, follows):
            circle = " after ".join([entry.step, *_before(entry.after, follows)])
            scope.findings.add(path, "cycle", f"The steps wait for each other: {circle}.")


def _before(step: str, follows: dict[str, str | None]) -> list[str]:
    """The step and all that come before it, up to the first that comes again."""
    chain: list[str] = []
    here: str | None = step
    while here is not None and here not in chain:
        chain.append(here)
        here = follows.get(here)
    return chain


def names_of(entries: Iterable[StepEntry]) -> tuple[str, ...]:
    """The names of the steps, in their order."""
    return tuple(entry.step for entry in entries)
