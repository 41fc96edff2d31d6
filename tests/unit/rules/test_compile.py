"""A rule file becomes a rule, or a list of all that is wrong with it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from commsched.rules.rule import Bundle, Fallback, Recipient, Repeat

RULE = """rule: r
why: "{{ asset.model }} is due."
purpose: service
topic: oil
department: service
trigger: {service_due: [oil_change]}
steps:
  - step: invite
    at: due - 21d at 10:00
    deadline: due + 30d
    template: oil-change
"""
FULL = """rule: r
why: "{{ asset.model }} is due on {{ due.date }}."
purpose: sales
topic: trade_in
department: sales
trigger: {service_due: oil_change}
when: asset.in_use && mood != "trapped"
steps:
  - step: invite
    at: due - 21d at 10:00
    not_before: due - 35d
    deadline: due + 30d
    template: oil-change
    media: [preferred, sms]
    uncertain: {template: ask-mileage}
  - step: second
    after: invite
    at: due + 7d at 10:00
    deadline: due + 45d
    unless: '"invite" in replied'
    template: overdue
    late: skip
  - step: call
    at: due + 50d
    task: "Call {{ customer.name }}."
stop_when: booked || served
otherwise: {task: "{{ customer.name }} can't be reached: {{ reason }}"}
bundle: {within: 30d, template: several}
merge: 1h
to: {role: buyer, at_most: 2}
offers: [next-car]
priority: 2
repeat: {every: 90d, at_most: 8}
pace: 200/day
catch_up: {per_day: 50}
since: 2026-01-01
reference: "X-1"
was: [old, older]
"""


def changed(old, new, text=RULE):
    assert old in text
    return text.replace(old, new)


def test_every_key_reaches_the_rule(load):
    """All that a rule file can say is in the rule, compiled."""
    rule = load(FULL)
    assert (rule.name, rule.purpose, rule.topic, rule.department, rule.file) == (
        "r",
        "sales",
        "trade_in",
        "sales",
        "r.yaml",
    )
    assert (rule.trigger.kind, rule.trigger.names) == ("service_due", ("oil_change",))
    assert rule.when is not None
    assert rule.when.names == {"asset.in_use", "mood"}
    assert rule.stop_when is not None
    assert rule.otherwise == Fallback(task="{{ customer.name }} can't be reached: {{ reason }}")
    assert rule.bundle == Bundle(timedelta(days=30), "several")
    assert (rule.merge, rule.to, rule.offers) == (timedelta(hours=1), Recipient("buyer", 2), ("next-car",))
    assert (rule.priority, rule.repeat, rule.pace, rule.catch_up) == (2, Repeat("90d", 8), 200, 50)
    assert (rule.since, rule.reference, rule.was) == (date(2026, 1, 1), "X-1", ("old", "older"))
    assert rule.reads == {"asset.in_use", "asset.model", "mood", "replied", "booked", "served", "customer.name"}
    invite, second, call = rule.steps
    assert (invite.media, invite.uncertain, invite.late) == (("preferred", "sms"), "ask-mileage", "send")
    assert (second.after, second.late, second.not_before, second.media) == (
        "invite",
        "skip",
        None,
        ("preferred", "email", "sms"),
    )
    assert (call.task, call.template, call.deadline) == ("Call {{ customer.name }}.", None, None)
    assert rule.step("second") is second


def test_what_is_not_said_has_its_default(load):
    """The priority is the purpose's, six hours merge, nothing else is assumed."""
    rule = load(RULE)
    assert (rule.priority, rule.merge, rule.to, rule.pace, rule.since) == (5, timedelta(hours=6), None, None, None)
    assert (rule.when, rule.stop_when, rule.otherwise, rule.bundle, rule.repeat, rule.was) == (
        None,
        None,
        None,
        None,
        None,
        (),
    )


def test_a_guardian_can_be_addressed(load):
    """`to: guardian` is nobody's role."""
    assert load(RULE + "to: guardian\n").to == Recipient(guardian=True)


