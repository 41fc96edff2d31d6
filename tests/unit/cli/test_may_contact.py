"""may-contact: yes or no, why, and the claim that a colleague is told of."""

import json

import pytest


@pytest.fixture
def desk(told):
    """Ana and Ben with phones; Ben refused everything."""
    facts = [
        {"type": "contact_point", "kind": "phone", "at": "2026-01-01T12:00:00Z", "customer": who, "address": number}
        for who, number in (("ana", "+18475550188"), ("ben", "+18475550189"))
    ]
    path = told.folder / "phones.jsonl"
    path.write_text("".join(json.dumps(fact) + "\n" for fact in facts), "utf-8")
    told("import", str(path))
    return told


def test_yes_has_the_shape_that_tools_rely_on(desk):
    """Allowed, when, reasons, instead; a phone number is read as people write it, and names who has it."""
    found = desk.json("may-contact", "(847) 555-0188", "--purpose", "service")
    assert (found["allowed"], found["reasons"], found["instead"]) == (True, [], [])
    ((opens, closes),) = found["when"]
    assert opens < closes
    assert [one["customer"] for one in found["customers"]] == ["ana"]


def test_no_exits_with_1_and_says_why(desk):
    """Ben said no to everything: a sentence, the policy and its reason."""
    result = desk("may-contact", "ben", "--purpose", "sales", code=1)
    assert "No, you may not call Ben Okafor (ben) about sales." in result.stdout
    assert "opt_out: voice was refused by Ben Okafor (ben) on 2026-01-01" in result.stdout


def test_a_mail_address_means_mail(desk):
    """Whoever is named by mail is asked about by mail; a call to it is misuse."""
    assert desk.json("may-contact", "ben@example.com", "--purpose", "service", code=1)["medium"] == "email"
    refused = desk("may-contact", "ana@example.com", "--purpose", "service", "--medium", "voice", code=2)
    assert "no use for voice" in refused.stderr


def test_whoever_nobody_knows_is_said_so(desk):
    """A number that nobody has is a no; what is neither id nor address is misuse with a hint."""
    found = desk.json("may-contact", "+1 847 555 0100", "--purpose", "service", code=1)
    assert [reason["code"] for reason in found["reasons"]] == ["unknown"]
    assert "Did you mean ana?" in desk("may-contact", "anna", "--purpose", "service", code=2).stderr
    assert "No purpose is called" in desk("may-contact", "ana", "--purpose", "servise", code=2).stderr


def test_a_colleague_is_told_who_is_calling(desk):
    """Dana claims, Eli is told; Dana gives it back, Eli may."""
    ask = ("may-contact", "ana", "--purpose", "service", "--by")
    assert "Claimed by dana until" in desk(*ask, "dana", "--claim", "30m").stdout
    assert desk.json(*ask, "eli", code=1)["reasons"][0]["detail"].startswith("dana is getting in touch")
    assert "No, not now" in desk(*ask, "eli", "--claim", "30m", code=1).stdout
    assert "given back" in desk(*ask, "dana", "--release").stdout
    assert "had no claim" in desk(*ask, "dana", "--release", code=1).stdout
    desk(*ask, "eli", "--claim", "30m")


@pytest.mark.parametrize("length", ["soon", "3d", "0m"])
def test_a_claim_is_for_minutes_or_hours(desk, length):
    """A claim that is no time, or too long, is refused."""
    assert "--claim" in desk("may-contact", "ana", "--purpose", "service", "--claim", length, code=2).stderr
