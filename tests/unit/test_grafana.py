"""The dashboard, the alerts and the page about them name metrics that there are, with labels that these have."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from commsched.engine.meters import METERS

DOCS = Path(__file__).parents[2] / "docs"
DASHBOARD = json.loads((DOCS / "grafana/commsched.json").read_text("utf-8"))
GROUPS = yaml.safe_load((DOCS / "grafana/alerts.yaml").read_text("utf-8"))["groups"]
RULES = [rule for group in GROUPS for rule in group["rules"]]
# What Prometheus adds to every series.
TARGET = {"instance", "job"}
SERIES = {
    f"{one.name}{ending}": set(one.labels) | TARGET | ({"le"} if ending == "_bucket" else set())
    for one in METERS
    for ending in (("_bucket", "_sum", "_count") if one.kind == "histogram" else ("",))
}
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
TARGETS = [(panel["title"], target["expr"], target["legendFormat"]) for panel in PANELS for target in panel["targets"]]
_NAME = re.compile(r"\bcommsched_\w+")
_BY = re.compile(r"\b(?:by|on|without|ignoring)\s*\(([^)]*)\)")
_MATCH = re.compile(r"(\w+)\s*(?:=|!=|=~|!~)\s*\"")


def labels_in(expression):
    """The labels that an expression asks for."""
    grouped = {label.strip() for group in _BY.findall(expression) for label in group.split(",")}
    return (grouped | set(_MATCH.findall(expression))) - {""}


def known(expression):
    """The metrics in an expression are there, and have the labels that it asks for."""
    names = _NAME.findall(expression)
    assert names, expression
    assert set(names) <= set(SERIES), expression
    for name in names:
        assert labels_in(expression) <= SERIES[name], (expression, name)
    return set(names)


@pytest.mark.parametrize(("title", "expression", "legend"), TARGETS)
def test_each_panel_shows_what_there_is(title, expression, legend):
    """Its metrics, the labels by which it sums, and those in its legend."""
    names = known(expression)
    shown = set(re.findall(r"{{(\w+)}}", legend))
    summed = {label.strip() for group in _BY.findall(expression) for label in group.split(",")}
    assert shown <= (summed or set.union(*(SERIES[name] for name in names))), title


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_alert_asks_for_what_there_is_and_says_what_to_do(rule):
    """Its metrics and labels; a sentence of what is wrong, and one of what helps."""
    known(rule["expr"])
    text = rule["annotations"]["summary"] + rule["annotations"]["description"]
    shown = set(re.findall(r"\$labels\.(\w+)", text))
    summed = {label.strip() for group in _BY.findall(rule["expr"]) for label in group.split(",")}
    assert shown <= (summed or TARGET)
    assert rule["labels"]["severity"] in {"warning", "critical"}


def test_the_dashboard_can_be_imported_anywhere():
    """The source of its numbers is chosen when it is looked at; panels have an id each and do not overlap."""
    (variable,) = DASHBOARD["templating"]["list"]
    assert (variable["name"], variable["type"], variable["query"]) == ("datasource", "datasource", "prometheus")
    assert {panel["datasource"]["uid"] for panel in PANELS} == {"${datasource}"}
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    taken = [cell for panel in DASHBOARD["panels"] for cell in cells(panel["gridPos"])]
    assert len(taken) == len(set(taken))
    assert max(x for x, _ in taken) < 24


def cells(place):
    return [(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])]


def test_nothing_is_measured_that_nobody_shows():
    """Every metric stands on the dashboard."""
    shown = {name for _, expression, _ in TARGETS for name in _NAME.findall(expression)}
    missing = [one.name for one in METERS if not any(name.startswith(one.name) for name in shown)]
    assert missing == []
