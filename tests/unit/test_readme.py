"""What README and docs show is true: their plugins load, keep the laws and do what they say; their rule loads."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from commsched import Outgoing
from commsched.app import App
from commsched.engine.clock import SetClock
from commsched.planning.contact import zones
from commsched.planning.fold import fold
from commsched.store.ledgers import load
from commsched.store.store import Store
from commsched.testing.laws import channel_laws, policy_laws

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
PLUGINS = (ROOT / "docs" / "plugins.md").read_text("utf-8")


NOON = datetime(2026, 12, 1, 18, tzinfo=UTC)
A_LETTER = Outgoing(
    "attempt-1", "C1/oil/invite/V1/1", "letter", "1 Main Street", "Ana Ortiz", "", "Your car is due.", "",
    NOON + timedelta(minutes=10), NOON,
)  # fmt: skip


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture
def deployment(tmp_path):
    """A copy of the shipped deployment without its letters channel."""
    for name in ("config", "plugins", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    config = tmp_path / "config" / "commsched.toml"
    config.write_text(
        config.read_text().replace(
            'name = "post" # plugins/letters.py\nkind = "letters"', 'name = "post"\nkind = "noticeboard"'
        )
    )
    (tmp_path / "plugins" / "noticeboard.py").write_text(blocks(README, "python")[1])
    return tmp_path


def loaded(folder: Path) -> App:
    clock = SetClock(datetime(2026, 11, 23, 15, tzinfo=UTC))
    return App(folder, clock=clock, store=Store(f"sqlite:///{folder / 'test.db'}"))


def declare(folder: Path, text: str) -> None:
    with (folder / "config" / "commsched.toml").open("a") as config:
        config.write(text)


def test_the_policy_of_the_readme_keeps_mondays_free(deployment):
    """Fifteen lines in plugins/ and two in the configuration: a policy that works and keeps the laws."""
    (deployment / "plugins" / "no_mondays.py").write_text(blocks(README, "python")[0])
    declare(deployment, '\n[[policies]]\nkind = "no_mondays"\n')
    app = loaded(deployment)
    policy = next(applied.policy for applied in app.policies if applied.name == "no_mondays")
    policy_laws(policy)
    for path in sorted((ROOT / "facts").glob("*.jsonl")):
        list(app.take_in(path, None))
    plans = list(app.plans(None, app.clock.now()))
    with app.store.read() as connection:
        world = app.world(connection)
        ledgers = {plan.customer: load(connection, [plan.customer])[plan.customer].ledger for plan in plans}
    times = [
        d.at.astimezone(zones(fold(ledgers[plan.customer], plan.now), world)[0])
        for plan in plans
        for d in plan.decisions
        if d.state == "planned" and d.proposal.purpose in {"service", "sales", "marketing", "survey"}
    ]
    assert len(times) > 50
    assert not [at for at in times if at.weekday() == 0]


def test_the_channel_of_the_readme_is_one(deployment):
    """Twenty lines in plugins/: a channel that is loaded, and hands messages over."""
    board = loaded(deployment).channels["post"]
    assert type(board).__name__ == "Noticeboard"
    channel_laws(board, A_LETTER)
    assert "Your car is due." in (deployment / "var" / "noticeboard.txt").read_text()


def test_both_are_as_short_as_is_said():
    """A policy in 15 lines, a channel in 20."""
    policy, channel = ([line for line in block.splitlines() if line.strip()] for block in blocks(README, "python")[:2])
    assert len(policy) <= 15
    assert len(channel) <= 20


def test_the_rule_of_the_readme_loads(deployment):
    """The rule that the README shows is one that loads."""
    (deployment / "config" / "rules" / "oil-change-due.yaml").write_text(blocks(README, "yaml")[0])
    assert "oil-change-due" in {rule.name for rule in loaded(deployment).rules}


def test_the_policy_of_the_plugin_guide_keeps_the_laws(deployment):
    """The guide's policy loads and keeps the laws."""
    (deployment / "plugins" / "loyal.py").write_text(blocks(PLUGINS, "python")[0])
    declare(deployment, '\n[[policies]]\nkind = "no_surveys_for_loyal"\n')
    app = loaded(deployment)
    policy_laws(next(applied.policy for applied in app.policies if applied.name == "no_surveys_for_loyal"))


def test_the_calendar_in_the_reference_loads(deployment, monkeypatch):
    """What an operator copies from docs/calendars.md is a calendar that keeps appointments."""
    (block,) = blocks((ROOT / "docs" / "calendars.md").read_text("utf-8"), "toml")
    monkeypatch.setenv("BAY_ONE_PASSWORD", "torque-wrench")
    path = deployment / "config/commsched.toml"
    path.write_text(path.read_text("utf-8") + "\n" + block, "utf-8")
    bay = App(deployment, clock=SetClock(NOON)).calendars["bay-one"]
    assert bay.writes
    assert "torque-wrench" not in repr(bay.settings)
