"""Story 05: a supplier courts, or cold-calls off a list, a company that has been its customer for years."""

import csv

import pytest
from copies import copy_of_the_deployment, with_message, with_rule
from people import colleague, driver

from commsched.cli.screened import screened
from commsched.store.messages import told
from commsched.testing.stories import Story

INTRODUCTION = """
rule: introduction
why: You were here on {{ event.date }} to look around.
purpose: sales
topic: prospecting
department: sales
trigger: {event: visit}
steps:
  - step: hello
    at: event + 9d at 11:00
    deadline: event + 40d
    template: introduction
    media: [email]
    late: skip
"""


@pytest.fixture
def prospecting(tmp_path):
    """The shipped deployment with a campaign that is meant for strangers."""
    folder = copy_of_the_deployment(tmp_path)
    with_message(folder, "introduction", "What we could do for you", "We could look after your vehicles.")
    with_rule(folder, "introduction", INTRODUCTION)
    return Story(folder, tmp_path, "2026-09-01 09:00")


def visit(story, customer="C1"):
    return story.given("event", customer=customer, kind="visit", id=f"visit-{customer}")


def test_a_buyer_whose_company_is_a_customer_is_not_courted(prospecting):
    """She is new to us; the company that she buys for is not. The staff read through whom it is known."""
    tale = colleague(prospecting, "C1", "Ana Ortiz", "buyer", status="prospect")
    colleague(tale, "C2", "Ben Ochs", "driver")
    visit(tale).until("2026-11-01")
    tale.nothing(rule="introduction")
    refusal = tale.refused(rule="introduction", code="existing_customer")
    assert refusal.final
    assert told(refusal)[0][2] == "Ben Ochs (C2), who is at O1 too, is a customer already"
    assert "Ben" not in refusal.reasons[0][2]
    tale.no_task(rule="introduction")


def test_a_company_that_owns_a_vehicle_we_look_after_is_not_courted(prospecting):
    """What the company owns makes all its people customers."""
    tale = colleague(prospecting, "C1", "Ana Ortiz", "buyer", status="prospect")
    tale.given("asset", organisation="O1", id="V9", kind="car", model="Ford Transit", in_use=True)
    visit(tale).until("2026-11-01")
    assert "Ford Transit" in told(tale.refused(rule="introduction", code="existing_customer"))[0][2]


def test_a_stranger_who_becomes_a_customer_meanwhile_is_not_courted(prospecting):
    """It was planned; the company buys before it goes."""
    tale = visit(colleague(prospecting, "C1", "Ana Ortiz", "buyer", status="prospect")).until("2026-09-05")
    assert [m.state for m in tale.messages if m.rule == "introduction"] == ["planned"]
    colleague(tale, "C2", "Ben Ochs", "driver").until("2026-11-01")
    tale.nothing(rule="introduction")


def test_counterpart_a_stranger_is_introduced(prospecting):
    """Of whose company nobody is a customer, she hears from us once."""
    tale = colleague(prospecting, "C1", "Ana Ortiz", "buyer", status="prospect")
    colleague(tale, "C2", "Ben Ochs", "driver", organisation="O2")
    visit(tale).until("2026-11-01")
    assert "look after your vehicles" in tale.sent(rule="introduction").body


# ---- The list that somebody bought

LONG_AGO = {"at": "2020-03-02 10:00", "recorded_at": "2020-03-02 10:00"}


def customers_of_old(story):
    """Lakeside Bakery has been a customer since 2020; Ana drives a car from us."""
    tale = driver(story("2026-12-01 09:00"))
    tale.given("customer", id="B1", name="Lakeside Bakery, Inc.", kind="organisation", **LONG_AGO)
    tale.given("contact_point", customer="B1", kind="email", address="orders@lakeside-bakery.example", **LONG_AGO)
    return tale.given("contact_point", customer="B1", kind="phone", address="+18475550170", **LONG_AGO)


def screen(tale, folder, *lines):
    (folder / "bought.csv").write_text("\n".join(["company,contact,email,phone", *lines]) + "\n", "utf-8")
    screened(tale.app, folder / "bought.csv", folder, "sales", None, "voice", bar=False)
    found = []
    for name in ("kept.csv", "removed.csv"):
        with (folder / name).open(encoding="utf-8", newline="") as file:
            found.append(list(csv.DictReader(file)))
    return found


def test_the_bought_list_loses_our_own_customer_however_it_is_written(story, tmp_path):
    """By the domain of somebody whom we never met, by a phone, by a name with a slip: it is our customer."""
    kept, removed = screen(
        customers_of_old(story),
        tmp_path,
        "Some Bakery,Jo Fischer,jo.fischer@lakeside-bakery.example,",
        "Some Bakery,Kim Hall,,(847) 555-0170",
        "LAKESIDE BAKERI,Lee Wong,,",
    )
    assert kept == []
    assert {row["reason"] for row in removed} == {"existing_customer"}
    assert {row["customers"] for row in removed} == {"B1"}
    assert [row["evidence"].split()[0] for row in removed] == ["mail", "phone", "company"]


def test_whoever_has_only_the_mail_provider_in_common_is_a_stranger(story, tmp_path):
    """Ana's mail is at a free provider: everybody else there is somebody else, she herself is not."""
    tale = customers_of_old(story)
    tale.given("contact_point", customer="C1", kind="email", address="ana.ortiz@gmail.com", stated_by="customer")
    kept, removed = screen(tale, tmp_path, ",Max,max@gmail.com,", ",Ana,Ana.Ortiz@gmail.com,")
    assert [row["contact"] for row in kept] == ["Max"]
    assert [row["customers"] for row in removed] == ["C1"]


def test_counterpart_a_stranger_is_kept_and_may_be_called(story, tmp_path):
    """A bakery that we do not know stays on the list, cell by cell as it was."""
    (row,), removed = screen(
        customers_of_old(story), tmp_path, "Harbor Bread,Sam Lee,sam@harbor-bread.example,+13125550111"
    )
    assert removed == []
    assert (row["company"], row["email"], row["note"]) == ("Harbor Bread", "sam@harbor-bread.example", "")
