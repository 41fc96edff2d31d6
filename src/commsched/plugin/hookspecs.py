"""The hooks. A plugin is a module with functions of these names, each marked ``@hookimpl``.

They are called in the order built-in, installed (entry point group ``commsched``), ``plugins/*.py``. A ``register_*``
hook that raises stops the start-up with the plugin's file and line; an observer that raises is named in the log,
and nothing else happens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

from commsched.model.decisions import Decision
from commsched.model.facts import AnyFact
from commsched.plugin.base import Calendar, Policy, Source
from commsched.plugin.channel import Attempt, Channel

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

hookspec = pluggy.HookspecMarker("commsched")
hookimpl = pluggy.HookimplMarker("commsched")


@hookspec
def register_channels() -> Iterable[type[Channel[Any]]]:
    """Channel kinds. Called once when the deployment is loaded."""
    raise NotImplementedError


@hookspec
def register_policies() -> Iterable[type[Policy[Any]]]:
    """Policy kinds. Called once when the deployment is loaded."""
    raise NotImplementedError


@hookspec
def register_calendars() -> Iterable[type[Calendar[Any]]]:
    """Calendar kinds. Called once when the deployment is loaded."""
    raise NotImplementedError


@hookspec
def register_sources() -> Iterable[type[Source[Any]]]:
    """Source kinds. Called once when the deployment is loaded."""
    raise NotImplementedError


@hookspec
def prepare_templates(environment: SandboxedEnvironment) -> None:
    """Add filters or globals to the template environment. Called once, before the templates are compiled.

    ``environment``: the sandboxed Jinja2 environment that renders every message.
    """


@hookspec
def extra_facts(facts: Sequence[AnyFact]) -> Iterable[AnyFact]:
    """Facts that follow from a customer's facts. Pure; called each time a customer's ledger is folded.

    ``facts``: the customer's own facts, in no particular order.
    """
    raise NotImplementedError


@hookspec
def decided(decision: Decision) -> None:
    """A decision was stored because it changed. Called after the commit.

    ``decision``: the message, its state, the reasons.
    """


@hookspec
def attempted(attempt: Attempt, outcome: str) -> None:
    """An attempt to send has ended. Called after its result is durable.

    ``attempt``: what was tried; ``outcome``: ``accepted``, ``refused``, ``try_later`` or ``in_doubt``.
    """


@hookspec
def received(event: AnyFact) -> None:
    """A fact came in while the service runs. Called after the commit.

    ``event``: the fact.
    """


@hookspec
def startup(app: object) -> None:
    """The service has loaded its deployment and opened its store, and is about to work.

    ``app``: the running :class:`commsched.app.App`.
    """


@hookspec
def shutdown(app: object) -> None:
    """The service is about to end; the store is still open.

    ``app``: the running :class:`commsched.app.App`.
    """
