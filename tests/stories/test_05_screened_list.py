"""Story 05, the list: a supplier cold-calls a company that has been its customer for years."""

import csv

from people import driver

from commsched.cli.screened import screened

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
