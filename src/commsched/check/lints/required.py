"""What a message must carry: a way to stop it, and where its sender can be found.

Commercial mail carries a postal address and a way to opt out in the United States (CAN-SPAM, 15 U.S.C. 7704(a)(5)),
Canada (CASL, s. 6(2)) and most of Europe; a text that nobody had to send says how to end texts (CTIA, Messaging
Principles 5.1.3). What no law asks of a place is good manners there, so that all places are held to it.
"""

from __future__ import annotations

from collections.abc import Iterator

from commsched.app import App
from commsched.check.lints.text import LAYOUT, Found, Shown, Text, Texts
from commsched.check.lints.words import folded
from commsched.check.report import line_of
from commsched.config import FILE
from commsched.errors import Problem

COMMERCIAL = frozenset({"marketing", "sales"})
# Purposes whose texts nobody waits for; those about an appointment may be short.
UNASKED = COMMERCIAL | {"service", "survey"}


def without_way_out(app: App, texts: Texts) -> Found:
    """Messages that cannot be stopped or whose sender cannot be found."""
    found = Found()
    asked: set[tuple[str, str]] = set()
    for shown in texts.shown:
        purpose = shown.use.rule.purpose
        place = texts.place(shown)
        faults = [*_sms(shown, texts, purpose), *_mail(app, shown, texts, purpose)]
        for code, message in faults:
            if (place, code) not in asked:
                asked.add((place, code))
                found.problems.append(Problem(place, _last_line(texts, place), code, message))
    found.problems += _departments(app, texts)
    return found


def _sms(shown: Shown, texts: Texts, purpose: str) -> Iterator[tuple[str, str]]:
    if shown.medium == "sms" and purpose in UNASKED and not texts.words.has(shown.content.text, "stop", shown.speech):
        message = (
            f'nothing in this text says how to end texts; write e.g. "Reply STOP to end texts" in {_layout("sms")}'
        )
        yield "no_opt_out", message


def _mail(app: App, shown: Shown, texts: Texts, purpose: str) -> Iterator[tuple[str, str]]:
    if shown.medium != "email" or purpose not in COMMERCIAL:
        return
    if not texts.words.has(shown.content.text, "stop", shown.speech):
        yield "no_opt_out", f"nothing in this mail says how to get no more of them; say so in {_layout('email')}"
    postal = app.departments[shown.use.rule.department].postal
    if postal and _squeezed(postal) not in _squeezed(shown.content.text):
        yield (
            "no_postal_address",
            f"{purpose} mail carries a postal address; put {{{{ department.postal }}}} into {_layout('email')}",
        )


def _departments(app: App, texts: Texts) -> Iterator[Problem]:
    """Departments that sell by mail and have no postal address, or no address that takes a stop."""
    for name in sorted({s.use.rule.department for s in texts.shown if _sells(s)}):
        if not app.departments[name].postal:
            message = (
                f"the department {name} sends marketing or sales mail, which carries a postal address; give it `postal`"
            )
            line = line_of(app.folder, str(FILE), f"[departments.{name}]")
            yield Problem(str(FILE), line, "no_postal_address", message)
    if any(_sells(shown) for shown in texts.shown) and not app.configuration.deployment.unsubscribe:
        message = (
            "marketing or sales mail needs an address that takes mails asking to stop; give [deployment] `unsubscribe`"
        )
        yield Problem(str(FILE), line_of(app.folder, str(FILE), "[deployment]"), "no_opt_out", message)


def _sells(shown: Shown) -> bool:
    return shown.medium == "email" and shown.use.rule.purpose in COMMERCIAL


def _last_line(texts: Texts, place: str) -> int | None:
    """Where what is missing would stand: at the end of the file."""
    text: Text | None = next((one for one in texts.files if one.file == place), None)
    return text.line(len(text.written.rstrip())) if text is not None else None


def _layout(medium: str) -> str:
    return f"templates/{LAYOUT}/{medium}.txt"


def _squeezed(text: str) -> str:
    return " ".join(folded(text).split())
