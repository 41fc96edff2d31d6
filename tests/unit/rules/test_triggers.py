"""The trigger of a rule: every form, its anchors, its names, and how it is refused."""

from __future__ import annotations

import pytest

RULE = """rule: r
why: Because.
purpose: service
topic: oil
department: service
trigger: {}
steps:
  - step: one
    at: {}
    deadline: {}
    template: t
"""


def rule(trigger, anchor):
    return RULE.format(trigger, anchor, f"{anchor} + 1d")


@pytest.mark.parametrize(
    ("trigger", "anchor", "kind", "names", "values"),
    [
        ("{service_due: [oil_change, exam]}", "due", "service_due", ("oil_change", "exam"), ()),
        ("{service_due: oil_change}", "last", "service_due", ("oil_change",), ()),
        (
            "{service_record: {service: exam, outcome: [done, advised]}}",
            "event",
            "service_record",
            ("exam",),
            ("done", "advised"),
        ),
        ("{service_record: {}}", "event", "service_record", (), ()),
        ("{service_record: }", "event", "service_record", (), ()),
        ("{appointment: {service: [exam], status: booked}}", "start", "appointment", ("exam",), ("booked",)),
        ("{appointment: {}}", "end", "appointment", (), ()),
        ("{appointment: {status: [cancelled]}}", "changed", "appointment", (), ("cancelled",)),
        ("{appointment: {}}", "booked", "appointment", (), ()),
        ("{obligation: lease_end}", "due", "obligation", ("lease_end",), ()),
        ("{event: purchase}", "event", "event", ("purchase",), ()),
        ("{feedback: {mood: [annoyed, trapped]}}", "event", "feedback", (), ("annoyed", "trapped")),
        ("{feedback: {}}", "event", "feedback", (), ()),
        ("{case: {status: closed}}", "closed", "case", (), ("closed",)),
        ("{case: {}}", "opened", "case", (), ()),
        ("{commitment: {kept: false}}", "due", "commitment", (), ("false",)),
        ("{commitment: {kept: true}}", "due", "commitment", (), ("true",)),
        ("{commitment: {}}", "due", "commitment", (), ()),
        ("{hold: {}}", "until", "hold", (), ()),
        ("{hold: {purpose: collections}}", "until", "hold", (), ("collections",)),
        ("{offer: exam}", "expires", "offer", ("exam",), ()),
        ('{season: {from: "10-01", to: "11-30"}}', "opens", "season", (), ()),
        ('{schedule: "0 9 1 3 *"}', "event", "schedule", (), ()),
    ],
)
def test_every_trigger_has_its_form_and_anchors(load, trigger, anchor, kind, names, values):
    """A trigger is what it says, and the rule's times may hang on its anchors."""
    found = load(rule(trigger, anchor)).trigger
    assert (found.kind, found.names, found.values) == (kind, names, values)


def test_a_season_has_days_and_regions(load):
    """The days of a season are months and days, its regions a list or one."""
    trigger = load(rule("{season: {from: 11-15, to: 02-28, regions: US-IL}}", "closes")).trigger
    assert (trigger.season, trigger.regions) == (((11, 15), (2, 28)), ("US-IL",))


def test_a_schedule_may_choose_its_customers(load):
    """`where` is an expression over the customer; the spaces of the cron line do not matter."""
    loaded = load(rule('{schedule: "0  9 1 3 *", where: facts.shares_mileage}', "event"))
    assert loaded.trigger.cron == "0 9 1 3 *"
    assert loaded.trigger.where is not None
    assert loaded.trigger.where.holds({"facts.shares_mileage": True}) is True
    assert loaded.reads == {"facts.shares_mileage"}


TRIGGERS = (
    "service_due, service_record, appointment, obligation, event, feedback, reply, case, commitment, hold, offer, "
    "season, schedule"
)


