"""What people see of channels: doctor, pause, resume, explain."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from commsched.app import App
from commsched.cli.health import examine
from commsched.delivery.breakers import note
from commsched.engine.hearing import PROBLEM
from commsched.plugin.channel import ChannelDown
from commsched.store import queries


@pytest.fixture
def closed(garage):
    """The text channel is closed, and the mail channel could not be asked what came in."""
    shop = garage()
    now = datetime.now(UTC)
    with shop.store.write() as connection:
        assert note(connection, {"text": [ChannelDown("401")]}, now) == (["text"], [])
        queries.put_setting(connection, PROBLEM + "mail", "TimeoutError")
    return shop


def test_doctor_says_which_channel_is_closed(closed):
    """Doctor names the channel, its reason, and how to open it."""
    found = {(one.what, one.ok): one for one in examine(closed.app) if one.what == "channel"}
    assert list(found) == [("channel", False)]
    says = [one for one in examine(closed.app) if one.what == "channel"]
    assert "text is closed since" in says[0].says
    assert says[0].says.endswith("401")
    assert says[0].do == "Once it is mended: commsched resume channel:text"
    assert "mail could not be asked what came in: TimeoutError" in says[1].says


def test_doctor_counts_the_day(garage, configuration, customer):
    """Doctor says how much of a day's number is used, and when none is left."""
    shop = garage(
        {"config/commsched.toml": configuration.replace('name = "mail"', 'name = "mail"\ndaily = "2/day"', 1)}
    )
    for name, left in (("ann", True), ("bob", False)):
        shop.learn(*customer(name))
        shop.tick()
        (rate,) = [one for one in examine(shop.app) if one.what == "rate"]
        assert rate.ok is left
    assert rate.says == "mail has carried 2 of 2 today"


def test_a_closed_channel_is_opened_by_hand(shell):
    """`pause` lists a closed channel; `resume channel:NAME` opens it at once; then there is nothing to open."""
    shell("tick")
    app = App(shell.folder)
    with app.store.write() as connection:
        note(connection, {"mail": [ChannelDown("401")]}, datetime.now(UTC))
    app.store.close()
    assert [one["scope"] for one in shell.json("pause")["breakers"]] == ["channel:mail"]
    assert shell.json("resume", "channel:mail")["was"] is True
    assert shell.json("resume", "channel:mail", code=1)["was"] is False
    assert shell.json("pause")["breakers"] == []
