"""screen: customers come off a list of prospects, the protected off a list of customers; files whole or as before."""

import csv
import json

import pytest

HEAD = "name,company,email,phone,zip\n"


@pytest.fixture
def base(told):
    """Ana and Ben as customers, an organisation, and a prospect who refused everything."""
    old = {"at": "2026-01-01T12:00:00Z"}
    facts = [
        {"type": "customer", "id": "acme", "name": "Acme Fleet Services Inc.", "kind": "organisation", **old},
        {"type": "contact_point", "customer": "acme", "kind": "email", "address": "fleet@acme.example", **old},
        {"type": "contact_point", "customer": "ana", "kind": "phone", "address": "+18475550188", **old},
        {"type": "customer", "id": "cleo", "name": "Cleo Vance", "status": "prospect", **old},
        {"type": "contact_point", "customer": "cleo", "kind": "email", "address": "cleo@gmail.com", **old},
        {"type": "consent", "customer": "cleo", "medium": "*", "purpose": "*", "granted": False, "method": "mail",
         "stated_by": "customer", **old},
        {"type": "customer", "id": "dan", "name": "Daniel Okonkwo", "postal": "Elm St, Evanston 60202", **old},
    ]  # fmt: skip
    path = told.folder / "base.jsonl"
    path.write_text("".join(json.dumps(fact) + "\n" for fact in facts), "utf-8")
    told("import", str(path))
    return told


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def screen(base, text, code=0):
    folder = base.folder / "lists"
    folder.mkdir(exist_ok=True)
    (folder / "list.csv").write_text(text, "utf-8")
    result = base.json("screen", str(folder / "list.csv"), "--purpose", "sales", "--medium", "email", code=code)
    return result, rows(folder / "kept.csv"), rows(folder / "removed.csv")


def test_customers_come_off_a_list_of_prospects_with_the_evidence(base):
    """By address, phone, domain, company name with a slip, and name with postcode; each says by what."""
    lines = [
        "Somebody Else,,ANA@example.com,,",
        "Nobody,,,847-555-0188,",
        "Jo Fischer,,jo@acme.example,,",
        "Kim,ACME Fleet Service,,,",
        "Daniel Okonkwo,,,,60202",
    ]
    result, kept, removed = screen(base, HEAD + "\n".join(lines) + "\n")
    assert kept == []
    assert {row["reason"] for row in removed} == {"existing_customer"}
    said = [row["evidence"] for row in removed]
    assert said[:3] == ["email ana@example.com", "phone +18475550188", "mail domain acme.example"]
    assert said[3].startswith("company name 'ACME Fleet Service' ~ 'Acme Fleet Services Inc.' (9")
    assert said[4] == "name 'Daniel Okonkwo' ~ 'Daniel Okonkwo' (100), same postcode"
    assert [row["customers"] for row in removed] == ["ana", "ana", "acme", "acme", "dan"]
    assert result["evidence"] == {"company name": 1, "email": 1, "mail domain": 1, "name": 1, "phone": 1}


def test_a_refusal_of_somebody_erased_takes_a_prospect_off(base):
    """Nobody knows any more who it was; what was refused at the address still is, and only there."""
    base("forget", "cleo", "--yes")
    _, kept, removed = screen(base, HEAD + "Somebody,,Cleo@gmail.com,,\nLee,,lee@gmail.com,,\n")
    assert [row["name"] for row in kept] == ["Lee"]
    assert [(row["reason"], row["customers"]) for row in removed] == [("refused_by_erased", "")]


def test_strangers_are_kept(base):
    """A neighbour at a free mail provider, a namesake elsewhere and another company stay on the list."""
    lines = ["Lee,,lee@gmail.com,,", "Ana Ruiz,,,,94110", "Kim,Acorn Fleet Services,,,", "Daniel Okonkwo,,,,10001"]
    result, kept, removed = screen(base, HEAD + "\n".join(lines) + "\n")
    assert removed == []
    assert [row["name"] for row in kept] == ["Lee", "Ana Ruiz", "Kim", "Daniel Okonkwo"]
    assert kept[1]["note"] == "called like ana, and nothing else speaks for it"
    assert result["namesakes"] == 2


def test_a_prospect_who_said_no_comes_off(base):
    """Who is no customer yet, and refused: the policy and its reason are told."""
    _, kept, (cleo,) = screen(base, HEAD + "Cleo,,cleo@gmail.com,,\n")
    assert kept == []
    # At night the quiet hours are named as well: the command goes by the clock on the wall.
    assert cleo["reason"].startswith("opt_out: email was refused by Cleo Vance (cleo) on 2026-01-01 (mail)")


def test_a_list_of_customers_loses_the_protected_and_the_unknown(base):
    """A mailing house's list by ids: Ben refused, nobody has the third id (any more), Ana stays."""
    _, (ana,), (ben, gone) = screen(base, "id,name\nana,Ana\nben,Ben\nzoe,Zoe\n")
    assert ana["id"] == "ana"
    assert ben["reason"].startswith("opt_out: email was refused by Ben Okafor (ben)")
    assert (gone["reason"], gone["customers"]) == ("unknown_customer", "")


def test_the_summary_is_for_people(base):
    """How many were kept and removed, why, and where the files are."""
    path = base.folder / "list.csv"
    path.write_text(HEAD + "x,,ana@example.com,,\nLee,,lee@gmail.com,12,\n", "utf-8")
    text = base("screen", str(path), "--purpose", "sales").stdout
    assert "2 entries (prospects): 1 kept, 1 removed." in text
    assert "Removed: existing_customer 1. Known by: email 1." in text
    assert "1 mail address or phone number could not be read" in text


def test_what_cannot_be_screened_leaves_the_files_as_they_were(base):
    """A purpose or file that is not there is misuse; nothing is written, nor is anything left half-written."""
    path = base.folder / "list.csv"
    path.write_text("nothing,known\n1,2\n", "utf-8")
    (base.folder / "kept.csv").write_text("before", "utf-8")
    before = sorted(one.name for one in base.folder.iterdir())
    assert "no column is called" in base("screen", str(path), "--purpose", "sales", code=2).stderr
    assert "No purpose is called" in base("screen", str(path), "--purpose", "sails", code=2).stderr
    assert "There is no file" in base("screen", "none.csv", "--purpose", "sales", code=2).stderr
    assert (base.folder / "kept.csv").read_text("utf-8") == "before"
    assert sorted(one.name for one in base.folder.iterdir()) == before
