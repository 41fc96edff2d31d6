"""The law of the customer's place: each shipped rule on both sides, places that are not certain, rows of one's own."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from commsched import CommschedError, Consent, View, zone
from commsched.builtin.policies.rules_of_place import RulesOfPlace, RulesOfPlaceSettings, read_rows, shipped_rows
from commsched.model.state import Contact, Profile, State
from commsched.testing.strategies import VOCABULARY

EASTERN, CENTRAL = zone("America/New_York"), zone("America/Chicago")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
SPAN = (datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
ROW = """
- id: {id}
  place: {place}
  media: [sms]
  purposes: [sales]
  {ask}
  source: a statute
  verified_on: 2026-11-24
  confidence: primary
"""
# One for each rule that asks for something: where, by whose clock, when not (and when).
HOURS = [
    ("us-hours", "US-IL", CENTRAL, "2026-06-15 07:59", "2026-06-15 08:00"),
    ("us-hours", "US-IL", CENTRAL, "2026-06-15 21:00", "2026-06-15 20:59"),
    ("us-fl-hours", "US-FL", EASTERN, "2026-06-15 20:30", "2026-06-15 19:30"),
    ("us-ok-hours", "US-OK", CENTRAL, "2026-06-15 20:30", "2026-06-15 19:30"),
    ("us-wa-hours", "US-WA", zone("America/Los_Angeles"), "2026-06-15 20:30", "2026-06-15 19:30"),
    ("us-md-hours", "US-MD", EASTERN, "2026-06-15 20:30", "2026-06-15 19:30"),
    ("us-ms-hours", "US-MS", CENTRAL, "2026-06-15 20:30", "2026-06-15 19:30"),
    ("us-ms-hours", "US-MS", CENTRAL, "2026-06-14 12:00", "2026-06-13 12:00"),  # a Sunday, and the Saturday before
    ("us-nj-hours", "US-NJ", EASTERN, "2026-06-15 21:30", "2026-06-15 20:30"),
    ("us-ct-hours", "US-CT", EASTERN, "2026-06-15 08:30", "2026-06-15 09:05"),
    ("us-ri-hours", "US-RI", EASTERN, "2026-06-15 18:30", "2026-06-15 17:30"),
    ("us-ri-hours", "US-RI", EASTERN, "2026-06-13 09:30", "2026-06-13 10:30"),  # a Saturday
    ("us-ri-hours", "US-RI", EASTERN, "2026-06-14 12:00", "2026-06-13 12:00"),  # and the Sunday after
    ("us-tx-hours", "US-TX", CENTRAL, "2026-06-14 11:30", "2026-06-14 13:30"),
    ("us-tx-hours", "US-TX", CENTRAL, "2026-06-15 08:30", "2026-06-15 10:30"),
]
CONSENTS = [("ca-consent", "CA-ON"), ("gb-consent", "GB"), ("eu-consent", "DE-BY"), ("eu-consent", "NO")]


def local(text, place):
    return datetime.fromisoformat(text).replace(tzinfo=place).astimezone(UTC)


@pytest.fixture
def asked(proposal):
    """The verdict on a text that sells, for somebody of whom this is known."""

    def ask(
        *, folder=Path(), settings=None, history=(), home="US-IL", contacts=(), consents=(), wanted=None, **profile
    ):
        policy = RulesOfPlace(RulesOfPlaceSettings(**settings or {}), name="law", folder=folder)
        state = State(Profile("ann", **profile), contacts=contacts, consents=consents)
        view = View(state, history, (CENTRAL,), VOCABULARY, {}, {}, region=home)
        return policy.review(proposal(**{"purpose": "sales", "topic": "trade_in", "span": SPAN} | (wanted or {})), view)

    return ask


def phone(number):
    return Contact("phone", number, ("sms",), valid=True, primary=False, stated_by="customer", at=LONG_AGO)


def yes(text):
    return Consent(
        at=LONG_AGO,
        customer="ann",
        medium="*",
        purpose="*",
        granted=True,
        method="form",
        text=text,
        stated_by="customer",
    )


@pytest.mark.parametrize(("rule", "region", "clock", "closed", "opened"), HOURS)
def test_the_hours_of_each_place_by_its_own_clock(asked, may, rule, region, clock, closed, opened):
    """A text that sells goes within the hours of the customer's place, and the rule and its source are named."""
    verdict = asked(region=region)
    assert not may(verdict, "sms", local(closed, clock))
    assert may(verdict, "sms", local(opened, clock))
    assert rule in verdict.detail
    assert next(row.source for row in shipped_rows() if row.id == rule) in verdict.detail