def test_the_digest_is_that_of_what_is_said(load):
    """Comments and layout leave the digest alone; another word changes it."""
    digest = load(RULE).digest
    assert load("# a comment\n" + changed("[oil_change]", "[ oil_change ]")).digest == digest
    assert load(changed("is due", "is now due")).digest != digest


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rule: r\n", "", ["1: The key `rule` is missing."]),
        (
            "rule: r",
            "rule: two words",
            [
                (
                    "1: `rule`: 'two words' is not a name; use letters, digits, - _ and . and begin with a"
                    " letter or a digit."
                )
            ],
        ),
        ("rule: r", "rule: 7", ["1: `rule` must be a text, but is 7; put it in quotes."]),
        ('why: "{{ asset.model }} is due."\n', "", ["1: The key `why` is missing."]),
        ('why: "{{ asset.model }} is due."', "why: '  '", ["2: `why`: must not be empty."]),
        ('why: "{{ asset.model }} is due."', "why:", ["2: `why` must be a text, but is empty."]),
        ("{{ asset.model }}", "{{ asset.model }", ["2: `why`: unexpected '}'"]),
        (
            "{{ asset.model }}",
            "{{ asset.modle }}",
            ["2: `why`: there is no 'asset.modle' here; did you mean 'asset.model'?"],
        ),
        (
            "{{ asset.model }}",
            "{{ facts.tier }}",
            ["2: `why`: there is no 'facts.tier' here; did you mean 'facts.loyalty_tier'?"],
        ),
        ("{{ asset.model }}", "{{ customr.name }}", ["2: `why`: there is no 'customr' here; did you mean 'customer'?"]),
        ("purpose: service", "purpose: sevrice", ["3: There is no purpose 'sevrice'; did you mean 'service'?"]),
        (
            "topic: oil",
            "topic: gas",
            [
                (
                    "4: There is no topic 'gas' (declared are appointment, brakes, maintenance, oil, safety,"
                    " sales, trade_in)."
                )
            ],
        ),
        ("department: service", "department: servce", ["5: There is no department 'servce'; did you mean 'service'?"]),
        (
            "purpose: service",
            "purpose: safety",
            ["3: A rule of purpose safety needs `reference`: the number of the recall or notice that it stands for."],
        ),
        (
            "steps:",
            "stepps:",
            ["1: The key `steps` is missing.", "7: There is no key 'stepps' here; did you mean 'steps'?"],
        ),
        (
            "steps:",
            "when: asset.inuse\nsteps:",
            ["7: `when`: column 1: there is no 'asset.inuse' here; did you mean 'asset.in_use'?"],
        ),
        (
            "steps:",
            "when: asset.value > 3\nsteps:",
            ["7: `when`: column 13: '>' cannot take a number and a whole number; write 3.0."],
        ),
        ("steps:", "when: true\nsteps:", ["7: `when` must be a text, but is True; put it in quotes."]),
        ("steps:", 'when: asset.kind == "cra"\nsteps:', ["7: `when`: asset.kind is never 'cra'; did you mean 'car'?"]),
        (
            "steps:",
            'stop_when: mood in ["angry"]\nsteps:',
            ["7: `stop_when`: mood is never 'angry'; it can be '', 'annoyed', 'delighted', 'fine', 'trapped'."],
        ),
        (
            "steps:",
            "stop_when: \"'invit' in replied\"\nsteps:",
            ["7: `stop_when`: replied is never 'invit'; did you mean 'invite'?"],
        ),
        (
            "steps:",
            "when: \"'byer' in customer.roles\"\nsteps:",
            ["7: `when`: customer.roles is never 'byer'; did you mean 'buyer'?"],
        ),
        (
            "steps:",
            "when: \"'oil' == service\"\nsteps:",
            ["7: `when`: service is never 'oil'; it can be 'exam', 'oil_change'."],
        ),
        (
            "steps:",
            "otherwise: {task: a, template: b}\nsteps:",
            ["7: `otherwise` needs exactly one of `task`, `template` and `offer_slots: true`."],
        ),
        (
            "steps:",
            "otherwise: {}\nsteps:",
            ["7: `otherwise` needs exactly one of `task`, `template` and `offer_slots: true`."],
        ),
        (
            "steps:",
            "otherwise: call them\nsteps:",
            ["7: `otherwise` must have keys of its own (`key: value`), but is 'call them'."],
        ),
        (
            "steps:",
            "bundle: {within: 1mo, template: t}\nsteps:",
            ["7: `within`: '1mo' has no fixed length; write it in days or hours."],
        ),
        ("steps:", "bundle: {within: 0h, template: t}\nsteps:", ["7: `within` must be longer than nothing."]),
        (
            "steps:",
            "merge: soon\nsteps:",
            ["7: `merge`: 'soon' is not a duration; write 90m, 72h, 14d, 2w, 3mo, 10y or 2bd."],
        ),
        ("steps:", "to: {role: byer}\nsteps:", ["7: There is no role 'byer'; did you mean 'buyer'?"]),
        (
            "steps:",
            "to: {rol: buyer}\nsteps:",
            ["7: The key `role` is missing.", "7: There is no key 'rol' here; did you mean 'role'?"],
        ),
        ("steps:", "to: buyer\nsteps:", ["7: `to`: 'buyer' is nobody; write guardian, or {role: buyer, at_most: 1}."]),
        ("steps:", "offers: [next_car]\nsteps:", ["7: There is no item 'next_car'; did you mean 'next-car'?"]),
        ("steps:", "priority: 10\nsteps:", ["7: `priority` must be at most 9, but is 10."]),
        ("steps:", "repeat: {every: 90d}\nsteps:", ["7: The key `at_most` is missing."]),
        ("steps:", "repeat: {every: 0d, at_most: 2}\nsteps:", ["7: `every`: '0d' is no time at all."]),
        (
            "steps:",
            "pace: free_slots\nsteps:",
            ["7: `pace: free_slots` needs a trigger that names services with a calendar: nothing else can be full."],
        ),
        ("steps:", "pace: 200\nsteps:", ["7: `pace` must be a text, but is 200; put it in quotes."]),
        (
            "steps:",
            "pace: 200/week\nsteps:",
            ["7: `pace`: '200/week' is not a pace; write a number for a day, such as 200/day, or free_slots."],
        ),
        ("steps:", "catch_up: {per_day: 0}\nsteps:", ["7: `per_day` must be at least 1, but is 0."]),
        ("steps:", "since: last year\nsteps:", ["7: `since` must be a date such as 2026-10-01, but is 'last year'."]),
        ("steps:", "reference: 12345\nsteps:", ["7: `reference` must be a text, but is 12345; put it in quotes."]),
        ("steps:", "was: r\nsteps:", ["7: `was` names 'r', which the rule is still called; leave it out."]),
    ],
)
def test_a_wrong_rule_is_told_in_words(wrong, old, new, said):
    """Each slip has its line and what would be right."""
    assert [line.removeprefix("r.yaml:") for line in wrong(changed(old, new))] == said


