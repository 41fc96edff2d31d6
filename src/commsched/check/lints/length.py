"""Texts that take more parts than anybody reads or pays for, or more characters than a policy allows."""

from __future__ import annotations

from commsched.app import App
from commsched.check.lints.text import Found, Shown, Texts
from commsched.errors import Problem, TemplateError
from commsched.model.decisions import Anchor, Proposal
from commsched.model.state import Profile, State
from commsched.planning.length import check_length
from commsched.plugin.view import View
from commsched.timing.windows import EVER


def too_long(app: App, texts: Texts) -> Found:
    """Texts that are over the deployment's number of segments with everything filled in."""
    most = app.configuration.check.sms_segments
    longest: dict[str, tuple[int, int]] = {}
    for shown in texts.shown:
        if shown.medium == "sms" and shown.content.segments > most:
            place = texts.place(shown)
            longest[place] = max(longest.get(place, (0, 0)), (shown.content.segments, len(shown.content.text)))
    problems = [
        Problem(
            place,
            1,
            "too_many_segments",
            f"filled in, it is {characters} characters in {segments} parts, each billed as a text; at most {most} "
            "([check] sms_segments)",
        )
        for place, (segments, characters) in sorted(longest.items())
    ]
    return Found(problems)


def longer_than_allowed(app: App, texts: Texts) -> Found:
    """Texts that a policy would not let go to anybody where the deployment is; what it says elsewhere is seen later."""
    settings = app.configuration.deployment
    somebody = State(Profile("somebody"))
    view = View(somebody, (), (settings.zone,), app.vocabulary, {}, app.departments, region=settings.region)
    longest: dict[str, tuple[int, str]] = {}
    for shown in texts.shown:
        rule, text = shown.use.rule, shown.content.text
        chain = [one for one in app.policies if one.concerns(rule.purpose, rule.topic, rule.department, app.vocabulary)]
        try:
            check_length(chain, _proposal(shown), shown.medium, text, view)
        except TemplateError as error:
            place = texts.place(shown)
            longest[place] = max(longest.get(place, (0, "")), (len(text), error.detail))
    problems = [Problem(place, 1, "too_long", f"filled in, {words}") for place, (_, words) in sorted(longest.items())]
    return Found(problems)


def _proposal(shown: Shown) -> Proposal:
    """The message as policies see one, to nobody in particular and at any time."""
    rule, step = shown.use.rule, shown.use.step
    return Proposal(
        key="",
        customer="somebody",
        rule=rule.name,
        step=step.name,
        subject="",
        occurrence="",
        purpose=rule.purpose,
        topic=rule.topic,
        department=rule.department,
        priority=rule.priority,
        anchor=Anchor("event", EVER[0]),
        ideal=EVER[0],
        span=EVER,
        template=shown.use.template,
        media=(shown.medium,),
        addresses={},
        recipient="somebody",
    )