@pytest.mark.parametrize(
    ("trigger", "said"),
    [
        ("{}", f"A rule has exactly one trigger ({TRIGGERS}), but this has none."),
        (
            "{event: purchase, obligation: x}",
            f"A rule has exactly one trigger ({TRIGGERS}), but this has event, obligation.",
        ),
        ("{evnt: purchase}", "There is no key 'evnt' here; did you mean 'event'?"),
        ("event", "`trigger` must have keys of its own (`key: value`), but is 'event'."),
        ("{offer: []}", "`offer` names no service; write [oil_change]."),
        ("{offer: exm}", "There is no service 'exm'; did you mean 'exam'?"),
        ("{event: purchase, where: booked}", "`where` belongs to the trigger schedule; write `when` beside `trigger`."),
        ("{service_due: []}", "`service_due` names no service; write [oil_change]."),
        ("{service_due: [oil_chnge]}", "There is no service 'oil_chnge'; did you mean 'oil_change'?"),
        ("{service_record: {service: wash}}", "There is no service 'wash' (declared are exam, oil_change)."),
        (
            "{service_record: {outcome: [don]}}",
            "`outcome` is 'don'; write done, declined, done_elsewhere or advised; did you mean 'done'?",
        ),
        ("{appointment: {service: [wash]}}", "There is no service 'wash' (declared are exam, oil_change)."),
        (
            "{appointment: {status: boked}}",
            (
                "`status` is 'boked'; write proposed, booked, confirmed, cancelled, completed or no_show;"
                " did you mean 'booked'?"
            ),
        ),
        ("{event: purchse}", "There is no event kind 'purchse'; did you mean 'purchase'?"),
        ("{obligation: [a]}", "`obligation` must be a text, but is ['a']."),
        ("{feedback: {mood: angry}}", "`mood` is 'angry'; write delighted, fine, annoyed or trapped."),
        ("{case: {status: shut}}", "`status` is 'shut'; write open or closed."),
        ("{commitment: {kept: no}}", "`kept` must be true or false, but is 'no'."),
        ("{season: }", '`season` needs its days; write {from: "10-01", to: "11-30"}.'),
        ("{season: {from: 10-01}}", "The key `to` is missing."),
        (
            "{season: {from: 02-29, to: 03-31}}",
            ("`from`: '02-29' is not a day that every year has; write month and day, such as 10-01."),
        ),
        (
            "{season: {from: 13-01, to: 03-31}}",
            ("`from`: '13-01' is not a day that every year has; write month and day, such as 10-01."),
        ),
        (
            "{season: {from: '2026-10-01', to: 03-31}}",
            "`from`: '2026-10-01' has a year; write month and day, such as 10-01.",
        ),
        (
            "{season: {from: 10-01, to: 11-30, regions: [Illinois]}}",
            ("`regions`: 'Illinois' is not a country or region of ISO 3166, such as US or US-IL."),
        ),
        (
            '{schedule: "@daily"}',
            ("`schedule`: '@daily' must have five fields (minute, hour, day, month, weekday), such as 0 9 1 3 *."),
        ),
        (
            '{schedule: "*/5 9 * * *"}',
            (
                "`schedule`: '*/5 9 * * *' fires more often than once a day; minute and hour must each be"
                " one number, such as 0 9."
            ),
        ),
        (
            '{schedule: "0 9,17 * * *"}',
            (
                "`schedule`: '0 9,17 * * *' fires more often than once a day; minute and hour must each"
                " be one number, such as 0 9."
            ),
        ),
        (
            '{schedule: "0 9 * * *", where: asset.in_use}',
            (
                "`where`: column 1: there is no 'asset.in_use' here (known are booked,"
                " customer.id, customer.kind, customer.locale, customer.name, customer.region,"
                " customer.roles, customer.status,"
                " facts.loyalty_tier, facts.shares_mileage, mood, replied, sent, served)."
            ),
        ),
    ],
)
def test_a_wrong_trigger_is_told_in_words(wrong, trigger, said):
    """Each slip is on the trigger's line and says what would be right."""
    assert [line for line in wrong(rule(trigger, "event")) if line.startswith("r.yaml:6:")] == [f"r.yaml:6: {said}"]


@pytest.mark.parametrize("cron", ["0 9 31 2 *", "0 9 40 1 *", "61 9 1 1 *", "0 9 1 1 8x"])
def test_a_schedule_that_never_comes_is_refused(wrong, cron):
    """A cron line that no date fulfils is a slip."""
    (said,) = wrong(rule(f'{{schedule: "{cron}"}}', "event"))
    assert said.startswith(f"r.yaml:6: `schedule`: {cron!r} is no schedule that ever comes (")


@pytest.mark.parametrize(
    ("trigger", "anchor", "allowed"),
    [
        ("{service_due: [exam]}", "start", "due, last"),
        ("{appointment: {}}", "prep", "start, end, booked, changed"),
        ("{case: {status: open}}", "closed", "opened"),
        ('{schedule: "0 9 1 3 *"}', "due", "event"),
    ],
)
def test_other_anchors_are_refused(wrong, trigger, anchor, allowed):
    """A time hangs on the anchors of its own trigger only; an open case is not closed yet."""
    said = wrong(rule(trigger, anchor))
    assert [line.rpartition(" (")[2] for line in said] == [f"one of: {allowed})."] * 2


def test_an_event_has_the_data_of_its_kind(load, wrong):
    """The fields of this kind of event are known, those of another are not."""
    assert load(rule("{event: visit}", "event") + "when: event.nights > 2\n").reads == {"event.nights"}
    (said,) = wrong(rule("{event: purchase}", "event") + "when: event.nights > 2\n")
    assert said.startswith("r.yaml:12: `when`: column 1: there is no 'event.nights' here (known are event.amount,")
