"""What a customer wants, or never wants, at the command line."""

from __future__ import annotations


def test_a_statement_is_recorded_as_the_customers_own(told):
    """It stands until it is taken back, and both ways are shown."""
    said = told("intent", "ana", "maintenance", "never", "--until", "2028-01-01", "--words", "I do it myself").stdout
    assert 'Noted of Ana Ruiz (ana): never maintenance until 2028-01-01 ("I do it myself").' in said
    assert "To take it back: commsched intent ana maintenance --withdraw" in said
    (one,) = told.json("intent", "ana")["intents"]
    assert (one["stated_by"], one["topic"], one["until"]) == ("customer", "maintenance", "2028-01-01")
    gone = told("intent", "ana", "maintenance", "--withdraw").stdout
    assert "ana has taken back: never maintenance until 2028-01-01" in gone
    assert "commsched intent ana maintenance never --until 2028-01-01" in gone
    assert "Nothing is known" in told("intent", "ana").stdout


def test_it_holds_back_what_lies_under_its_topic(told):
    """And lets it go when it is taken back."""
    config = told.folder / "config" / "commsched.toml"
    config.write_text(config.read_text("utf-8") + '\n[[policies]]\nkind = "stated_intent"\nexempt = []\n', "utf-8")
    told("intent", "ana", "maintenance", "never", "--for", "2y")
    at = ("--at", "2027-03-03T16:30:00Z")
    assert "sent" not in told.json("plan", "--customer", "ana", *at)["summary"]["states"]
    (message,) = told.json("plan", "--customer", "ana", *at)["messages"]
    assert [one["code"] for one in message["reasons"]] == ["stated_intent"]
    told("intent", "ana", "maintenance", "--withdraw")
    (message,) = told.json("plan", "--customer", "ana", *at)["messages"]
    assert message["state"] == "planned"


def test_what_says_nothing_is_refused(told):
    """A topic that nobody declared, no stance, no end, an asset that is not theirs, nothing to take back."""
    assert "topic" in told("intent", "ana", "mantenance", "never", code=1).stderr
    assert "never, not_before or wants" in told("intent", "ana", "oil", code=2).stderr
    assert "--until DATE or --for LENGTH" in told("intent", "ana", "oil", "not_before", code=2).stderr
    assert "No asset of ana is called 'V9'" in told("intent", "ana", "oil", "never", "--asset", "V9", code=2).stderr
    assert "has spoken of" in told("intent", "ana", "oil", "--withdraw", code=2).stderr
    assert told.json("intent", "ana")["intents"] == []
