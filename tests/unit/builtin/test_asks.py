"""Who is asked for nothing: while we owe them something, after their silence, in their mood, beyond their say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from commsched import Commitment, Consent, Event, Feedback, Intent, ServiceRecord
from commsched.builtin.policies.commitment_overdue import CommitmentOverdue
from commsched.builtin.policies.existing_customer import ExistingCustomer
from commsched.builtin.policies.mood import Mood
from commsched.builtin.policies.open_case import OpenCase
from commsched.builtin.policies.role import Role
from commsched.builtin.policies.silence import Silence
from commsched.builtin.policies.survey_budget import SurveyBudget
from commsched.model.facts import Interaction, Reply, TaskDone
from commsched.model.state import Appointment, Asset, Case, Profile, State

DAY = timedelta(days=1)
TENTH = datetime(2026, 6, 10, tzinfo=UTC)
ANN = Profile("ann", "Ann", organisation="firm")
BOB = Profile("bob", "Bob", organisation="firm", roles=("buyer", "driver"))


def case(status, changed, *, kind="noise", severity=None):
    return Case("K1", kind, status, severity, None, "d1", changed, changed)


def promise(due, *, kept=False):
    return ("P1", Commitment(customer="ann", at=due - DAY, id="P1", what="Call back", owner="Rosa", due=due, kept=kept))


def test_nothing_is_asked_while_a_case_is_open(ask, noon):
    """An open case leaves no time at all after it was opened; the staff read which."""
    verdict = ask(OpenCase, cases={"K1": case("open", noon - 90 * DAY, severity="high")})
    assert not verdict.windows.clip(noon - 30 * DAY, noon + 30 * DAY)
    assert verdict.note == "case K1 of ann (ann), noise, high, has been open since 2026-03-17"


def test_a_closed_case_has_a_cooling_off_time(ask, may, noon):
    """Asking begins again some days after the case was closed, and not before."""
    verdict = ask(OpenCase, {"cooling_off": "3d"}, cases={"K1": case("closed", noon)})
    assert may(verdict, "email", noon - DAY)
    assert not may(verdict, "email", noon + 2 * DAY)
    assert may(verdict, "email", noon + 3 * DAY)


def test_a_colleagues_case_counts_and_stays_between_us(ask, may, noon):
    """The case of one person closes the asks to another of the same organisation, who is not told of it."""
    verdict = ask(OpenCase, profile=ANN, colleagues={"bob": State(BOB, cases={"K1": case("open", noon - DAY)})})
    assert not may(verdict)
    assert "Bob" in verdict.note
    assert "Bob" not in verdict.detail


@pytest.mark.parametrize(
    ("settings", "goes"),
    [({"kinds": ["noise"]}, False), ({"kinds": ["billing"]}, True), ({"severities": ["high"]}, True)],
)
def test_only_the_named_cases_count(ask, may, noon, settings, goes):
    """Kinds and severities narrow which cases weigh enough."""
    assert may(ask(OpenCase, settings, cases={"K1": case("open", noon - DAY, severity="low")})) is goes


def test_a_case_of_which_nobody_knows_since_when(ask, may):
    """A case without a date of its own is open all the same, and can be told of."""
    verdict = ask(OpenCase, cases={"K1": case("open", datetime.min.replace(tzinfo=UTC), kind="")})
    assert not may(verdict)
    assert verdict.note == "case K1 of ann (ann) is open"


@pytest.mark.parametrize(("kept", "goes"), [(True, True), (False, False)])
def test_an_overdue_promise_comes_before_any_question(ask, may, noon, kept, goes):
    """From its due date on, a promise that is not kept stands in the way; a kept one does not."""
    verdict = ask(CommitmentOverdue, commitments=(promise(noon, kept=kept),))
    assert may(verdict, "email", noon - DAY)
    assert may(verdict, "email", noon + DAY) is goes
    assert verdict.note == ("" if kept else "Rosa promised ann (ann) by 2026-06-15: Call back")


def test_a_promise_to_a_colleague_counts_and_one_without_a_date_does_not(ask, may, noon):
    """What is overdue to one person closes the asks to the others; what has no due date is never overdue."""
    assert not may(ask(CommitmentOverdue, profile=ANN, colleagues={"bob": State(BOB, commitments=(promise(noon),))}))
    undated = Commitment(customer="ann", at=noon, id="P2", what="Some day", owner="Rosa")
    assert may(ask(CommitmentOverdue, commitments=(("P2", undated),)))


def felt(mood, at, **fields):
    return (f"f{at}", Feedback(customer="ann", at=at, mood=mood, **fields))


def test_a_mood_stops_what_it_says_and_fades(ask, may, proposal, noon):
    """Trapped stops the asks until it fades; service goes on; the staff read their words."""
    ask_her = proposal(purpose="marketing")
    settings = {"deny": {"trapped": ["marketing"]}, "fades": "10d"}
    said = (felt("trapped", noon - DAY, words="let me go"),)
    verdict = ask(Mood, settings, proposal=ask_her, feedback=said)
    assert not may(verdict)
    assert may(verdict, "email", noon + 9 * DAY)
    assert verdict.note.startswith('on 2026-06-14 they said that they feel trapped ("let me go")')
    assert may(ask(Mood, settings, proposal=proposal(purpose="service"), feedback=said))


def test_the_last_word_counts(ask, may, proposal, noon):
    """Somebody who was annoyed and is fine now is asked again."""
    said = (felt("annoyed", noon - 9 * DAY), felt("fine", noon - DAY))
    assert may(ask(Mood, proposal=proposal(purpose="sales"), feedback=said))
    assert not may(ask(Mood, proposal=proposal(purpose="sales"), feedback=said[:1]))


@pytest.mark.parametrize(
    ("own", "of", "goes"),
    [(True, "sales", True), (True, "service", False), (True, None, False), (False, "sales", False)],
)
def test_a_mood_may_be_about_one_department(ask, may, proposal, noon, own, of, goes):
    """With `own_department`, what was said of another department does not bind this one."""
    said = (felt("trapped", noon - DAY, department=of),)
    asked = proposal(purpose="survey", department="service")
    assert may(ask(Mood, {"own_department": own}, proposal=asked, feedback=said)) is goes


def survey(placed, at, **fields):
    return placed(at, purpose="survey", topic="survey", **fields)


def test_one_survey_in_a_stretch_whoever_asks(ask, may, placed, noon):
    """A survey of another department, sent or planned, takes the place of this one, before and after it."""
    for sent in (True, False):
        verdict = ask(SurveyBudget, {"per": "10d"}, history=[survey(placed, noon, department="sales", sent=sent)])
        assert [may(verdict, "email", noon + days * DAY) for days in (-10, -9, 9, 10)] == [True, False, False, True]
    assert may(ask(SurveyBudget, history=[placed(noon)]))
    assert may(ask(SurveyBudget, {"at_most": 2}, history=[survey(placed, noon)]))


@pytest.mark.parametrize(
    ("facts", "goes"),
    [
        ({"replies": (Reply(at=TENTH, medium="email", key="ann/other/s"),)}, False),
        ({"replies": (Reply(at=TENTH, medium="email", key="ann/oil"),)}, True),
        ({"feedback": (felt("fine", TENTH),)}, False),
        (
            {
                "interactions": (
                    Interaction(
                        at=TENTH, direction="in", medium="voice", purpose="survey", by="Tom",
                        summary="no more questions",
                    ),
                )
            },
            False,
        ),
        (
            {
                "intents": (
                    Intent(at=TENTH, customer="ann", topic="oil", stance="not_before"),
                )
            },
            False,
        ),
        (
            {
                "consents": (
                    Consent(
                        at=TENTH, medium="*", purpose="survey", granted=False, method="link"
                    ),
                )
            },
            False,
        ),
    ],
)  # fmt: skip
def test_an_answer_or_a_refusal_ends_the_asking_for_a_while(ask, may, placed, noon, facts, goes):
    """A reply to a survey, a word on how they feel, an answer by phone, a refusal: for `rests` no survey goes."""
    old = survey(placed, noon - 100 * DAY, key="ann/other/s")
    verdict = ask(SurveyBudget, {"rests": "20d"}, history=[old], **facts)
    assert may(verdict) is goes
    assert may(verdict, "email", datetime(2026, 6, 30, tzinfo=UTC))


def about(placed, at, **fields):
    return placed(at, **{"topic": "oil", "key": f"ann/other/{at}", **fields})


def test_after_so_many_unanswered_contacts_the_topic_ends(ask, may, placed, noon):
    """Two about the topic are enough; one, or two about other topics, or to somebody else at the address, are not."""
    history = [about(placed, noon - 20 * DAY), about(placed, noon - 9 * DAY)]
    verdict = ask(Silence, history=history)
    assert not may(verdict)
    assert verdict.note.endswith("oil on 26 May 2026, oil on 6 Jun 2026")
    assert may(ask(Silence, history=history[:1]))
    assert may(ask(Silence, history=[history[0], about(placed, noon, topic="routine")]))
    assert may(ask(Silence, history=[history[0], about(placed, noon, key="zoe/other/1")]))
    assert may(ask(Silence, {"after": 3}, history=history))


BOOKED = ("oil", None, datetime(2026, 7, 1, tzinfo=UTC), None, "booked")


@pytest.mark.parametrize(
    "fact",
    [
        lambda at: {"replies": (Reply(at=at, medium="email"),)},
        lambda at: {"feedback": (felt("fine", at),)},
        lambda at: {"records": (("r1", ServiceRecord(at=at, service="oil", outcome="declined")),)},
        lambda at: {"events": (("e1", Event(at=at, kind="visit")),)},
        lambda at: {"tasks_done": (TaskDone(at=at, task="t", outcome="reached", by="Tom"),)},
        lambda at: {
            "interactions": (Interaction(at=at, direction="in", medium="voice", by="Tom", summary="she called"),)
        },
        lambda at: {
            "appointments": {"a1": Appointment("a1", *BOOKED, "customer", None, None, "d", at, at, "", at, "")}
        },
    ],
)
def test_the_next_thing_they_do_opens_the_topic_again(ask, may, placed, noon, fact):
    """Any answer after the contacts opens the topic; one before them, or between, changes nothing or starts afresh."""
    history = [about(placed, noon - 20 * DAY), about(placed, noon - 9 * DAY)]
    assert may(ask(Silence, history=history, **fact(noon - 2 * DAY)))
    assert may(ask(Silence, history=history, **fact(noon - 12 * DAY)))
    assert not may(ask(Silence, history=history, **fact(noon - 25 * DAY)))


def test_what_is_no_answer(ask, may, placed, noon):
    """A call of ours, a recall, or an appointment that only we proposed, is no word of theirs."""
    history = [about(placed, noon - 20 * DAY), about(placed, noon - 9 * DAY)]
    ours = Interaction(at=noon - DAY, direction="out", medium="voice", by="Tom", summary="voicemail")
    slot = ("oil", None, noon, None, "proposed", "system", None, None, "d", noon, noon, "", noon, "")
    for facts in (
        {"interactions": (ours,)},
        {"events": (("e1", Event(at=noon - DAY, kind="recall")),)},
        {"tasks_done": (TaskDone(at=noon - DAY, task="t", outcome="unreached", by="Tom"),)},
        {"appointments": {"a1": Appointment("a1", *slot)}},
    ):
        assert not may(ask(Silence, history=history, **facts))


@pytest.mark.parametrize(("told", "wanted", "ended"), [
    ("maintenance", "oil", True), ("oil", "oil", True), ("oil", "maintenance", False), ("oil", "trade_in", False),
])  # fmt: skip
def test_silence_about_a_topic_covers_those_under_it(ask, may, placed, proposal, noon, told, wanted, ended):
    """As a veto does: not the whole that it is a part of, and not what is something else."""
    history = [about(placed, noon - number * DAY, topic=told) for number in (20, 9)]
    verdict = ask(Silence, proposal=proposal(topic=wanted), history=history)
    assert may(verdict) is not ended


def test_what_is_only_planned_is_not_called_unanswered(ask, placed, noon):
    """Of what they have not had yet nobody can say that they did not answer; the staff read which is which."""
    history = [about(placed, noon - 20 * DAY), about(placed, noon - 9 * DAY, sent=False)]
    verdict = ask(Silence, history=history)
    assert verdict.detail == "enough about this is on its way already"
    assert verdict.note.startswith("2 contacts about oil, 1 sent and 1 planned, and no answer: oil on 26 May 2026")
    told = ask(Silence, history=[about(placed, noon - 20 * DAY), about(placed, noon - 9 * DAY)])
    assert told.detail == "you have not answered, and that is an answer"
    assert "2 contacts about oil, sent, and no answer" in told.note


def test_three_letters_in_a_week_are_one_contact(ask, may, placed, noon):
    """About three cars, say: nobody answers them one by one. What comes a week later is another."""
    week = [about(placed, noon - number * DAY) for number in (3, 2, 1)]
    assert may(ask(Silence, {"after": 2}, history=week))
    assert not may(ask(Silence, {"after": 2, "patience": "1d"}, history=week))
    before = about(placed, noon - 20 * DAY)
    assert may(ask(Silence, {"after": 2}, history=[before, *week]))
    assert not may(ask(Silence, {"after": 2}, history=[before, about(placed, noon - 9 * DAY)]))


@pytest.mark.parametrize("purpose", ["safety", "legal", "transactional"])
def test_what_must_be_told_is_never_silenced(ask, may, placed, proposal, noon, purpose):
    """However long nobody answers, it goes, even if the policy is applied to it."""
    history = [about(placed, noon - number * DAY) for number in range(1, 9)]
    assert may(ask(Silence, proposal=proposal(purpose=purpose), history=history))


def prospect(**fields):
    return Profile("ann", status="prospect", organisation="firm", **fields)


def test_who_is_a_customer_is_not_courted_as_a_stranger(ask, may):
    """Active, owning something in use, or a colleague of one: not courted. A stranger, or who has left, may be."""
    car = Asset("car-1", "car", "Ford Escape")
    former = Profile("bob", status="former", organisation="firm")
    said = {"said_by": {"customer.status": "import"}}
    assert not may(ask(ExistingCustomer, profile=Profile("ann", status="active"), **said))
    owner = ask(ExistingCustomer, profile=prospect(), assets={"car-1": car})
    assert not may(owner)
    assert "Ford Escape" in owner.note
    near = ask(ExistingCustomer, profile=prospect(), colleagues={"bob": State(BOB, **said)})
    assert not may(near)
    assert near.note == "Bob (bob), who is at firm too, is a customer already"
    assert may(ask(ExistingCustomer, profile=prospect()))
    assert may(ask(ExistingCustomer, profile=prospect(), assets={"car-1": Asset("car-1", in_use=False)}))
    assert may(ask(ExistingCustomer, profile=former, colleagues={"cy": State(prospect(), **said)}, **said))


def test_who_is_nothing_in_particular_is_a_customer_by_what_they_did(ask, may, noon):
    """Described without a status, they are one. Of whom there is an address only, it takes work or a purchase."""
    assert not may(ask(ExistingCustomer, profile=Profile("ann", "Ann"), said_by={"customer.name": "import"}))
    unknown = Profile("ann", organisation="firm")
    assert may(ask(ExistingCustomer, profile=unknown, colleagues={"bob": State(BOB)}))
    work = ServiceRecord(at=noon, customer="ann", service="oil", outcome="done")
    bought = Event(at=noon, customer="ann", kind="purchase", item="car")
    looked = Event(at=noon, customer="ann", kind="visit")
    assert not may(ask(ExistingCustomer, profile=unknown, records=(("1", work),)))
    assert not may(ask(ExistingCustomer, profile=unknown, events=(("1", bought),)))
    assert may(ask(ExistingCustomer, profile=unknown, events=(("1", looked),)))
    said = {"said_by": {"customer.status": "staff"}}
    assert may(ask(ExistingCustomer, profile=prospect(), records=(("1", work),), **said))


WANTED = {"by_topic": {"maintenance": ["buyer", "owner"]}}


def test_who_has_no_say_is_not_asked_and_staff_learn_who_has(ask, may):
    """Without the role nothing goes, and the note names the colleague who has it; with it the message goes."""
    verdict = ask(Role, WANTED, profile=ANN, colleagues={"bob": State(BOB)})
    assert not may(verdict)
    assert verdict.note == "it takes the role buyer or owner: ask Bob (bob), buyer"
    assert "Bob" not in verdict.detail
    assert may(ask(Role, WANTED, profile=BOB))


def test_where_nobody_is_known_to_have_the_role_the_note_says_so(ask):
    """A colleague who has left is not named."""
    gone = Profile("bob", "Bob", status="former", organisation="firm", roles=("buyer",))
    verdict = ask(Role, WANTED, profile=ANN, colleagues={"bob": State(gone)})
    assert verdict.note == "it takes the role buyer or owner, and nobody at firm is known to have it: ask who does"


@pytest.mark.parametrize(
    ("settings", "profile", "goes"),
    [
        ({"by_topic": {"sales": ["buyer"]}}, ANN, True),
        ({"by_purpose": {"service": ["driver"]}}, ANN, False),
        ({"by_purpose": {"service": ["driver"]}, "by_topic": {"oil": ["owner"]}}, BOB, False),
        (WANTED, Profile("ann"), True),
        (WANTED, Profile("firm", kind="organisation", organisation="firm"), True),
    ],
)
def test_a_role_is_asked_for_by_purpose_and_topic(ask, may, settings, profile, goes):
    """Both must be met where both ask; people without an organisation, and its own address, are not bound."""
    assert may(ask(Role, settings, profile=profile)) is goes
