"""Renders messages: chooses the language, shows the template its variables, and keeps what it writes within bounds."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from pathlib import Path

from jinja2.sandbox import SandboxedEnvironment

from commsched.errors import ConfigurationError, Problem, TemplateError, UnknownName
from commsched.render import sms, sources
from commsched.render.content import Content
from commsched.render.context import Context, Group, nested
from commsched.render.environment import Origin, Script, build
from commsched.render.formats import Language, language
from commsched.render.library import MOST_SMS, Library, Message, Piece
from commsched.render.sources import Source
from commsched.rules.mentions import mentioned

_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)
_GAP = re.compile(r"\n{3,}")
# Media whose files are laid out for whoever writes them; what is sent is a line a paragraph.
_SPOKEN = frozenset({"sms", "voice"})
_MOST_PHRASE = 4000


class Renderer:
    """The messages of a deployment.

    ``folder``: its ``templates``. ``organisation``: its name, as customers know it. ``locale``: the language of the
    files that lie in no locale's folder. ``prepare``: called with the environment before anything is compiled.
    """

    def __init__(
        self,
        folder: Path,
        organisation: str,
        *,
        locale: str = "en-US",
        prepare: Callable[[SandboxedEnvironment], object] | None = None,
    ) -> None:
        home = language(locale)
        if home is None:
            message = f"{locale!r} is not a language, such as en-US."
            raise ConfigurationError.one("commsched.toml", message, code="locale")
        self._home = home
        self._environment = build(prepare)
        self._library = Library(folder, self._environment)
        self._organisation = Group("organisation", {"name": organisation}, organisation)
        self._compiled = lru_cache(maxsize=4096)(self._compile)
        self._mentions: dict[str, frozenset[str]] = {}

    def problems(self) -> list[Problem]:
        """What is wrong with the files, all of which this compiles. What has no problem can be rendered."""
        return self._library.problems()

    def names(self) -> frozenset[str]:
        """The messages there are."""
        return frozenset(self._library.messages)

    def locales(self, name: str) -> tuple[str, ...]:
        """The languages that a message is written in, as tags; the deployment's own first."""
        return tuple(tag or self._home.tag for tag in self._message(name).files)

    def media(self, name: str) -> frozenset[str]:
        """The media that a message has in the deployment's own language."""
        return self._message(name).media()

    def has(self, name: str, medium: str) -> bool:
        """Whether a message can be rendered for a medium, in every language."""
        message = self._library.messages.get(name)
        return message is not None and medium in message.media()

    def digest(self, name: str) -> str:
        """A hash of all that a message is made of, its layout included; another text has another."""
        return self._message(name).digest

    def mentions(self, name: str) -> frozenset[str]:
        """The variables that a message's own texts name, in any language, as flat names; none if it is not there.

        They are read when they are first asked for: all texts together take longer than most commands.
        """
        if name not in self._mentions:
            message = self._library.messages.get(name)
            files = message.files.values() if message is not None else ()
            named = (mentioned(source.text) for found in files for source in found.values())
            self._mentions[name] = frozenset(chain.from_iterable(named))
        return self._mentions[name]

    def render(self, name: str, medium: str, locale: str, context: Context) -> Content:
        """The message for a reader of that locale (``""``: unknown), in the nearest language that it is written in.

        Dates and numbers follow the language of the text. :class:`TemplateError` names file and line.
        """
        spoken, piece = self._choose(name, medium, locale)
        variables = self._variables(context, spoken, f"{name}, why")
        why = str(variables.get("why", ""))
        if medium == "email":
            return replace(_mail(piece, variables, spoken), why=why)
        written = piece.text.render(variables)
        text = sms.tidy(written) if medium in _SPOKEN else _tidy(written)
        if not text.strip():
            raise TemplateError(f"{piece.text.name}:1: the text is empty.")
        if medium != "sms":
            return Content("", text, locale=spoken.tag, why=why)
        if len(text) > MOST_SMS:
            raise TemplateError(f"{piece.text.name}:1: it is longer than the {MOST_SMS:,} characters of an SMS.")
        return Content("", text, segments=sms.segments(text).count, locale=spoken.tag, why=why)

    def phrase(self, text: str, context: Context, *, locale: str = "", where: str = "phrase") -> str:
        """A short template that stands in configuration, such as a rule's ``why``; ``where`` names it in errors."""
        spoken = (language(locale, self._home.name) if locale else None) or self._home
        return self._said(text, self._nested(context, spoken, where), where)

    def _said(self, text: str, variables: dict[str, object], where: str) -> str:
        try:
            script = self._compiled(text, where)
        except ConfigurationError as error:
            raise TemplateError(str(error.problems[0])) from error
        return " ".join(script.render(variables).split())

    def phrase_problems(self, text: str, where: str, line: int = 1) -> list[Problem]:
        """What is wrong with the syntax of such a template, which begins on a line of the file ``where``."""
        try:
            self._compile(text, where, line)
        except ConfigurationError as error:
            return list(error.problems)
        return []

    def _message(self, name: str) -> Message:
        try:
            return self._library.messages[name]
        except KeyError:
            known = ", ".join(sorted(self._library.messages)) or "none"
            raise UnknownName(f"There is no message {name!r}; there are: {known}.") from None

    def _choose(self, name: str, medium: str, locale: str) -> tuple[Language, Piece]:
        """The language to speak and what it is written in: the reader's if there is such a file, else our own."""
        message = self._message(name)
        wanted = (language(locale, self._home.name) if locale else None) or self._home
        tags = [tag for tag in (*wanted.chain, "") if medium in message.media(tag)]
        if not tags:
            raise TemplateError(f"The message {name!r} has nothing for the medium {medium}.")
        try:
            piece = self._library.piece(name, tags[0], medium)
        except ConfigurationError as error:
            raise TemplateError(str(error.problems[0])) from error
        ours = tags[0] == "" and wanted.chain[-1] != self._home.chain[-1]
        return (self._home if ours else wanted), piece

    def _variables(self, context: Context, spoken: Language, where: str) -> dict[str, object]:
        variables = self._nested(context, spoken, where)
        variables["direction"] = spoken.direction
        variables["parts"] = tuple(Group("part", self._nested(part, spoken, where)) for part in context.parts)
        return variables

    def _nested(self, context: Context, spoken: Language, where: str) -> dict[str, object]:
        variables = nested(context, spoken.name)
        variables["organisation"] = self._organisation
        variables["locale"] = spoken.tag
        if context.why:
            variables["why"] = self._said(context.why, variables, where)
        return variables

    def _compile(self, text: str, where: str, line: int = 1) -> Script:
        lines = enumerate(text.split("\n"), start=line)
        source = Source(tuple((part, Origin(where, number)) for number, part in lines))
        with sources.located(source.origins):
            return Script(self._environment, source.template, where, source.origins, _MOST_PHRASE)


def _mail(piece: Piece, variables: dict[str, object], spoken: Language) -> Content:
    subject = "" if piece.subject is None else " ".join(piece.subject.render(variables).split())
    if not subject:
        raise TemplateError(f"{piece.text.name}:1: the subject is empty.")
    # A layout may print it again, as the document's title.
    variables["subject"] = subject
    text = _tidy(piece.text.render(variables))
    html = "" if piece.html is None else piece.html.render(variables)
    return Content(subject, text, html, locale=spoken.tag)


def _tidy(text: str) -> str:
    """A text as it was laid out, without blanks at line ends or more than one empty line."""
    return _GAP.sub("\n\n", _TRAILING.sub("", text)).strip("\n") + "\n"
