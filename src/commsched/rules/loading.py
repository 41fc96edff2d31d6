"""Reads the operator's files: vocabulary, services, rules. All that is wrong is told at once, with file and line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from commsched.errors import ConfigurationError, Problem
from commsched.model.vocabulary import Vocabulary
from commsched.rules.compile import compile_rule
from commsched.rules.problems import Findings
from commsched.rules.rule import Rule, Service
from commsched.rules.services import compile_services
from commsched.rules.vocabulary import compile_vocabulary
from commsched.rules.yamldoc import read_document


def load_vocabulary(path: Path) -> Vocabulary:
    """The vocabulary of a file; ``services`` and ``departments`` are for the caller to fill in.

    Raises :class:`ConfigurationError` with every problem.
    """
    findings = Findings(read_document(path))
    vocabulary = compile_vocabulary(findings)
    if vocabulary is None:
        raise ConfigurationError(findings.problems)
    return vocabulary


def load_services(path: Path, vocabulary: Vocabulary) -> dict[str, Service]:
    """The services of a file by id. Raises :class:`ConfigurationError` with every problem."""
    findings = Findings(read_document(path))
    services = compile_services(findings, vocabulary)
    if findings.problems:
        raise ConfigurationError(findings.problems)
    return services


def load_rules(
    folder: Path,
    vocabulary: Vocabulary,
    services: Mapping[str, Service],
    tolerate: frozenset[str] = frozenset(),
) -> tuple[Rule, ...]:
    """The rules of a folder's ``*.yaml`` files, in the order of the file names.

    ``vocabulary.services`` and ``vocabulary.departments`` must be filled in: rules are checked against them. Raises
    :class:`ConfigurationError` with every problem of every file, save those of the codes in ``tolerate``.
    """
    if not folder.is_dir():
        raise ConfigurationError.one(folder, "There is no such folder; create it, even if empty.", code="missing")
    problems: list[Problem] = []
    rules: list[tuple[Rule, Findings]] = []
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.startswith(".") or path.suffix not in {".yaml", ".yml"}:
            continue
        if path.suffix == ".yml":
            problems.append(Problem(str(path), None, "name", "Rule files end in .yaml; rename this one."))
            continue
        try:
            findings = Findings(read_document(path))
        except ConfigurationError as error:
            problems += error.problems
            continue
        rule = compile_rule(findings, vocabulary, services, tolerate)
        problems += [one for one in findings.problems if one.code not in tolerate]
        if rule is not None:
            rules.append((rule, findings))
    problems += _clashes(rules)
    if problems:
        raise ConfigurationError(problems)
    return tuple(rule for rule, _ in rules)


def _clashes(rules: list[tuple[Rule, Findings]]) -> list[Problem]:
    """Names that two rules have: messages could not be told apart."""
    owners: dict[str, Rule] = {}
    clashes = []
    for rule, findings in rules:
        first = owners.setdefault(rule.name, rule)
        if first is not rule:
            line = findings.document.line(("rule",))
            message = f"The rule {rule.name!r} is in {first.file} already; give one of them another name."
            clashes.append(Problem(rule.file, line, "duplicate", message))
    for rule, findings in rules:
        for old in rule.was:
            first = owners.setdefault(old, rule)
            if first is not rule:
                line = findings.document.line(("was",))
                message = f"`was` names {old!r}, but that is the name of a rule in {first.file}."
                clashes.append(Problem(rule.file, line, "duplicate", message))
    return clashes