def test_all_that_is_wrong_is_told_at_once(wrong):
    """An operator mends a file in one go."""
    text = changed("topic: oil", "topic: oyl")
    text = changed("deadline: due + 30d", "deadline: dew + 30d", text) + "when: asset.inuse\nstop_when: mood ==\n"
    assert wrong(text) == [
        "r.yaml:4: There is no topic 'oyl'; did you mean 'oil'?",
        (
            "r.yaml:10: `deadline`: Column 1 of 'dew + 30d': 'dew' is not known here; did you mean"
            " 'due'? (one of: due, last)."
        ),
        "r.yaml:12: `when`: column 1: there is no 'asset.inuse' here; did you mean 'asset.in_use'?",
        "r.yaml:13: `stop_when`: column 8: the expression ends too early.",
    ]


NOT_THEIRS = (
    "`why` of a {} rule must name a fact about this very customer besides who they are, such"
    " as {{{{ asset.model }}}} or"
    " {{{{ facts.NAME }}}}: why should this reader care?"
)


@pytest.mark.parametrize("purpose", ["sales", "marketing"])
@pytest.mark.parametrize(
    "why",
    [
        "Buy now.",
        "{{ customer.name }}, buy now.",
        "{{ department.title }} has offers for {{ customer.name }}, {{ organisation.name }}.",
        "{% set asset = 1 %}{{ asset.model }}",
        "{{ 'asset.model' }}",
        "{# asset.model #} Buy.",
        "{{ mood }}",
    ],
)
def test_sales_must_name_a_fact_of_theirs(wrong, purpose, why):
    """Who sells must say what they know of this reader; a name is not enough."""
    text = changed("purpose: service", f"purpose: {purpose}", changed("{{ asset.model }} is due.", why))
    assert wrong(text) == [f"r.yaml:2: {NOT_THEIRS.format(purpose)}"]


@pytest.mark.parametrize(
    "why",
    [
        "{{ asset.model }}",
        "{{ asset['model'] }}",
        "{{ asset.model | upper }}",
        "{% if asset.fuel == 'diesel' %}x{% endif %}",
        "{% trans m=asset.model %}Your {{ m }}{% endtrans %}",
        "{{ facts.loyalty_tier }}",
        "{{ due.date }}",
        "{{ due }}",
        "{{ last.date }}",
        "{{ service.name }}",
    ],
)
def test_any_fact_of_theirs_will_do(load, why):
    """An attribute, a fact, a date, a service: something that is true of this customer."""
    text = changed('why: "{{ asset.model }} is due."', f'why: "{why}"', changed("purpose: service", "purpose: sales"))
    assert load(text).purpose == "sales"


@pytest.mark.parametrize(
    ("trigger", "anchor"), [('{schedule: "0 9 1 3 *"}', "event"), ('{season: {from: "10-01", to: "11-30"}}', "opens")]
)
def test_a_date_that_holds_for_everybody_is_no_fact_of_theirs(load, wrong, trigger, anchor):
    """The day of a campaign is not a reason to write to this customer."""
    text = changed(
        "{service_due: [oil_change]}", trigger, changed("due - 21d", anchor, changed("due + 30d", f"{anchor} + 1d"))
    )
    text = changed("purpose: service", "purpose: marketing", text)
    assert wrong(changed("{{ asset.model }}", f"{{{{ {anchor}.date }}}}", text)) == [
        f"r.yaml:2: {NOT_THEIRS.format('marketing')}"
    ]
    assert load(changed("{{ asset.model }}", "{{ facts.loyalty_tier }}", text)).purpose == "marketing"


def test_a_text_may_use_names_that_resemble_nothing(load):
    """A global that a plugin brings is not taken for a slip; rendering would tell."""
    assert load(changed("{{ asset.model }}", "{{ xyzzy(asset.model) }}")).reads == {"asset.model"}


def test_reason_is_known_only_in_fallbacks(wrong):
    """There is a reason only when a message could not be."""
    assert wrong(changed("{{ asset.model }}", "{{ reasn }}") + "otherwise: {task: '{{ reasn }}'}\n") == [
        "r.yaml:12: `task`: there is no 'reasn' here; did you mean 'reason'?"
    ]