@pytest.mark.parametrize(("rule", "region"), CONSENTS)
def test_a_missing_consent_denies_and_a_given_one_opens(asked, may, rule, region):
    """Where the law asks for a consent, e-mails that sell wait for it; one with the text shown is enough everywhere."""
    refused = asked(region=region)
    assert not may(refused, "email")
    assert rule in refused.detail
    assert may(asked(region=region, consents=(yes("Yes, write to me."),)), "email")


def test_a_consent_that_cannot_be_shown_is_none_where_it_must_be(asked, may):
    """In Germany the text that was shown must be there; in Canada a consent is enough."""
    assert not may(asked(region="DE", consents=(yes(None),)), "email")
    assert may(asked(region="CA-ON", consents=(yes(None),)), "email")


def test_every_rule_that_asks_for_something_has_a_test_here():
    """A new row without a test on both sides is noticed."""
    tested = (
        {rule for rule, *_ in HOURS} | {rule for rule, _ in CONSENTS} | {"us-health-texts", "us-health-text-length"}
    )
    assert {row.id for row in shipped_rows() if not row.handled} == tested


def test_the_fourth_in_a_day_on_one_subject_waits_in_florida(asked, may, placed, noon):
    """Three texts on a topic in 24 hours are enough; a fourth goes a day after the first, or about something else."""
    clock = [noon + timedelta(hours=hours) for hours in (4, 5, 6)]
    history = [placed(at, topic="trade_in", purpose="sales", medium="sms") for at in clock]
    verdict = asked(region="US-FL", history=history)
    assert not may(verdict, "sms", noon + timedelta(hours=7))
    assert may(verdict, "sms", noon + timedelta(hours=28))
    assert may(asked(region="US-FL", history=history[:2]), "sms", noon + timedelta(hours=7))
    assert may(asked(region="US-FL", history=history, wanted={"topic": "oil"}), "sms", noon + timedelta(hours=7))
    assert may(asked(region="US-IL", history=history), "sms", noon + timedelta(hours=7))


def test_a_health_department_sends_one_text_a_day(asked, may, placed, noon):
    """The rule binds the departments that the deployment says are of that sector, and no others."""
    history = [placed(noon, purpose="service", medium="sms")]
    clinic, two_hours = {"settings": {"sectors": {"health": {"service"}}}, "history": history}, timedelta(hours=2)
    verdict = asked(region="US-IL", wanted={"purpose": "transactional"}, **clinic)
    assert not may(verdict, "sms", noon + two_hours)
    assert may(verdict, "sms", noon + timedelta(days=1))
    assert may(asked(region="US-IL", wanted={"purpose": "transactional"}, history=history), "sms", noon + two_hours)


@pytest.mark.parametrize(("region", "sectors", "allowed"), [
    ("US-IL", {"health": {"service"}}, [("sms", 160)]),
    ("US-IL", {}, []),
    ("DE-BY", {"health": {"service"}}, []),
])  # fmt: skip
def test_a_text_of_a_health_department_has_160_characters_at_most(proposal, region, sectors, allowed):
    """The length is asked for once a text is written; the rule binds the sector, where the customer is."""
    policy = RulesOfPlace(RulesOfPlaceSettings(sectors=sectors), name="law")
    view = View(State(Profile("ann", region=region)), (), (CENTRAL,), VOCABULARY, {}, {}, region="US-NY")
    found = [(one.medium, one.characters) for one in policy.longest(proposal(span=SPAN), view)]
    assert found == allowed


