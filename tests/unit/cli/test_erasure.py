"""``export``, ``forget``, ``retain`` and ``keys`` at the command line."""

import csv
import json
import stat

import pytest


def test_an_export_is_for_one_pair_of_eyes(told, tmp_path):
    """It goes to the terminal, or to a file that only its owner reads; a table runs nothing in a spreadsheet."""
    shown = json.loads(told("export", "ana").stdout)
    assert shown["customer"] == "ana"
    assert {fact["type"] for fact in shown["facts"]} == {"customer", "contact_point", "event"}
    assert "Okafor" not in json.dumps(shown)
    path = tmp_path / "ana.json"
    told("export", "ana", "--to", str(path))
    assert json.loads(path.read_text("utf-8")) == shown
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    table = tmp_path / "ana.csv"
    told("export", "ana", "--to", str(table))
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert ["facts[1].type", "customer"] in rows
    assert all(not value.startswith(("=", "+", "-", "@")) for _, value in rows)


def test_an_export_of_nobody(told):
    """Somebody who is not known is named as such."""
    assert "No fact is about a customer 'zed'" in told("export", "zed", code=2).stderr


def test_forget_shows_first_and_erases_then(told):
    """Without --yes what would go is counted, and is still there; with it, nobody finds them any more."""
    shown = told("forget", "ben").stdout
    assert "Of ben there would go:" in shown
    assert "commsched forget ben --yes" in shown
    assert told.json("export", "ben")["customer"] == "ben"
    done = told.json("forget", "ben", "--yes", "--by", "pat")
    assert done["dry_run"] is False
    assert done["rows"]["fact"] >= 4
    assert "No fact is about" in told("export", "ben", code=2).stderr
    assert "erased before" in told("forget", "ben", "--yes").stdout
    assert "erased before" in told("forget", "ben").stdout


def test_forget_again_is_for_whoever_was_erased(told):
    """Nobody comes back who was not erased, and not in the same breath."""
    assert "No customer 'ana' was erased" in told("forget", "ana", "--again", code=2).stderr
    assert "not both" in told("forget", "ana", "--again", "--yes", code=2).stderr
    told("forget", "ana", "--yes")
    assert "taken in again" in told("forget", "ana", "--again").stdout


def test_an_opt_out_binds_after_the_erasure(told):
    """Whoever comes with Ben's address, by whatever name, is not to be written to."""
    told("forget", "ben", "--yes")
    facts = told.folder / "more.jsonl"
    lines = [
        {"type": "customer", "id": "b2", "name": "B. O.", "kind": "person", "at": "2026-02-01T12:00:00Z"},
        {"type": "contact_point", "customer": "b2", "kind": "email", "address": "Ben@example.com",
         "at": "2026-02-01T12:00:00Z"},
    ]  # fmt: skip
    facts.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    told("import", str(facts))
    answer = told.json("may-contact", "b2", "--purpose", "service", "--medium", "email", code=1)
    assert answer["allowed"] is False
    assert "opt_out" in {reason["policy"] for reason in answer["reasons"]}


@pytest.fixture
def keeping(told):
    """Readings and events are kept for two years."""
    path = told.folder / "config" / "commsched.toml"
    path.write_text(path.read_text("utf-8") + '\n[retention]\nevent = "2y"\n', "utf-8")
    return told


def test_retain_shows_first_and_deletes_then(keeping):
    """Of two old purchases the later one stays; doctor says what is kept how long."""
    lines = [
        {"type": "event", "customer": "ana", "kind": "purchase", "at": f"20{year}-01-01T12:00:00Z"} for year in (10, 11)
    ]
    (keeping.folder / "event.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    keeping("import", str(keeping.folder / "event.jsonl"))
    assert "event for 2y; too old: event 2" in keeping("doctor").stdout
    assert keeping.json("retain")["facts"] == {"event": 2}
    assert "--yes deletes them" in keeping("retain").stdout
    assert keeping.json("retain", "--yes")["facts"] == {"event": 2}
    assert keeping.json("retain")["facts"] == {"event": 0}


def test_without_a_limit_all_is_kept(told):
    """Nothing is deleted that nobody said should be."""
    assert "kept for ever" in told("retain", "--yes").stdout
    assert "every type for ever" in told("doctor").stdout


def test_keys_are_listed_by_fingerprint_and_rotated(told):
    """Nobody reads a key from the list; two live, and --now belongs to a rotation."""
    assert "no key yet" in told("keys").stdout
    first = told.json("keys", "rotate")["keys"]
    second = told.json("keys", "rotate")["keys"]
    assert [one["signs"] for one in second] == [False, True]
    assert second[0]["key"] == first[0]["key"]
    assert "still work" not in told("keys", "rotate").stdout
    assert "dead" in told("keys", "rotate", "--now").stdout
    assert len(told.json("keys")["keys"]) == 1
    assert "--now belongs to rotate" in told("keys", "--now", code=2).stderr
