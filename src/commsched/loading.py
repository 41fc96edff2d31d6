"""Loading plugins: built-in, installed and a deployment's own alike, through the same hooks.

A file that cannot be imported, a hook with a misspelt name, a kind that is registered twice or settings that do not fit
stop the start-up with the file, the line, and what would be right.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import inspect
import pkgutil
import sys
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from time import monotonic
from types import ModuleType
from typing import Any, TypeVar, get_origin
from zoneinfo import ZoneInfo

import pluggy
import structlog
from pydantic import ValidationError

import commsched.builtin
from commsched.config import FILE, Configuration, InstanceSettings
from commsched.errors import ConfigurationError, Problem
from commsched.model.vocabulary import Vocabulary
from commsched.planning.isolation import bounded
from commsched.planning.world import Applied
from commsched.plugin import hookspecs
from commsched.plugin.base import Calendar, Plugin, Policy, Source
from commsched.plugin.channel import Channel
from commsched.plugin.view import Snapshot
from commsched.rules.rule import Rule
from commsched.signals import Attempted, Decided, Failed, Received, Signal, announce

log = structlog.get_logger("commsched.loading")
GROUP = "commsched"
REGISTERS: Mapping[type[Plugin[Any]], str] = {
    Channel: "register_channels",
    Policy: "register_policies",
    Calendar: "register_calendars",
    Source: "register_sources",
}
QUIET_SECONDS = 900.0
_SIGNALS: Mapping[str, Callable[..., Signal]] = {"decided": Decided, "attempted": Attempted, "received": Received}
OBSERVERS = ("decided", "attempted", "received", "startup", "shutdown")
P = TypeVar("P", bound=Plugin[Any])


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of plugin: its class, what it is, where it came from."""

    name: str
    what: str
    plugin: type[Plugin[Any]]
    origin: str


@dataclass
class Plugins:
    """Everything that was loaded, and the way to call it."""

    manager: pluggy.PluginManager
    origins: dict[str, str]
    kinds: dict[tuple[str, str], Kind]
    failed_observers: dict[str, str] = field(default_factory=dict)
    patience: float = 5.0
    _quiet: dict[str, float] = field(default_factory=dict)

    def make(self, base: type[P], declared: InstanceSettings, folder: Path, zone: ZoneInfo) -> P:
        """The instance that the configuration declares of a kind."""
        kind = self._kind(base, declared)
        settings_type = kind.plugin.settings_type()
        try:
            settings = settings_type.model_validate(declared.settings)
        except ValidationError as error:
            raise ConfigurationError([_setting(one, declared, settings_type) for one in error.errors()]) from error
        try:
            made = kind.plugin(settings, name=declared.label, folder=folder, zone=zone)
        except Exception as error:
            message = f"the {kind.what} {declared.label} could not be set up: {error}"
            raise ConfigurationError.one(FILE, message, code="plugin") from error
        if not isinstance(made, base):
            raise TypeError(kind.plugin)
        return made

    def _kind(self, base: type[P], declared: InstanceSettings) -> Kind:
        what = kind_of(base)
        kind = self.kinds.get((what, declared.kind))
        if kind is None:
            known = sorted(name for one, name in self.kinds if one == what)
            close = get_close_matches(declared.kind, known, 1)
            hint = f"did you mean {close[0]!r}?" if close else f"there is {', '.join(known)}"
            message = f"there is no {what} of the kind {declared.kind!r}; {hint}"
            raise ConfigurationError.one(FILE, message, code="unknown_kind")
        return kind

    def tell(self, hook: str, **arguments: object) -> None:
        """Tell the observers, one by one: one that raises is named, and the others still hear.

        One that takes longer than ``patience`` seconds is interrupted, and not told anything for a quarter of an hour.
        """
        if hook in _SIGNALS:
            announce(_SIGNALS[hook](**arguments))
        for implementation in getattr(self.manager.hook, hook).get_hookimpls():
            names, observer = implementation.argnames, f"{implementation.plugin_name}.{hook}"
            if monotonic() < self._quiet.get(observer, 0.0):
                continue
            try:
                with bounded(self.patience):
                    implementation.function(*(arguments[name] for name in names))
            except Exception as error:  # noqa: BLE001 - an observer may raise anything; sending must not notice
                self.failed_observers[observer] = f"{type(error).__name__}: {error}"
                if isinstance(error, TimeoutError):
                    self._quiet[observer] = monotonic() + QUIET_SECONDS
                announce(Failed("observer", implementation.plugin_name, type(error).__name__))
                log.warning("observer_failed", plugin=implementation.plugin_name, hook=hook, error=type(error).__name__)

    def functions(self, hook: str) -> tuple[Callable[..., Any], ...]:
        """The implementations of a hook, in loading order."""
        return tuple(one.function for one in getattr(self.manager.hook, hook).get_hookimpls())


