"""Story 10: "rate us a 10", over and over."""

import pytest
from copies import copy_of_the_deployment, with_message, with_rule
from people import car, driver, serviced

from commsched.store.messages import told
from commsched.testing.stories import Story

PURCHASE_SURVEY = """
rule: purchase-survey
why: You bought a vehicle from us on {{ event.date }}.
purpose: survey
topic: survey
department: sales
trigger: {event: purchase}
steps:
  - step: ask
    at: event + 3d at 17:00
    deadline: event + 14d
    template: purchase-survey
    media: [email]
    late: skip
"""


def served(story, day, fact):
    return serviced(story, "oil_change", day, id=fact)


def surveys(tale):
    return [one for one in tale.messages if one.purpose == "survey" and one.state == "sent"]


def test_two_visits_within_the_quarter_are_one_question(story):
    """He was asked after the first visit; after the second, six weeks later, he is not asked again."""
    tale = car(driver(story("2026-09-01 09:00"))).until("2026-09-02")
    served(tale, "2026-09-02", "R1").until("2026-10-14")
    served(tale, "2026-10-14", "R2").until("2026-11-20")
    assert len(surveys(tale)) == 1
    refusal = tale.refused(rule="after-service-survey", code="survey_budget")
    assert "asked already: survey on" in told(refusal)[0][2]


def test_two_departments_have_one_budget(tmp_path):
    """Sales asks after a purchase, so service does not ask after the first visit a month later."""
    folder = copy_of_the_deployment(tmp_path)
    with_message(folder, "purchase-survey", "Was it all as you wished?", "Tell us in a word.")
    tale = Story(with_rule(folder, "purchase-survey", PURCHASE_SURVEY), tmp_path, "2026-09-01 09:00")
    car(driver(tale), bought="2026-09-01").until("2026-10-01")
    served(tale, "2026-10-01", "R1").until("2026-11-10")
    assert [one.rule for one in surveys(tale)] == ["purchase-survey"]
    tale.refused(rule="after-service-survey", code="survey_budget")


@pytest.mark.parametrize(
    "answer",
    [
        ("feedback", {"mood": "fine"}),
        ("reply", {"medium": "email", "text": "All was well."}),
        ("interaction", {"direction": "in", "medium": "voice", "purpose": "survey", "by": "Tom", "summary": "No"}),
    ],
)
def test_an_answer_or_a_refusal_ends_it_for_half_a_year(story, answer):
    """Whatever he answered, the next visit, four months later, brings no question."""
    tale = car(driver(story("2026-05-01 09:00"))).until("2026-05-04")
    served(tale, "2026-05-04", "R1").until("2026-05-12")
    (asked,) = surveys(tale)
    kind, fields = answer
    key = {"key": asked.key} if kind == "reply" else {}
    tale.given(kind, customer="C1", stated_by="customer", **fields, **key).until("2026-09-09")
    served(tale, "2026-09-09", "R2").until("2026-10-09")
    assert surveys(tale) == [asked]
    tale.refused(rule="after-service-survey", code="survey_budget")


def test_no_question_while_a_case_is_open(story):
    """He waits for us to put something right: he is not asked how we did."""
    tale = car(driver(story("2026-09-01 09:00")))
    tale.given("case", customer="C1", id="K1", kind="complaint", status="open", stated_by="staff").until("2026-09-02")
    served(tale, "2026-09-02", "R1").until("2026-10-14")
    assert surveys(tale) == []
    tale.refused(rule="after-service-survey", code="open_case")


def test_counterpart_after_a_visit_one_question_goes_and_next_year_another(story):
    """Who has never been asked is; who has said nothing may be asked again after the quarter."""
    tale = car(driver(story("2026-05-01 09:00"))).until("2026-05-04")
    served(tale, "2026-05-04", "R1").until("2026-09-09")
    served(tale, "2026-09-09", "R2").until("2026-10-09")
    assert len(surveys(tale)) == 2
