"""Template files as they are written, and what they become before Jinja compiles them.

A message's file is put into its layout; MJML is compiled to HTML; styles are moved into the elements. Jinja's tags are
taken out before the last two and put back after them, so that they come through unharmed, and so that every tag of the
result still knows the file and line it was written in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from css_inline import CSSInliner, InlineError
from jinja2 import Environment, TemplateSyntaxError
from mjml import mjml2html

from commsched.errors import ConfigurationError
from commsched.render.environment import Origin, Origins

LARGEST = 256 * 1024
_CONTENT = re.compile(r"\{\{\s*content\s*\}\}")
_WHOLE = re.compile(r"\s*<(?:mjml|!doctype|html)[\s>]", re.IGNORECASE)
_SUBJECT = re.compile(r"subject:[ \t]*", re.IGNORECASE)
# What stands for a tag of Jinja's: letters that no parser gives a meaning, wherever they stand.
_MARK = re.compile("(?:<!--)?jjx([0-9]+)xjj(?:-->)?")
_TAGS = re.compile(r"^[ \t]*((?:(?:\{%(?:(?!%\}).)*%\}|\{#(?:(?!#\}).)*#\})[ \t]*)+)\n", re.MULTILINE)
_OPENS = frozenset({"variable_begin", "block_begin", "raw_begin"})
_CLOSES = frozenset({"variable_end", "block_end", "raw_end"})
_BASE = re.compile(r'<style type="text/css">\s*#outlook.*?</style>', re.DOTALL)
_inliner = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


@dataclass(frozen=True, slots=True)
class Source:
    """Lines of text, each with the line of the file that it was written in."""

    lines: tuple[tuple[str, Origin], ...]
    name: str = ""

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(line for line, _ in self.lines)

    @property
    def template(self) -> str:
        """The text for Jinja: a line of nothing but block tags and comments prints nothing, not even its end."""
        return _TAGS.sub(_without_end, self.text + "\n").removesuffix("\n")

    @property
    def origins(self) -> Origins:
        """Where each line comes from."""
        return Origins(tuple(range(1, len(self.lines) + 1)), tuple(origin for _, origin in self.lines))

    @property
    def file(self) -> str:
        """The file it is named for: that of its message, whatever wraps it."""
        return self.name or self.lines[0][1].file


def _without_end(found: re.Match[str]) -> str:
    """The newline goes into the last tag of the line, so that the lines below keep their numbers."""
    tags = re.sub(r"(?<=[%#]\})[ \t]+(?=\{[%#])", "", found[1].rstrip())
    return f"{tags}\n" if tags[-3] in "-+" else f"{tags[:-2]}\n{tags[-2:]}"


def read(path: Path, shown: str) -> Source:
    """A template file; ``shown`` is its name in messages. :class:`ConfigurationError` if it cannot be used."""
    try:
        data = path.read_bytes() if path.stat().st_size <= LARGEST else None
        text = None if data is None else data.decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError.one(shown, f"cannot be read: {error.strerror}.", code="template-unreadable") from error
    except UnicodeDecodeError as error:
        message = f"is not UTF-8 text (byte {error.start}); save it as UTF-8."
        raise ConfigurationError.one(shown, message, code="template-encoding") from error
    if text is None:
        raise ConfigurationError.one(
            shown, f"is over {LARGEST // 1024} KB; make it shorter.", code="template-too-large"
        )
    if _MARK.search(text):
        raise ConfigurationError.one(
            shown, "has the letters jjx, which are for commsched's own use.", code="template-syntax"
        )
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    return Source(tuple((line, Origin(shown, number)) for number, line in enumerate(lines, start=1)))


def wrap(layout: Source, content: Source) -> Source:
    """The content in place of the layout's ``{{ content }}``; a content that is a whole document stays as it is."""
    if is_whole(content):
        return content
    for number, (line, _) in enumerate(layout.lines):
        if marker := _CONTENT.search(line):
            before, after = line[: marker.start()], line[marker.end() :]
            inner = list(content.lines)
            inner[0] = (before + inner[0][0], inner[0][1])
            inner[-1] = (inner[-1][0] + after, inner[-1][1])
            return Source((*layout.lines[:number], *inner, *layout.lines[number + 1 :]), content.file)
    message = "needs {{ content }} where the message's own text goes."
    raise ConfigurationError.one(layout.file, message, line=1, code="template-layout")


def is_whole(source: Source) -> bool:
    """Whether the source is a document of its own, and not a part of one."""
    return _WHOLE.match(source.text) is not None


def split_subject(source: Source) -> tuple[Source, Source]:
    """The subject and the text of an ``email.txt``: ``Subject: …``, a blank line, the text."""
    blank = next((number for number, (line, _) in enumerate(source.lines) if not line.strip()), len(source.lines))
    head, body = source.lines[:blank], source.lines[blank + 1 :]
    start = _SUBJECT.match(head[0][0]) if head else None
    if start is None or not body:
        message = 'must begin with a line "Subject: …", then a blank line, then the text.'
        raise ConfigurationError.one(source.file, message, line=1, code="template-subject")
    return Source(((head[0][0][start.end() :], head[0][1]), *head[1:])), Source(body)


