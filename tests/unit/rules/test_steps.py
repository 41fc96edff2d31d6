"""The steps of a rule: defaults, what needs what, and times that can come in their order."""

from __future__ import annotations

import pytest

from commsched.rules.rule import Fallback

HEAD = """rule: r
why: Because.
purpose: service
topic: oil
department: service
trigger: {trigger}
steps:
"""
DUE = "{service_due: [oil_change]}"
EXAM = "{appointment: {service: exam}}"


def rule(steps, trigger=DUE):
    lines = "".join(f"  - {step}\n" for step in steps)
    return HEAD.format(trigger=trigger) + lines


def step(**keys):
    values = {"step": "one", "at": "due", "deadline": "due + 1d", "template": "t"} | keys
    shown = (f"{name}: {value}" for name, value in values.items() if value is not None)
    return "{" + ", ".join(shown) + "}"


def prep(**keys):
    call = {"prep": "diet", "at": "prep - 2d", "deadline": None, "too_late": "{task: call}"}
    return step(**(call | keys))


@pytest.mark.parametrize(
    ("trigger", "keys", "late"),
    [
        (DUE, {}, "send"),
        (DUE, {"late": "skip"}, "skip"),
        (EXAM, {"at": "start - 1d", "deadline": "start"}, "skip"),
        (EXAM, {"at": "start - 1d", "deadline": "start", "late": "send"}, "send"),
    ],
)
def test_being_late_is_skipped_for_appointments(load, trigger, keys, late):
    """An appointment's step whose time was past already is skipped unless it says otherwise; others are sent."""
    assert load(rule([step(**keys)], trigger)).steps[0].late == late


def test_a_preparation_is_told_however_late(load):
    """A step with `prep` takes its deadline from the service, always sends, and says what comes when it is too late."""
    (found,) = load(
        rule([prep(covers="[drink]", on_veto="{task: '{{ reason }}'}", not_before="prep - 7d")], EXAM)
    ).steps
    assert (found.prep, found.covers, found.late, found.deadline) == ("diet", ("drink",), "send", None)
    assert found.at.anchors == {"prep"}
    assert (found.too_late, found.on_veto) == (Fallback(task="call"), Fallback(task="{{ reason }}"))


def test_a_preparation_of_any_service_will_do(load):
    """Where the trigger names no service, a preparation of any service can be meant."""
    assert load(rule([prep(too_late="{template: late}")], "{appointment: {}}")).steps[0].too_late == Fallback(
        template="late"
    )


def test_steps_may_follow_each_other(load):
    """`after` names another step, which may stand below."""
    steps = [step(step="a", after="b"), step(step="b", after="c"), step(step="c")]
    assert [found.after for found in load(rule(steps)).steps] == ["b", "c", None]


