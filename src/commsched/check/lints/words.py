"""Lists of words by language, from ``check/words/*.toml`` and the deployment's own."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from commsched.config import CheckSettings

FOLDER = Path(__file__).parents[1] / "words"
# What `*` in a phrase stands for: up to three words.
_GAP = r"(?:[^\s\0]+\s+){0,3}?"


@dataclass(frozen=True, slots=True)
class Words:
    """The lists that a deployment goes by."""

    settings: CheckSettings
    _patterns: dict[tuple[str, str], re.Pattern[str] | None] = field(default_factory=dict)

    def find(self, text: str, name: str, speech: str) -> Iterator[re.Match[str]]:
        """Where one of the phrases of a list stands in a text of that language (``en``); offsets are the text's."""
        pattern = self._pattern(name, speech)
        yield from pattern.finditer(folded(text)) if pattern is not None else ()

    def has(self, text: str, name: str, speech: str) -> bool:
        """Whether any of the phrases is in the text."""
        return next(self.find(text, name, speech), None) is not None

    def phrases(self, name: str, speech: str) -> tuple[str, ...]:
        """The phrases of a list, folded, without those that the deployment allows."""
        more = self.settings.words.get(speech, {}).get(name, ())
        allowed = {folded(one) for one in self.settings.allow}
        return tuple(one for one in dict.fromkeys(map(folded, (*shipped(name, speech), *more))) if one not in allowed)

    def _pattern(self, name: str, speech: str) -> re.Pattern[str] | None:
        if (name, speech) not in self._patterns:
            self._patterns[name, speech] = compiled(self.phrases(name, speech))
        return self._patterns[name, speech]


def compiled(phrases: Iterable[str]) -> re.Pattern[str] | None:
    """One expression for all of the phrases, the longest first; ``None`` for none."""
    found = [_phrase(one) for one in sorted(phrases, key=lambda one: (-len(one), one))]
    return re.compile("|".join(found)) if found else None


def _phrase(phrase: str) -> str:
    parts = [part.strip() for part in phrase.split("*")]
    words = _GAP.join(r"\s+".join(map(re.escape, part.split())) + (r"\s+" if part else "") for part in parts[:-1])
    body = (words + _GAP if len(parts) > 1 else "") + r"\s+".join(map(re.escape, parts[-1].split()))
    before = r"(?<!\w)" if re.match(r"[\w*]", phrase) else ""
    after = r"(?!\w)" if re.search(r"\w$", phrase) else ""
    return before + body + after


def folded(text: str) -> str:
    """Lower case without accents or curly quotes, character for character, so that offsets stay what they were."""
    return "".join(map(_folded, text))


@cache
def _folded(character: str) -> str:
    plain = unicodedata.normalize("NFKD", character)[:1].lower()
    return {"\u2019": "'", "\u2011": "-"}.get(character, plain if len(plain) == 1 else character)


@cache
def shipped(name: str, speech: str) -> tuple[str, ...]:
    """The phrases that come with commsched; none for a language that it has no list of."""
    path = FOLDER / f"{speech}.toml"
    return tuple(tomllib.loads(path.read_text("utf-8")).get(name, ())) if path.is_file() else ()
