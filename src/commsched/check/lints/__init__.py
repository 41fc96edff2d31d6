"""What a reader would hold against a text, before any reader sees it."""

from __future__ import annotations

from commsched.app import App
from commsched.check.lints.length import longer_than_allowed, too_long
from commsched.check.lints.news import without_news
from commsched.check.lints.privacy import health_details
from commsched.check.lints.required import without_way_out
from commsched.check.lints.text import Found, texts_of
from commsched.check.lints.tone import begging, selling


def lint(app: App) -> Found:
    """Faults of templates, rules and departments that are certain, and warnings of those that may be none."""
    texts = texts_of(app)
    found = Found()
    for one in (begging, selling, without_news, without_way_out, too_long, longer_than_allowed, health_details):
        found += one(app, texts)
    return found
