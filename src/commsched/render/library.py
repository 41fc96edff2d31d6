"""The folder of messages: ``<message>/[<locale>/]<file>``.

Files: ``email.txt`` (begins with ``Subject: …`` and a blank line; required for e-mail), ``email.mjml`` or
``email.html``, ``sms.txt``, ``voice.txt``, ``letter.txt``, ``webhook.txt``. The files of the folder ``_layout`` wrap
those of the same name, in the same locale where there is one; ``{{ content }}`` is where the message's own text goes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from commsched.errors import ConfigurationError, Problem
from commsched.model.vocabulary import MEDIA
from commsched.render import sources
from commsched.render.environment import Script
from commsched.render.formats import language
from commsched.render.sandbox import Fenced
from commsched.render.sources import Source

MOST_MAIL = 200 * 1024
MOST_SMS = 1600
_LAYOUT = "_layout"
_TEXTS = tuple(f"{medium}.txt" for medium in MEDIA if medium != "task")
_FILES = ("email.mjml", "email.html", *_TEXTS)
_Files = Mapping[str, Source]


@dataclass(frozen=True, slots=True)
class Piece:
    """One medium of one message in one language. ``subject`` and ``html`` are for e-mail."""

    text: Script
    subject: Script | None = None
    html: Script | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A message's files for each locale (``""``: the deployment's own), and a digest of all that it is made of."""

    files: Mapping[str, _Files]
    digest: str

    def media(self, locale: str = "") -> frozenset[str]:
        """The media that there are files for."""
        return frozenset(name.partition(".")[0] for name in self.files.get(locale, {}))


class Library:
    """The messages of a folder: all read at once, each compiled when it is first wanted, and then kept."""

    def __init__(self, folder: Path, environment: Fenced) -> None:
        self._folder = folder
        self._environment = environment
        self._unread: list[Problem] = []
        self._pieces: dict[tuple[str, str, str], Piece] = {}
        self._layouts: Mapping[str, _Files] = {}
        self.messages: Mapping[str, Message] = {}
        if not folder.is_dir():
            self._note("", "there is no such folder; each message is a folder in it.", "templates-missing")
            return
        if (folder / _LAYOUT).is_dir():
            self._layouts = dict(self._locales(_LAYOUT))
        names = sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name[0] not in "._")
        self.messages = {name: self._message(name) for name in names}

    def problems(self) -> list[Problem]:
        """Everything that is wrong with the files; this compiles them all."""
        found = dict.fromkeys(self._unread)
        for name, message in self.messages.items():
            for locale in message.files:
                for medium in sorted(message.media(locale)):
                    try:
                        self.piece(name, locale, medium)
                    except ConfigurationError as error:
                        found |= dict.fromkeys(error.problems)
        return list(found)

    def piece(self, name: str, locale: str, medium: str) -> Piece:
        """A medium of a message, compiled. :class:`ConfigurationError` if its files cannot be used."""
        key = (name, locale, medium)
        if key not in self._pieces:
            files = self.messages[name].files[locale]
            self._pieces[key] = self._mail(locale, files) if medium == "email" else self._text(locale, files, medium)
        return self._pieces[key]

    def _message(self, name: str) -> Message:
        files = dict(self._locales(name))
        if not any((self._folder / name / file).exists() for file in _FILES):
            self._note(name, "has no file in the deployment's own language, such as email.txt.", "template-missing")
        return Message(files, self._digest(files))

    def _locales(self, name: str) -> Iterator[tuple[str, _Files]]:
        """The files of a message's own folder, then those of each locale's."""
        yield "", self._read(name)
        for path in sorted((self._folder / name).iterdir()):
            if not path.is_dir() or path.name.startswith("."):
                continue
            if known := language(path.name):
                yield known.tag, self._read(f"{name}/{path.name}")
            else:
                self._note(f"{name}/{path.name}", "is not a language, such as es or es-MX.", "template-locale")

    def _read(self, name: str) -> _Files:
        found: dict[str, Source] = {}
        for path in sorted((self._folder / name).iterdir()):
            shown = f"{name}/{path.name}"
            if path.is_dir() or path.name.startswith("."):
                continue
            if path.name not in _FILES:
                self._note(shown, f"is none of {', '.join(_FILES)}.", "template-unknown")
                continue
            try:
                found[path.name] = sources.read(path, f"{self._folder.name}/{shown}")
            except ConfigurationError as error:
                self._unread += error.problems
        return found

    def _text(self, locale: str, files: _Files, medium: str) -> Piece:
        name = f"{medium}.txt"
        most = 4 * MOST_SMS if medium == "sms" else MOST_MAIL
        return Piece(self._script(self._wrapped(locale, files[name], name), most))

    def _mail(self, locale: str, files: _Files) -> Piece:
        written = [files[name] for name in ("email.mjml", "email.html") if name in files]
        if len(written) > 1:
            message = "stands beside email.mjml; keep one of the two."
            raise ConfigurationError.one(written[1].file, message, code="template-twice")
        if "email.txt" not in files:
            message = "needs an email.txt beside it, with the subject and the text."
            raise ConfigurationError.one(written[0].file, message, code="template-missing")
        subject, text = sources.split_subject(files["email.txt"])
        return Piece(
            text=self._script(self._wrapped(locale, text, "email.txt"), MOST_MAIL),
            subject=self._script(subject, MOST_MAIL),
            html=self._html(locale, written[0]) if written else None,
        )

    def _html(self, locale: str, source: Source) -> Script:
        name = source.file.rpartition("/")[2]
        whole = self._wrapped(locale, source, name)
        if not sources.is_whole(whole):
            message = f"is a part of a mail, and there is no {_LAYOUT}/{name} to put it into."
            raise ConfigurationError.one(source.file, message, line=1, code="template-layout")
        with sources.located(whole.origins):
            html, origins = sources.to_html(whole, self._environment)
        with sources.located(origins):
            return Script(self._environment, html, source.file, origins, MOST_MAIL)

    def _wrapped(self, locale: str, source: Source, name: str) -> Source:
        """The source in the layout of its name: that of its own locale, else the common one."""
        for known in (self._layouts.get(locale, {}), self._layouts.get("", {})):
            if name in known:
                return sources.wrap(known[name], source)
        return source

    def _script(self, source: Source, most: int) -> Script:
        with sources.located(source.origins):
            return Script(self._environment, source.template, source.file, source.origins, most)

    def _digest(self, files: Mapping[str, _Files]) -> str:
        digest = sha256()
        for kind in (files, self._layouts):
            for locale, found in sorted(kind.items()):
                for name, source in sorted(found.items()):
                    digest.update(f"{locale}/{name}\0{source.text}\0".encode())
        return digest.hexdigest()[:32]

    def _note(self, shown: str, message: str, code: str) -> None:
        self._unread.append(Problem(f"{self._folder.name}/{shown}".rstrip("/"), None, code, message))