@pytest.mark.parametrize(
    ("steps", "trigger", "said"),
    [
        ([step(), step()], DUE, ["9: The step 'one' stands twice."]),
        ([step(template=None)], DUE, ["8: The step 'one' needs exactly one of `template` and `task`."]),
        ([step(task="x")], DUE, ["8: The step 'one' needs exactly one of `template` and `task`."]),
        ([step(deadline=None)], DUE, ["8: The step 'one' needs a `deadline`: until when is it still worth saying?"]),
        ([step(at=None)], DUE, ["8: The key `at` is missing."]),
        ([step(att="due")], DUE, ["8: There is no key 'att' here; did you mean 'at'?"]),
        (
            [step(at="due - 1x")],
            DUE,
            ["8: `at`: Column 7 of 'due - 1x': '1x' is not a duration; write 90m, 72h, 14d, 2w, 3mo, 1y or 2bd."],
        ),
        ([step(media="[emial]")], DUE, ["8: There is no medium 'emial'; did you mean 'email'?"]),
        ([step(media="[sms, sms]")], DUE, ["8: The medium 'sms' stands twice."]),
        ([step(media="[]")], DUE, ["8: `media` is empty; leave it out for the usual ones."]),
        (
            [step(task="x", template=None, media="sms")],
            DUE,
            ["8: A task goes to a person, not over media; leave `media` out."],
        ),
        (
            [step(uncertain="{template: u}", at="start", deadline="end")],
            EXAM,
            ["8: `uncertain` belongs to a message of the trigger service_due: only that is forecast."],
        ),
        ([step(late="never")], DUE, ["8: `late` is 'never'; write skip or send."]),
        (
            [step(unless="mood")],
            DUE,
            [
                (
                    "8: `unless`: the answer must be true or false, but this gives string; compare it with"
                    ' something, as in mood == "fine".'
                )
            ],
        ),
        ([step(unless="\"'two' in sent\"")], DUE, ["8: `unless`: sent is never 'two'; it can be 'one'."]),
        (
            [step(too_late="{task: x}")],
            DUE,
            ["8: `too_late` belongs to a step with `prep`; write `otherwise` for the rule."],
        ),
        (
            [step(on_veto="{task: x}")],
            DUE,
            ["8: `on_veto` belongs to a step with `prep`; any other veto must not turn into a phone call."],
        ),
        (
            [step(prep="diet", too_late="{task: x}")],
            DUE,
            ["8: `prep` belongs to the trigger appointment: only appointments are prepared for."],
        ),
        (
            [step(covers="[diet]")],
            DUE,
            ["8: `covers` belongs to the trigger appointment: only appointments are prepared for."],
        ),
        (
            [prep(too_late=None)],
            EXAM,
            ["8: The step 'one' needs `too_late`, such as {task: ...}: who acts when no time is left?"],
        ),
        (
            [step(at="start - 9d", deadline="start"), prep(step="two", after="one")],
            EXAM,
            ["9: A preparation waits for no other message, which may never go; leave `after` out."],
        ),
        ([prep(late="skip")], EXAM, ["8: A preparation is told however late it became known; leave `late` out."]),
        ([prep(prep="dit")], EXAM, ["8: There is no prep step 'dit'; did you mean 'diet'?"]),
        ([prep(covers="[drnk]")], EXAM, ["8: There is no prep step 'drnk'; did you mean 'drink'?"]),
        ([prep()], "{appointment: {service: oil_change}}", ["8: There is no prep step 'diet' (none is declared)."]),
        (
            [prep(too_late="{offer_slots: true}")],
            EXAM,
            ["8: `offer_slots` needs a trigger that names services with a calendar: there are no times without one."],
        ),
        (
            [prep(too_late="{}")],
            EXAM,
            ["8: `too_late` needs exactly one of `task`, `template` and `offer_slots: true`."],
        ),
        (
            [prep(on_veto="{template: x}")],
            EXAM,
            ["8: The key `task` is missing.", "8: There is no key 'template' here; the keys are task."],
        ),
        ([step(after="two")], DUE, ["8: There is no step 'two' (declared are one)."]),
        ([step(after="one")], DUE, ["8: The steps wait for each other: one after one."]),
        (
            [step(step="a", after="b"), step(step="b", after="c"), step(step="c", after="a")],
            DUE,
            [
                "8: The steps wait for each other: a after b after c after a.",
                "9: The steps wait for each other: b after c after a after b.",
                "10: The steps wait for each other: c after a after b after c.",
            ],
        ),
        ([step(step="a", after="b"), step(step="b", after="b")], DUE, ["9: The steps wait for each other: b after b."]),
        ([], DUE, ["7: `steps` must be a list, such as [a, b], but is empty."]),
    ],
)
def test_a_wrong_step_is_told_in_words(wrong, steps, trigger, said):
    """Each slip is on the step's line and says what would be right."""
    assert [line.removeprefix("r.yaml:") for line in wrong(rule(steps, trigger))] == said


