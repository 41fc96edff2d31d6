"""What a mail server's reply means (RFC 5321, 4.2; RFC 3463)."""

from __future__ import annotations

import re

from commsched import Ambiguous, ChannelDown, Refused, TryLater, masked

OK, GO_ON = 250, 354
TEMPORARY, FOR_GOOD = 400, 500
# No such mailbox, in the recipient's reply (RFC 5321, 4.2.3), and the enhanced codes that say so (RFC 3463, RFC 7505).
NO_MAILBOX = frozenset({550, 551, 553})
BAD_ADDRESS = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"})
# About us: credentials, encryption, a policy on who may send at all.
OURS = frozenset({421, 432, 454, 530, 534, 535, 538})
_ENHANCED = re.compile(r"^([245]\.\d{1,3}\.\d{1,3})\b")


def check(code: int, said: bytes, *, recipient: bool) -> None:
    """Raise what a reply means, if it is no yes; ``recipient``: it is to the address."""
    outcome = outcome_of(code, said, recipient=recipient)
    if outcome is not None:
        raise outcome


def outcome_of(code: int, said: bytes, *, recipient: bool) -> Refused | TryLater | Ambiguous | None:
    """What a reply means (RFC 5321, 4.2; RFC 3463), ``None`` if it is a yes; ``recipient``: it is to the address."""
    words = said.decode("utf-8", "replace")
    detail = f"The mail server said {code}: {masked(words)}"
    found = _ENHANCED.match(words)
    enhanced = found[1] if found else ""
    if OK <= code < GO_ON - 1:
        return None
    if code in OURS:
        return ChannelDown(detail)
    if TEMPORARY <= code < FOR_GOOD:
        return TryLater(detail)
    if code < FOR_GOOD or code >= FOR_GOOD + 100:
        return Ambiguous(detail)
    unknown = recipient and code in NO_MAILBOX and not enhanced
    return Refused(detail, bad_address=unknown or (recipient and enhanced in BAD_ADDRESS) or enhanced == "5.1.1")
