"""Story 11: a payment that was explained to the first of three people is chased by the other two, and by a machine."""

import shutil
from pathlib import Path

import pytest
from people import car, driver

from commsched.store.messages import told
from commsched.testing.stories import Story

ROOT = Path(__file__).parents[2]
RULE = """
rule: {name}
why: Your payment for the {{{{ asset.model }}}} was due on {{{{ due.date }}}}.
purpose: collections
topic: payment
department: {department}
trigger: {{obligation: instalment}}
steps:
  - step: write
    at: {at}
    deadline: due + 60d
    template: {name}
    media: [{medium}]
otherwise: {{task: "Call {{{{ customer.name }}}} about the payment: {{{{ reason }}}}"}}
"""
CHASERS = (
    ("service-asks", "service", "due + 3d at 10:00", "email"),
    ("sales-asks", "sales", "due + 6d at 10:00", "email"),
    ("fee-letter", "sales", "due + 12d at 10:00", "letter"),
)


@pytest.fixture
def lender(tmp_path):
    """The shipped deployment, where two departments and a fee letter go after a payment that is late."""
    folder = tmp_path / "deployment"
    for name in ("config", "plugins", "templates"):
        shutil.copytree(ROOT / name, folder / name)
    for name, department, at, medium in CHASERS:
        text = RULE.format(name=name, department=department, at=at, medium=medium)
        (folder / "config" / "rules" / f"{name}.yaml").write_text(text)
        words = folder / "templates" / name
        words.mkdir()
        (words / "email.txt").write_text(f"Subject: Your payment ({name})\n\nIt was due on {{{{ due.date }}}}.\n")
        (words / "email.mjml").write_text("<p>{{ hello }}</p><p>It was due on {{ due.date }}.</p>\n")
        (words / "letter.txt").write_text("It was due on {{ due.date }}. There is a fee.\n")
    vocabulary = folder / "config" / "vocabulary.yaml"
    text = vocabulary.read_text()
    assert "topics:\n" in text
    vocabulary.write_text(text.replace("topics:\n", "topics:\n  payment: []\n", 1))
    return car(driver(Story(folder, tmp_path, "2026-09-01 09:00")))


def owing(tale, payment="P1"):
    """An instalment that is due on 1 October, and a postal address."""
    tale.given("customer", customer="C1", id="C1", postal="9 Elm Street, Evanston, IL 60201")
    return tale.given(
        "obligation", customer="C1", id=payment, kind="instalment", due="2026-10-01", amount=310.0, asset="V1",
        status="open",
    )  # fmt: skip


def explained(tale, **fields):
    """She tells the first who calls why it is late; he puts it on hold."""
    tale.given(
        "interaction", customer="C1", direction="out", medium="voice", purpose="collections", by="Aisha Greene",
        summary="The insurance pays on 2 November; she showed the letter.",
    )  # fmt: skip
    return tale.given(
        "hold", customer="C1", id="H1", purposes=["collections"], about="P1", stated_by="staff",
        reason="The insurance pays.", until="2026-11-03 09:00", by="Aisha Greene", **fields,
    )  # fmt: skip


def waits(tale, ends, payment="P1"):
    """Nothing about it went, and what is still wanted waits for the end of the hold, and says why."""
    about = [one for one in tale.messages if one.purpose == "collections" and one.subject == payment]
    assert len(about) == len(CHASERS)
    for one in about:
        assert one.state == "planned"
        assert one.at >= tale.time(ends)
        assert any(
            code == "hold" and "by Aisha Greene (H1): The insurance pays" in words for _, code, words in told(one)
        )


def test_what_was_explained_once_binds_every_department_and_the_machine(lender):
    """On hold with the first, nobody else writes about it, no letter goes, and no call is made of the silence."""
    tale = explained(owing(lender).until("2026-10-02 11:00")).until("2026-11-02")
    waits(tale, "2026-11-03 09:00")
    assert not [task for task in tale.tasks if task.rule in {name for name, *_ in CHASERS}]


def test_the_hold_is_about_this_payment_and_no_other(lender):
    """Another instalment that nobody explained is asked for."""
    tale = explained(owing(owing(lender), "P2")).until("2026-11-02")
    waits(tale, "2026-11-03 09:00")
    tale.sent(rule="service-asks", subject="P2")


def test_whoever_set_it_hears_of_its_end_before_anything_resumes(lender):
    """Three business days before, with time to prolong it; nothing has gone by then."""
    tale = explained(owing(lender).until("2026-10-02 11:00")).until("2026-10-30 12:00")
    task = tale.task(rule="hold-ends", words="Aisha Greene: your hold on collections for Ana Ortiz ends")
    assert tale.time("2026-10-28 00:00") <= task.at <= tale.time("2026-10-30 12:00")
    waits(tale, "2026-11-03 09:00")


def test_a_prolonged_hold_goes_on_and_is_reminded_of_again(lender):
    """The same hold with a later end: nothing goes, and there is another task before that end."""
    tale = explained(owing(lender).until("2026-10-02 11:00")).until("2026-10-30 12:00")
    tale.given(
        "hold", customer="C1", id="H1", purposes=["collections"], about="P1", stated_by="staff",
        reason="The insurance pays late.", until="2026-11-20 09:00", by="Aisha Greene",
    )  # fmt: skip
    waits(tale.until("2026-11-18 12:00"), "2026-11-20 09:00")
    tale.task(rule="hold-ends", words="ends on November 20, 2026")


def test_counterpart_without_an_explanation_it_is_asked_for(lender):
    """Nothing was said: the payment is asked for, and the letter goes."""
    tale = owing(lender).until("2026-11-15")
    tale.sent(rule="service-asks", between=("2026-10-04 00:00", "2026-10-12 00:00"))
    tale.sent(rule="fee-letter", medium="letter")


def test_counterpart_when_the_hold_ends_what_is_still_open_is_asked_for(lender):
    """The hold ran out and nothing was paid: it goes on."""
    tale = explained(owing(lender).until("2026-10-02 11:00")).until("2026-11-15")
    tale.sent(rule="service-asks", between=("2026-11-03 09:00", "2026-11-05 00:00"))


def test_counterpart_a_released_hold_has_no_task(lender):
    """Lifted early, nobody is reminded of its end."""
    explained(owing(lender).until("2026-10-02 11:00"), released=True).until("2026-11-02").no_task(rule="hold-ends")
