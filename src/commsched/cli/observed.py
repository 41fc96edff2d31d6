"""``--metrics`` of `run` and `worker`: what an engine does, how it stands, and whether it is well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from commsched.app import App
from commsched.cli.service import tell
from commsched.engine.counts import Counts
from commsched.engine.gauges import Gauges, Reading, Watched
from commsched.engine.local import LocalEngine
from commsched.engine.pulse import Pulse
from commsched.signals import listening
from commsched.timing.durations import parse_exact
from commsched.web.vitals import Address, Vitals, serving

# Whether the store answers is asked no more often than this, in seconds.
READY = 1.0


@contextmanager
def observed(app: App, engine: LocalEngine, address: Address) -> Iterator[None]:
    """Count, and serve what is counted, until the end of the block."""
    counts = Counts(engine.pulse.turned_at)
    counts.registry.register(Gauges(numbers_of(app)))
    vitals = Vitals(counts.registry, lambda: [] if engine.pulse.lives else ["stuck"], unready(app, engine.pulse))
    with listening(counts.hear), serving(vitals, address) as port:
        tell("metrics", f"Metrics and health: http://{_shown(address.host)}:{port}/metrics", port=port)
        yield


def numbers_of(app: App) -> Watched:
    """A deployment, as far as its numbers go."""
    departments = app.configuration.departments
    due = {name: parse_exact(one.tasks_due) for name, one in departments.items()}
    if app.configuration.deployment.engine == "local":
        return Watched(app.store, app.clock, tuple(app.channels), due, app.fresh)
    # Its library is there, or the engine would not run.
    from commsched.engine.jobs import crew

    return Watched(app.store, app.clock, tuple(app.channels), due, app.fresh, crew)


def unready(app: App, pulse: Pulse) -> Callable[[], list[str]]:
    """Says in one word each why this process is not ready to work; nothing: it is."""
    version = Reading(lambda: [] if app.store.is_current() else ["version"], READY)

    def words() -> list[str]:
        store = version.found if version.latest() else ["store"]
        return [*([] if pulse.began else ["starting"]), *store]

    return words


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