def load_plugins(folder: Path) -> Plugins:
    """Load all plugins of a deployment, in the order built-in, installed, ``plugins/*.py``."""
    manager = pluggy.PluginManager("commsched")
    manager.add_hookspecs(hookspecs)
    origins: dict[str, str] = {}
    for name, module in _builtin():
        manager.register(module, name)
        origins[name] = "built-in"
    for name, module in _installed():
        manager.register(module, name)
        origins[name] = "installed"
    for path in sorted((folder / "plugins").glob("*.py")):
        name = f"plugins/{path.name}"
        manager.register(import_plugin(path), name)
        origins[name] = "deployment"
    _check_hooks(manager, origins)
    return Plugins(manager, origins, _kinds(manager))


def _builtin() -> Iterable[tuple[str, ModuleType]]:
    for found in pkgutil.walk_packages(commsched.builtin.__path__, "commsched.builtin."):
        if not found.ispkg:
            yield found.name, importlib.import_module(found.name)


def _installed() -> Iterable[tuple[str, ModuleType]]:
    for entry in importlib.metadata.entry_points(group=GROUP):
        try:
            yield entry.name, entry.load()
        except Exception as error:
            message = f"the installed plugin {entry.name} ({entry.value}) could not be loaded: {error}"
            raise ConfigurationError.one(entry.value, message, code="plugin") from error


def import_plugin(path: Path) -> ModuleType:
    """A plugin file as a module. Raises :class:`ConfigurationError` with the line in the file that failed."""
    name = f"commsched_plugins.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigurationError.one(path, "this file cannot be imported", code="plugin")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        message = f"{type(error).__name__}: {error}"
        raise ConfigurationError.one(f"plugins/{path.name}", message, line=_line(error, path), code="plugin") from error
    return module


def _line(error: Exception, path: Path) -> int | None:
    if isinstance(error, SyntaxError):
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return lines[-1] if lines else None


def _check_hooks(manager: pluggy.PluginManager, origins: Mapping[str, str]) -> None:
    known = {name for name in dir(hookspecs) if hasattr(getattr(hookspecs, name), "commsched_spec")}
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        name = manager.get_name(error.plugin) or "?"
        wrong = [
            hook
            for hook in dir(error.plugin)
            if hasattr(getattr(error.plugin, hook), "commsched_impl") and hook not in known
        ]
        close = get_close_matches(wrong[0], known, 1) if wrong else []
        hint = f"did you mean {close[0]}?" if close else f"there is {', '.join(sorted(known))}"
        message = f"there is no hook called {wrong[0] if wrong else '?'}; {hint}"
        file = name if origins[name] == "deployment" else str(getattr(error.plugin, "__file__", name))
        raise ConfigurationError.one(file, message, code="unknown_hook") from error


def _kinds(manager: pluggy.PluginManager) -> dict[tuple[str, str], Kind]:
    kinds: dict[tuple[str, str], Kind] = {}
    for base, hook in REGISTERS.items():
        for implementation in getattr(manager.hook, hook).get_hookimpls():
            for plugin in _registered(implementation, base):
                origin = implementation.plugin_name
                taken = kinds.get((kind_of(base), plugin.kind))
                if taken is not None:
                    message = f"the {kind_of(base)} kind {plugin.kind!r} is registered by {taken.origin} already"
                    raise ConfigurationError.one(origin, message, code="duplicate")
                kinds[kind_of(base), plugin.kind] = Kind(plugin.kind, kind_of(base), plugin, origin)
    return kinds


