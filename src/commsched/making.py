"""What a deployment's folder says, made into what runs: its words, services and rules, and its policies."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from commsched.config import FILE, Configuration
from commsched.errors import ConfigurationError
from commsched.instance import InstanceSettings
from commsched.loading import Plugins, undeclared
from commsched.model.vocabulary import Vocabulary
from commsched.planning.world import Applied
from commsched.plugin.base import Policy
from commsched.rules.declarations import for_policy
from commsched.rules.expressions import compile_expression
from commsched.rules.loading import load_rules, load_services, load_vocabulary
from commsched.rules.rule import Rule, Service


def words_of(
    folder: Path, configuration: Configuration, tolerate: frozenset[str]
) -> tuple[Vocabulary, Mapping[str, Service], tuple[Rule, ...]]:
    """Vocabulary, services and rules; the problems of all of them together, save those of the codes in ``tolerate``."""
    config = folder / "config"
    words = load_vocabulary(config / "vocabulary.yaml")
    services = load_services(config / "services.yaml", words)
    words = replace(words, services=frozenset(services), departments=frozenset(configuration.departments))
    return words, services, load_rules(config / "rules", words, services, tolerate)


def policies_of(
    plugins: Plugins, configuration: Configuration, vocabulary: Vocabulary, folder: Path
) -> tuple[Applied, ...]:
    """The policies, in the order in which they are configured. Raises :class:`ConfigurationError`."""
    sources = {one.label for one in configuration.sources}

    def applied(declared: InstanceSettings) -> Applied:
        made = plugins.make(Policy, declared, folder, configuration.deployment.zone)
        if unknown := sorted(made.sources - sources):
            message = f"the policy {declared.label} depends on {unknown[0]!r}, and there is no such source"
            raise ConfigurationError.one(FILE, message, code="unknown_source")
        if wrong := list(undeclared(made, declared.label, vocabulary)):
            raise ConfigurationError(wrong)
        names = for_policy(vocabulary)
        made.compiled = {
            field: compile_expression(text, names, where=f"{declared.label}.{field}")
            for field, text in made.expressions.items()
        }
        kind = type(made)
        return Applied(
            declared.label,
            made,
            _chosen(declared.purposes, kind.purposes),
            _chosen(declared.topics, None),
            _chosen(declared.departments, None),
            _chosen(declared.media, kind.media),
        )

    return tuple(map(applied, configuration.policies))


def _chosen(stated: tuple[str, ...] | None, default: Collection[str] | None) -> frozenset[str] | None:
    if stated is not None:
        return frozenset(stated)
    return frozenset(default) if default is not None else None