def test_every_row_says_when_it_was_looked_up_or_that_it_was_not():
    """No row claims a day on which nobody looked."""
    assert all((row.verified_on is None) == (row.confidence == "memory") for row in shipped_rows())


def test_what_does_not_solicit_is_free(asked, may):
    """An appointment's reminder and a warning go at any hour, as far as these rules go."""
    for purpose in ("transactional", "safety", "legal"):
        assert may(asked(region="US-RI", wanted={"purpose": purpose}), "sms", local("2026-06-15 23:00", EASTERN))


def test_a_phone_of_another_state_counts_like_the_region(asked, may):
    """Somebody in Illinois with a number of Connecticut is in both: nothing before nine in the East, nor in Chicago."""
    verdict = asked(region="US-IL", contacts=(phone("+18605550142"),))
    assert not may(verdict, "sms", local("2026-06-15 07:30", CENTRAL))  # 08:30 in Connecticut
    assert may(verdict, "sms", local("2026-06-15 08:05", CENTRAL))
    assert not may(verdict, "sms", local("2026-06-15 19:30", CENTRAL))  # 20:30 in Connecticut
    assert may(asked(region="US-IL"), "sms", local("2026-06-15 19:30", CENTRAL))


def test_an_unknown_state_is_every_state(asked, may):
    """Of whom only the country is known, what all states allow by all their clocks is allowed, and nothing else."""
    verdict = asked(region="US")
    monday = date(2026, 6, 15)
    allowed = [hour for hour in range(24) if may(verdict, "sms", local(f"{monday} {hour:02}:30", EASTERN))]
    assert allowed  # the morning begins last in Hawaii, and the day ends first in Rhode Island
    assert max(allowed) <= 17
    assert all(may(asked(region=state), "sms", local(f"{monday} {hour:02}:30", EASTERN))
               for state in ("US-RI", "US-CT", "US-TX", "US-FL", "US-IL", "US-HI") for hour in allowed)  # fmt: skip
    assert "more" in verdict.detail


def test_of_whom_nothing_is_known_the_deployments_place_counts(asked, may):
    """No region, no address, no number: the deployment's region; where that is unknown too, every rule there is."""
    half_past_eight = local("2026-06-15 08:30", EASTERN)
    assert not may(asked(home="US-CT"), "sms", half_past_eight)
    assert may(asked(home="US-NY"), "sms", half_past_eight)
    assert not may(asked(home=""), "email")
    assert may(asked(home="US-NY"), "email")


def test_a_stated_zone_of_the_place_is_the_only_clock(asked, may):
    """Florida has two clocks; who has stated theirs goes by that one."""
    early = local("2026-06-15 08:30", EASTERN)  # 07:30 in Pensacola
    assert not may(asked(region="US-FL"), "sms", early)
    assert may(asked(region="US-FL", timezone="America/New_York"), "sms", early)


def test_a_rule_counts_from_the_day_on_which_it_came_into_force(asked, may):
    """In Texas a Sunday morning was free, as far as hours of the country went, until September 2025."""
    verdict = asked(region="US-TX", timezone="America/Chicago")
    assert may(verdict, "sms", local("2025-08-31 09:00", CENTRAL))  # a Sunday
    assert not may(verdict, "sms", local("2025-09-07 09:00", CENTRAL))  # the first Sunday after it


