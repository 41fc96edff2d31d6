"""Loading a deployment part by part, so that the problems of all parts are told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from commsched.app import App
from commsched.config import Configuration, InstanceSettings, load_configuration
from commsched.errors import CommschedError, ConfigurationError, Problem
from commsched.loading import Plugins, load_plugins, undeclared
from commsched.model.vocabulary import Vocabulary
from commsched.plugin.base import Calendar, Plugin, Policy, Source
from commsched.plugin.channel import Channel
from commsched.rules.declarations import for_policy
from commsched.rules.expressions import Declarations, compile_expression
from commsched.rules.loading import load_rules, load_services, load_vocabulary
from commsched.rules.steps import NO_ANSWER

T = TypeVar("T")


def load(folder: Path) -> tuple[App | None, list[Problem]]:
    """The deployment, or everything that keeps it from being loaded.

    Steps without an answer keep it from being used, and not from being looked at: the proof has an example of each.
    """
    problems = _Parts(folder).problems()
    if any(one.code != NO_ANSWER for one in problems):
        return None, problems
    try:
        return App(folder, tolerate=frozenset({NO_ANSWER})), problems
    except ConfigurationError as error:
        return None, list(error.problems)


class _Parts:
    """Each part is tried for itself; what rests on a part that failed is left out."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.found: list[Problem] = []

    def problems(self) -> list[Problem]:
        configuration = self._try(lambda: load_configuration(self.folder))
        plugins = self._try(lambda: load_plugins(self.folder))
        vocabulary = self._words(configuration)
        if configuration is not None and plugins is not None:
            self._instances(configuration, plugins, vocabulary)
        return self.found

    def _try(self, make: Callable[[], T], file: str = "config/commsched.toml") -> T | None:
        try:
            return make()
        except ConfigurationError as error:
            self.found += error.problems
        except CommschedError as error:
            self.found.append(Problem(file, None, "invalid", str(error)))
        return None

    def _words(self, configuration: Configuration | None) -> Vocabulary | None:
        config = self.folder / "config"
        words = self._try(lambda: load_vocabulary(config / "vocabulary.yaml"))
        if words is None:
            return None
        services = self._try(lambda: load_services(config / "services.yaml", words))
        if services is None or configuration is None:
            return words
        whole = replace(words, services=frozenset(services), departments=frozenset(configuration.departments))
        for kind, word in whole.untitled():
            message = f"`titles` names {word!r}, and there is none of the {kind} of that name; leave it out."
            self.found.append(Problem("config/vocabulary.yaml", None, "unknown", message))
        self._try(lambda: load_rules(config / "rules", whole, services))
        return whole

    def _instances(self, configuration: Configuration, plugins: Plugins, vocabulary: Vocabulary | None) -> None:
        zone = configuration.deployment.zone
        kinds: Mapping[type[Plugin[Any]], Iterable[InstanceSettings]] = {
            Channel: configuration.channels,
            Policy: configuration.policies,
            Calendar: configuration.calendars,
            Source: configuration.sources,
        }
        for base, declared in kinds.items():
            for one in declared:
                made = self._made(plugins, base, one, zone)
                if isinstance(made, Policy) and vocabulary is not None:
                    self._expressions(made, one.label, vocabulary)
                    self.found += undeclared(made, one.label, vocabulary)

    def _made(
        self, plugins: Plugins, base: type[Plugin[Any]], one: InstanceSettings, zone: ZoneInfo
    ) -> Plugin[Any] | None:
        return self._try(lambda: plugins.make(base, one, self.folder, zone))

    def _expressions(self, policy: Policy[Any], label: str, vocabulary: Vocabulary) -> None:
        names = for_policy(vocabulary)
        for field, text in policy.expressions.items():
            self._compile(text, names, f"{label}.{field}")

    def _compile(self, text: str, names: Declarations, where: str) -> None:
        self._try(lambda: compile_expression(text, names, where=where))
