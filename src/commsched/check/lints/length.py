"""Texts that take more parts than anybody reads or pays for."""

from __future__ import annotations

from commsched.app import App
from commsched.check.lints.text import Found, Texts
from commsched.errors import Problem


def too_long(app: App, texts: Texts) -> Found:
    """Texts that are over the deployment's number of segments with everything filled in."""
    most = app.configuration.check.sms_segments
    longest: dict[str, tuple[int, int]] = {}
    for shown in texts.shown:
        if shown.medium == "sms" and shown.content.segments > most:
            place = texts.place(shown)
            longest[place] = max(longest.get(place, (0, 0)), (shown.content.segments, len(shown.content.text)))
    problems = [
        Problem(
            place,
            1,
            "too_many_segments",
            f"filled in, it is {characters} characters in {segments} parts, each billed as a text; at most {most} "
            "([check] sms_segments)",
        )
        for place, (segments, characters) in sorted(longest.items())
    ]
    return Found(problems)
