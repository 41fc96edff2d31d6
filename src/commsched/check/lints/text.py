"""Template files as their readers get them, with the place of every word; and what lints find in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

from commsched.app import App
from commsched.check.lints.words import Words
from commsched.check.messages import Use, context_of, media_of, speech_of, uses
from commsched.errors import Problem, TemplateError
from commsched.render.content import Content
from commsched.rules.rule import OFFER_SLOTS, Rule

_TAGS = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_MARKUP = re.compile(r"<(?:mj-style|style)\b.*?</(?:mj-style|style)>|<!--.*?-->|</?[A-Za-z][^<>]*>", re.DOTALL)
LAYOUT = "_layout"


@dataclass
class Found:
    """What lints found: problems, and warnings in a sentence."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def __iadd__(self, other: Found) -> Self:
        self.problems += other.problems
        self.warnings += other.warnings
        return self

    def warn(self, file: str, line: int | None, code: str, message: str) -> None:
        """Say of a place that something may be wrong with it."""
        self.warnings.append(f"{file}{f':{line}' if line else ''}  {code}  {message}")


@dataclass(frozen=True, slots=True)
class Text:
    """A template file: what is written in it, and the same with tags and markup blanked out, place for place."""

    template: str
    file: str
    medium: str
    speech: str
    written: str
    plain: str

    def line(self, at: int) -> int:
        """The line of a place in it."""
        return self.written.count("\n", 0, at) + 1


@dataclass(frozen=True, slots=True)
class Shown:
    """A message with everything known, as one reader would get it."""

    use: Use
    medium: str
    locale: str
    content: Content

    @property
    def speech(self) -> str:
        """The language that it was written in, such as ``es``."""
        return speech_of(self.content.locale or self.locale)


@dataclass(frozen=True, slots=True)
class Texts:
    """All the texts of a deployment."""

    words: Words
    files: tuple[Text, ...]
    shown: tuple[Shown, ...]

    def of(self, template: str) -> Iterator[Text]:
        """The files of a message, not those of its layout."""
        return (text for text in self.files if text.template == template)

    def place(self, shown: Shown) -> str:
        """The file that a message was written in, or its folder where that is not one file."""
        fit = [t for t in self.of(shown.use.template) if t.medium == shown.medium and t.speech == shown.speech]
        plain = [text for text in fit if text.file.endswith(".txt")]
        return plain[0].file if plain else f"templates/{shown.use.template}"


def texts_of(app: App) -> Texts:
    """Every template file, and every message that a rule would send, rendered."""
    return Texts(Words(app.configuration.check), tuple(_files(app)), tuple(_shown(app)))


def _files(app: App) -> Iterator[Text]:
    root = app.folder / "templates"
    home = app.configuration.deployment.locale
    for path in sorted(root.glob("*/**/*")) if root.is_dir() else ():
        medium, _, kind = path.name.partition(".")
        if path.is_file() and kind in {"txt", "mjml", "html"}:
            template, *inner = path.relative_to(root).parts[:-1]
            written = path.read_text("utf-8", errors="replace")
            shown = str(path.relative_to(app.folder))
            yield Text(template, shown, medium, speech_of(inner[0] if inner else home), written, _plain(written))


def _plain(written: str) -> str:
    # A tag of Jinja's prints something, so that no phrase goes across it; one of HTML's prints nothing.
    return _MARKUP.sub(_blank, _TAGS.sub(lambda tag: re.sub(r"[^\n]", "\0", tag[0]), written))


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0])


def _shown(app: App) -> Iterator[Shown]:
    locales = app.configuration.deployment.locales or (app.configuration.deployment.locale,)
    for use in uses(app.rules):
        if use.template not in app.renderer.names() or use.template == OFFER_SLOTS:
            continue
        for medium in sorted(set(media_of(app, use.step)) & app.renderer.media(use.template)):
            for locale in locales:
                content = _rendered(app, use, medium, locale)
                if content is not None:
                    yield Shown(use, medium, locale, content)


def _rendered(app: App, use: Use, medium: str, locale: str) -> Content | None:
    """The message, if it can be rendered; what cannot is told elsewhere."""
    try:
        return app.renderer.render(use.template, medium, locale, context_of(app, use.rule, bare=False))
    except TemplateError:
        return None


def users(texts: Texts, rules: tuple[Rule, ...]) -> dict[str, list[Use]]:
    """The rules that use each message."""
    found: dict[str, list[Use]] = {}
    for use in uses(rules):
        found.setdefault(use.template, []).append(use)
    return {name: using for name, using in found.items() if any(True for _ in texts.of(name))}
