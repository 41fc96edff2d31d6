"""Out of a mail that answers one of ours: what the person wrote, without quotations and without their signature."""

from __future__ import annotations

import re

from mailparser_reply import EmailReplyParser

# The library knows no Spanish; a quotation begins there with "El mar, 1 dic 2026, Northside Motors escribió:".
_SPANISH = re.compile(r"^El .{5,200} escribi(?:ó|o):\s*$.*", re.MULTILINE | re.DOTALL)
_QUOTED = re.compile(r"^\s*>.*$", re.MULTILINE)
# A mail that is longer is cut: what somebody says to us stands at its beginning.
MOST = 20_000
_parser = EmailReplyParser(languages=["en", "de", "fr"])


def said(text: str) -> str:
    """What a mail says of its own, as plain text."""
    own = _parser.parse_reply(text[:MOST].replace("\r\n", "\n")) or ""
    return _QUOTED.sub("", _SPANISH.sub("", own)).strip()