def _registered(implementation: Any, base: type[Plugin[Any]]) -> list[type[Plugin[Any]]]:  # noqa: ANN401 - pluggy's HookImpl
    origin = implementation.plugin_name
    try:
        found = list(implementation.function())
    except Exception as error:
        file = Path(str(getattr(implementation.plugin, "__file__", origin)))
        message = f"{implementation.function.__name__} failed: {type(error).__name__}: {error}"
        raise ConfigurationError.one(origin, message, line=_line(error, file), code="plugin") from error
    for plugin in found:
        if not (
            isinstance(plugin, type) and issubclass(plugin, base) and isinstance(getattr(plugin, "kind", None), str)
        ):
            message = (
                f"{implementation.function.__name__} must return classes of {base.__name__} with a kind, not {plugin!r}"
            )
            raise ConfigurationError.one(origin, message, code="plugin")
    return found


def _setting(error: Any, declared: InstanceSettings, settings: type[Any]) -> Problem:  # noqa: ANN401 - pydantic's ErrorDetails
    name = ".".join(str(part) for part in error["loc"])
    known = ", ".join(settings.model_fields) or "none"
    if error["type"] == "extra_forbidden":
        return Problem(
            str(FILE), None, "unknown_setting", f"{declared.label} has no setting {name!r}; its settings: {known}"
        )
    message = str(error["msg"]).removeprefix("Value error, ")
    return Problem(str(FILE), None, "invalid", f"{declared.label}.{name}: {message}")


def undeclared(policy: Policy[Any], label: str, words: Vocabulary) -> Iterator[Problem]:
    """Words in the settings of a policy that the vocabulary does not have."""
    known: Mapping[str, Collection[str]] = {
        "roles": words.roles,
        "topics": words.topics,
        "purposes": words.purposes,
    }
    for what, used in policy.words.items():
        for name in sorted(set(used) - set(known[what])):
            close = get_close_matches(name, known[what], 1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            declared = f"declared are {', '.join(sorted(known[what]))}" if known[what] else "none are declared"
            message = f"{label} uses {name!r}, which is not among the {what} of the vocabulary; {hint}{declared}"
            yield Problem(str(FILE), None, "undeclared", message)


def fingerprint(
    folder: Path,
    configuration: Configuration,
    rules: Iterable[Rule],
    policies: Iterable[Applied],
    snapshots: Mapping[str, Snapshot],
    templates: Mapping[str, str],
) -> str:
    """What a plan depends on, as one word: configuration, rules, plugins' code, calendars, templates, tzdata."""
    files = [folder / "config" / name for name in ("services.yaml", "vocabulary.yaml")]
    parts = [
        # Where the facts lie, what messages cost, how fast they go, how texts are checked: none is part of a plan.
        configuration.model_dump_json(
            exclude={
                "deployment": {"store", "lease", "currency", "first_day"},
                "check": True,
                "feedback": True,
                "erasure": True,
                "retention": True,
                "channels": {"__all__": {"cost", "rate", "daily"}},
            }
        ),
        *(f"{rule.name}={rule.digest}" for rule in rules),
        repr(sorted(path.read_text("utf-8") for path in files)),
        *(Path(inspect.getfile(type(applied.policy))).read_text("utf-8") for applied in policies),
        *(path.read_text("utf-8") for applied in policies for path in applied.policy.files),
        *(path.read_text("utf-8") for path in sorted((folder / "plugins").glob("*.py"))),
        # Not when they were read: a calendar that is as it was makes no other world.
        *(f"{name}={snapshot.known}" for name, snapshot in sorted(snapshots.items())),
        repr(sorted(templates.items())),
        importlib.metadata.version("tzdata"),
    ]
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def kind_of(plugin: type[Plugin[Any]]) -> str:
    """The base class's word for a plugin class: ``channel``, ``policy``, ``calendar`` or ``source``."""
    for base in (Channel, Policy, Calendar, Source):
        if issubclass(get_origin(plugin) or plugin, base):
            return base.__name__.lower()
    return "plugin"
