"""A message's own links: by them a reader can do all that the message asks, check it, and stop it.

There is one secret a message, the *token*. In a mail it is the attempt's id, signed (itsdangerous); where every
character counts, on a phone or in a letter, it is a code of 95 bits that is kept beside the attempt. Neither tells
anything about anybody. Several keys may be live: the last one signs, all are believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from hmac import digest

from itsdangerous import BadSignature, Signer

# Where a message's pages lie, and where providers report.
PAGES = "/m/"
WEBHOOKS = "/webhooks/"
# What stands in the place of a token that nobody has been given: in previews, plans and checks.
SAMPLE = "sample-link-0000"
ACTIONS = (
    "confirm",
    "reschedule",
    "cancel",
    "disown",
    "stop",
    "preferences",
    "why",
    "verify",
    "delighted",
    "fine",
    "annoyed",
    "trapped",
)
_SHORT = frozenset({"sms", "voice", "letter"})
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CODE = 16  # log2(62) * 16 = 95 bits


@dataclass(frozen=True, slots=True)
class Links:
    """Makes and reads links.

    ``base``: the deployment's public address without a slash at its end; ``keys``: oldest first. Without keys there are
    only samples.
    """

    base: str
    keys: tuple[str, ...] = ()

    def token(self, attempt: str, medium: str) -> str:
        """The secret of an attempt's links on a medium."""
        return self.code(attempt) if medium in _SHORT else self._signer.sign(attempt).decode()

    def code(self, attempt: str) -> str:
        """The short code of an attempt, to be kept beside it: whoever has only the code is known by it."""
        number = int.from_bytes(digest(self.keys[-1].encode(), b"code" + attempt.encode(), sha256))
        letters = []
        for _ in range(_CODE):
            number, rest = divmod(number, len(_ALPHABET))
            letters.append(_ALPHABET[rest])
        return "".join(letters)

    def attempt(self, token: str) -> str | None:
        """The attempt that a signed token is for; ``None`` if none of our keys has signed it."""
        try:
            return self._signer.unsign(token).decode()
        except (BadSignature, UnicodeDecodeError):
            return None

    def home(self, token: str) -> str:
        """Where everything about the message can be found."""
        return f"{self.base}{PAGES}{token}"

    def all(self, token: str) -> Mapping[str, str]:
        """Every link of a message, as templates name them: ``links.home``, ``links.confirm``."""
        home = self.home(token)
        return {"home": home, **{action: f"{home}/{action}" for action in ACTIONS}}

    @property
    def callbacks(self) -> str:
        """Where providers may report: the channel's name and the attempt's id are added."""
        return f"{self.base}{WEBHOOKS}"

    @property
    def _signer(self) -> Signer:
        return Signer(list(self.keys), salt="commsched link", digest_method=sha256)


def code_of(link: str) -> str | None:
    """The code in a message's own link, to be kept beside its attempt; ``None`` where it carries a signature."""
    token = link.rpartition("/")[2]
    return token if len(token) == _CODE and token.isalnum() else None