def to_html(source: Source, environment: Environment) -> tuple[str, Origins]:
    """MJML or HTML as a template of HTML with its styles inlined, and where its tags come from."""
    marked, tags = _take_out(source, environment)
    html, base = _compile_mjml(marked, source) if "<mjml" in marked else (marked, "")
    try:
        inlined = _inliner.inline(html).replace("</head>", f"{base}</head>", 1)
    except (InlineError, ValueError) as error:
        message = f"its styles cannot be inlined: {error}"
        raise ConfigurationError.one(source.file, message, code="template-html") from error
    _all_there(inlined, tags)
    return _put_back(inlined, tags)


_Tag = tuple[str, Origin]


def _take_out(source: Source, environment: Environment) -> tuple[str, list[_Tag]]:
    """The text with a mark in place of each Jinja tag, and the tags."""
    tags: list[_Tag] = []
    text, tag, origins = "", "", source.origins
    for line, kind, value in environment.lex(source.template):
        if kind in _OPENS:
            tag, begun = value, origins.of(line)
        elif kind in _CLOSES:
            text += _mark(len(tags), text, kind)
            tags.append((tag + value, begun))
            tag = ""
        elif tag:
            tag += value
        elif not kind.startswith("comment"):
            text += value
    return text, tags


def _mark(number: int, before: str, kind: str) -> str:
    """What stands for a tag: between elements, a block's is a comment, which may stand anywhere, even in a table."""
    between = before.rfind("<") <= before.rfind(">")
    return f"<!--jjx{number}xjj-->" if kind == "block_end" and between else f"jjx{number}xjj"


def _put_back(html: str, tags: list[_Tag]) -> tuple[str, Origins]:
    """The tags in place of their marks, each begun on a line of its own, so that a line tells the tag."""
    text: list[str] = []
    lines, origins = [1], [tags[0][1] if tags else Origin("", 1)]
    line = last = 0
    for mark in _MARK.finditer(html):
        tag, origin = tags[int(mark[1])]
        literal, last = html[last : mark.start()], mark.end()
        opened = tag[:2] + (tag[2] if tag[2:3] in {"-", "+"} else "")
        line += literal.count("\n") + 1
        lines.append(line + 1)
        origins.append(origin)
        line += tag.count("\n")
        text += (literal, opened, "\n", tag[len(opened) :])
    text.append(html[last:])
    return "".join(text), Origins(tuple(lines), tuple(origins))


def _all_there(html: str, tags: list[_Tag]) -> None:
    found = {int(mark[1]) for mark in _MARK.finditer(html)}
    for number, (tag, origin) in enumerate(tags):
        if number not in found:
            message = f"{tag} stands where neither MJML nor HTML keeps it; move it into text or an attribute."
            raise ConfigurationError.one(origin.file, message, line=origin.line, code="template-html")


def _compile_mjml(text: str, source: Source) -> tuple[str, str]:
    """The HTML, and apart from it MJML's own few rules: inlined into every table, they would be a tenth of the mail."""
    try:
        html = mjml2html(text, fonts={})
    except (ValueError, OSError) as error:
        origin = _unbalanced(source)
        message = f"is not MJML: {error}."
        raise ConfigurationError.one(origin.file, message, line=origin.line, code="template-mjml") from error
    if unknown := re.search(r"<(mj-[\w-]*)", html):
        origin = next((origin for line, origin in source.lines if unknown[0] in line), source.lines[0][1])
        message = f"{unknown[0]}> is not an element of MJML, or may not stand there."
        raise ConfigurationError.one(origin.file, message, line=origin.line, code="template-mjml")
    base = _BASE.search(html)
    return (html.replace(base[0], "", 1), base[0]) if base else (html, "")


class _Balance(HTMLParser):
    """Finds the first MJML element that is closed wrongly or never; the compiler does not say where it lost its way."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, int]] = []
        self.wrong: int | None = None

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        if tag.startswith("mj"):
            self.open.append((tag, self.getpos()[0]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element without content closes itself."""

    def handle_endtag(self, tag: str) -> None:
        if not tag.startswith("mj") or self.wrong is not None:
            return
        if not self.open or self.open[-1][0] != tag:
            self.wrong = self.open[-1][1] if self.open else self.getpos()[0]
        else:
            self.open.pop()


def _unbalanced(source: Source) -> Origin:
    balance = _Balance()
    balance.feed(source.text)
    line = balance.wrong or (balance.open[-1][1] if balance.open else 1)
    return source.origins.of(line)


@contextmanager
def located(origins: Origins) -> Iterator[None]:
    """Turns a syntax error of Jinja's into a :class:`ConfigurationError` with the line it was written in."""
    try:
        yield
    except TemplateSyntaxError as error:
        origin = origins.of(error.lineno)
        message = f"{(error.message or 'cannot be read').rstrip('.')}."
        raise ConfigurationError.one(origin.file, message, line=origin.line, code="template-syntax") from error
