"""Before rules that have changed are let loose: how many customers each would write to on its first day."""

from __future__ import annotations

from collections.abc import Callable

from commsched.app import App
from commsched.check.rehearsal import accept, first_days
from commsched.errors import Misuse


def admit(say: Callable[[str], None], app: App, accepted: int | None) -> None:
    """Say it of each, and remember it. Raises :class:`Misuse` if one is above the limit and was not accepted."""
    limit = max(app.configuration.deployment.first_day, accepted or 0)
    found = first_days(app, app.store)
    if found and found[0].customers > limit:
        raise Misuse(
            f"{found[0]}, which is more than {limit:,}; nothing was sent. Look at them with `commsched plan`, "
            f"and if that is what you mean, say --accept {found[0].customers}."
        )
    for one in found:
        say(f"{str(one)[:1].upper()}{str(one)[1:]}.")
    accept(app)
