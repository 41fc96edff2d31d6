"""What happens now: the messages that the plan has for this matter, in the reader's words."""

from __future__ import annotations

from commsched.app import App
from commsched.render.context import When
from commsched.render.formats import Language
from commsched.web.letters import Letter
from commsched.web.texts import words

MOST = 5


def ahead(app: App, letter: Letter, tongue: Language) -> list[str]:
    """What is still planned about what the message was about, soonest first; empty if nothing is."""
    customer, subject = letter.message.customer, letter.message.subject
    _ = words(tongue)
    media = {
        "email": _("%(when)s: a mail from us"),
        "sms": _("%(when)s: a text from us"),
        "voice": _("%(when)s: a call from us"),
        "letter": _("%(when)s: a letter from us"),
    }
    planned = [
        one
        for plan in app.plans([customer], letter.now)
        for one in plan.decisions
        if one.state == "planned" and one.at is not None and one.proposal.subject == subject
    ]
    coming = sorted((one.at, one.medium) for one in planned if one.at is not None and one.medium in media)
    return [media[medium] % {"when": When.at(at, letter.zone, tongue.name)} for at, medium in coming[:MOST]]
