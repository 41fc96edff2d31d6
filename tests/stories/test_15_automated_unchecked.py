"""Story 15: the process was never checked before it was automated."""

import shutil
from pathlib import Path

import pytest

from commsched.check.run import check

ROOT = Path(__file__).resolve().parents[2]
RULE = "config/rules/emissions-preparation.yaml"


@pytest.fixture
def copy(tmp_path):
    """The shipped deployment, to be broken."""
    for name in ("config", "plugins", "templates"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def broken(folder, old, new):
    path = folder / RULE
    text = path.read_text("utf-8")
    start = text.index(old)
    path.write_text(text[:start] + new + text[text.index("\n", start) + 1 :], "utf-8")
    report, _ = check(folder)
    assert not report.ok
    return report.problems


def test_a_step_without_an_answer_fails_with_a_booking_to_try(copy):
    """Take away what happens when it is too late: check names a booking for which nobody would say anything."""
    (problem,) = broken(copy, "    too_late:", "")
    assert (problem.file, problem.code) == (RULE, "no_answer")
    assert problem.counterexample.startswith("booked ")
    assert "drive-as-usual begins" in problem.counterexample
    assert problem.counterexample.endswith("nothing tells the customer")


def test_a_preparation_that_no_rule_tells_fails(copy):
    """Take away the rule: the service still asks for a preparation, and nobody is told of it."""
    (copy / RULE).unlink()
    report, _ = check(copy)
    (problem,) = report.problems
    assert (problem.file, problem.code) == ("config/services.yaml", "prep_untold")
    assert problem.counterexample.endswith("drive-as-usual begins " + problem.counterexample.split("begins ")[1])


def test_counterpart_the_shipped_deployment_is_proved(copy):
    """As it is shipped, every step has an answer, and the least lead of the preparation is known."""
    report, _ = check(copy)
    assert report.ok
    (proof,) = [one for one in report.proofs if one.step.prep == "drive-as-usual"]
    assert 4 <= proof.least_lead.total_seconds() / 86400 <= 7