def test_rows_of_ones_own_are_added_and_one_of_the_same_id_takes_the_place(asked, may, tmp_path):
    """The deployment's file tightens or replaces, and a rule may end."""
    own = ROW.format(id="il-nothing", place="US-IL", ask="hours: {}\n  effective_to: 2026-06-15")
    own += ROW.format(id="us-ct-hours", place="US-CT", ask='hours: {mon-sun: ["10:00-12:00"]}')
    (tmp_path / "places.yaml").write_text(own)
    there = {"folder": tmp_path, "settings": {"path": "places.yaml"}}
    illinois = asked(region="US-IL", **there)
    assert not may(illinois, "sms", local("2026-06-15 12:00", CENTRAL))
    assert may(illinois, "sms", local("2026-06-16 12:00", CENTRAL))
    connecticut = asked(region="US-CT", **there)
    assert not may(connecticut, "sms", local("2026-06-15 09:05", EASTERN))
    assert may(connecticut, "sms", local("2026-06-15 10:05", EASTERN))


def test_a_missing_file_is_named(asked):
    """A path that leads nowhere stops the start-up."""
    with pytest.raises(CommschedError, match=r"there is no file nowhere\.yaml"):
        asked(settings={"path": "nowhere.yaml"})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id: x", "must be a list"),
        ("- [", "no YAML"),
        ("- a", r"row 1 \(no id\)"),
        (ROW.format(id="x", place="US-IL", ask="hours: {mon: [9-5]}"), r"row 1 \(x\): hours: '9-5' is not a range"),
        (ROW.format(id="x", place="UK", ask="consent: given"), "GB for the United Kingdom"),
        (ROW.format(id="x", place="[NO]", ask="consent: given"), 'write "NO"'),
        (ROW.format(id="x", place="US", ask="note: none"), "note: Extra inputs"),
        (ROW.format(id="x", place="US", ask="sector: health"), "a row asks for hours"),
        (ROW.format(id="x", place="US", ask="handled: yes it is\n  consent: given"), "a row asks for hours"),
        (
            ROW.format(
                id="x", place="US", ask="consent: given\n  effective_from: 2026-01-02\n  effective_to: 2026-01-01"
            ),
            "effective_to is before",
        ),
        (
            ROW.format(id="x", place="US", ask="consent: given").replace("primary", "memory"),
            "a row that was looked up says when",
        ),
        (2 * ROW.format(id="x", place="US", ask="consent: given"), "the id 'x' stands twice"),
    ],
)
def test_a_row_that_makes_no_sense_is_named_with_what_would_be_right(text, says):
    """File, row and field, in one sentence."""
    with pytest.raises(CommschedError, match=says):
        read_rows(text, "places.yaml")


@pytest.mark.parametrize(
    ("asks", "force"),
    [
        ({"region": "US-IL"}, "could_not"),
        ({"region": "GB"}, None),
        ({"region": "US-FL", "history": True}, None),
    ],
)
def test_hours_are_no_veto_and_a_consent_and_a_number_are(asked, placed, noon, asks, force):
    """To wait for a legal hour is a *could not*; a missing consent and a number that is used up are vetoes."""
    if asks.pop("history", None):
        asks["history"] = [placed(noon + timedelta(hours=n), topic="trade_in", purpose="sales") for n in range(3)]
        asks["history"] = [replace(one, medium="sms") for one in asks["history"]]
    verdict = asked(**asks)
    forces = [one.force for one in (verdict, *verdict.also)]
    assert force in forces
    assert RulesOfPlace.code.force == "must_not"


def test_a_place_without_any_hour_is_a_veto(asked, tmp_path):
    """A rule that opens no hour of the week forbids; nothing waits for it, and nobody telephones instead."""
    (tmp_path / "places.yaml").write_text(ROW.format(id="il-nothing", place="US-IL", ask="hours: {}"))
    verdict = asked(region="US-IL", folder=tmp_path, settings={"path": "places.yaml"})
    answers = {one.detail: one.force for one in (verdict, *verdict.also)}
    assert {force for words, force in answers.items() if "il-nothing" in words} == {None}
