"""The whole check of a deployment."""

from __future__ import annotations

from pathlib import Path

from commsched.app import App
from commsched.check.lints import lint
from commsched.check.messages import message_problems
from commsched.check.parts import load
from commsched.check.proof import Progress, prove
from commsched.check.report import Report
from commsched.check.steps import (
    calendar_problems,
    policy_problems,
    purposes_without_policy,
    rules_to_come,
    service_problems,
    step_problems,
    vanished_rules,
)
from commsched.planning.world import World
from commsched.rules.steps import NO_ANSWER
from commsched.store.store import Store


def check(folder: Path, progress: Progress = lambda *_: None) -> tuple[Report, App | None]:
    """Everything that is wrong with a deployment, and the deployment if it can be loaded."""
    folder = folder.resolve()
    app, problems = load(folder)
    report = Report(problems)
    if app is None:
        return report.settled(folder), None
    world = world_of(app)
    report.problems += [
        *policy_problems(app),
        *calendar_problems(app),
        *service_problems(app),
        *step_problems(app, world),
        *message_problems(app),
        *vanished_rules(app),
    ]
    linted = lint(app)
    report.problems += linted.problems
    report.warnings += [*purposes_without_policy(app, world), *linted.warnings]
    if report.ok:
        report.warnings += rules_to_come(app)
    proved = prove(app, world, progress)
    report.proofs = proved.proofs
    shown = {one.file for one in proved.problems}
    report.problems = [one for one in report.problems if one.code != NO_ANSWER or one.file not in shown]
    report.problems += proved.problems
    report.warnings += proved.warnings
    report.counts = {
        "rules": len(app.rules),
        "policies": len(app.policies),
        "services": len(app.services),
        "templates": len(app.renderer.names()),
        "channels": len(app.channels),
        "calendars": len(app.calendars),
        "sources": len(app.sources),
    }
    return report.settled(folder), app


def world_of(app: App) -> World:
    """The deployment's world without its store: an empty one in memory stands in for it."""
    store = Store("sqlite://")
    store.prepare()
    try:
        with store.read() as connection:
            return app.world(connection)
    finally:
        store.close()