def test_no_steps_are_no_rule(wrong):
    """A rule that says nothing is refused."""
    assert wrong(rule([]).replace("steps:", "steps: []")) == ["r.yaml:7: `steps` must not be empty."]


@pytest.mark.parametrize(
    ("keys", "trigger", "said"),
    [
        ({"at": "due + 2d"}, DUE, "The step 'one' can never go: its deadline (due + 1d) is before due + 2d."),
        ({"at": "due + 2d at 10:00", "deadline": "due + 1bd"}, "{event: visit}", None),
        ({"not_before": "due + 3d"}, DUE, "The step 'one' can never go: its deadline is before not_before (due + 3d)."),
        ({"not_before": "due + 1h"}, DUE, "The step 'one' may not go at its ideal time: not_before is after due."),
        ({"at": "due at 23:00", "deadline": "due"}, DUE, None),
        (
            {"at": "due at 23:00", "deadline": "due at 22:00"},
            DUE,
            ("The step 'one' can never go: its deadline (due at 22:00) is before due at 23:00."),
        ),
        # It depends on the hour of the appointment whether this can go.
        ({"at": "start - 1d at 17:00", "deadline": "start - 20h"}, EXAM, None),
        (
            {"at": "start - 1d at 17:00", "deadline": "start - 48h"},
            EXAM,
            ("The step 'one' can never go: its deadline (start - 48h) is before start - 1d at 17:00."),
        ),
        # It depends on the weekday.
        ({"at": "due + 3d", "deadline": "due + 2bd"}, DUE, None),
        (
            {"at": "due + 5d", "deadline": "due + 2bd"},
            DUE,
            ("The step 'one' can never go: its deadline (due + 2bd) is before due + 5d."),
        ),
        # It depends on the month.
        ({"at": "due + 31d", "deadline": "due + 1mo"}, DUE, None),
        (
            {"at": "due + 32d", "deadline": "due + 1mo"},
            DUE,
            "The step 'one' can never go: its deadline (due + 1mo) is before due + 32d.",
        ),
        # Nobody knows how two anchors lie to each other.
        ({"at": "booked + 10d", "deadline": "start - 1h"}, EXAM, None),
        ({"at": "last + 10d", "deadline": "due"}, DUE, None),
        (
            {"at": "last + 10d", "deadline": "last"},
            DUE,
            "The step 'one' can never go: its deadline (last) is before last + 10d.",
        ),
    ],
)
def test_times_must_be_able_to_come_in_their_order(load, wrong, keys, trigger, said):
    """A step that could never go is refused; one that sometimes can is not."""
    text = rule([step(**keys)], trigger)
    if "event" in trigger:
        text = text.replace("due", "event")
    if said is None:
        assert load(text).steps[0].name == "one"
    else:
        assert wrong(text) == [f"r.yaml:8: {said}"]


@pytest.mark.parametrize(
    ("at", "good"),
    [
        ("prep - 2d", True),
        ("prep - 24h", True),
        ("prep - 23h", False),
        ("start - 4d", True),
        ("start - 3d", False),
        ("start - 4d at 18:00", True),
        ("booked", True),
    ],
)
def test_a_preparation_must_be_told_in_time(load, wrong, at, good):
    """The ideal time of a preparation's step lies before the preparation's beginning less its notice."""
    if good:
        assert load(rule([prep(at=at)], EXAM)).steps[0].at.text == at
    else:
        said = (
            "r.yaml:8: The step 'one' can never go at its ideal time: 'diet' begins at start - 72h, which must be told"
            f" 24 hours before, but `at` is {at}."
        )
        assert wrong(rule([prep(at=at)], EXAM)) == [said]


def test_moved_and_cancelled_hang_on_the_change(load):
    """The corrections of an appointment rule are timed from the change."""
    steps = [step(step=name, at="changed", deadline="changed + 1d") for name in ("moved", "cancelled")]
    assert [found.at.anchors for found in load(rule(steps, EXAM)).steps] == [{"changed"}, {"changed"}]
