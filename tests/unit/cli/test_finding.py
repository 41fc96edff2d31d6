"""find: customers by what people remember of them; and whoever types a name for an id is told who that is."""

import json

import pytest

OLD = "2026-01-01T12:00:00Z"
MARIA = [
    {"type": "customer", "id": "C0042", "at": OLD, "name": "María Ramírez", "kind": "person"},
    {"type": "contact_point", "kind": "phone", "customer": "C0042", "at": OLD, "address": "+18475550188"},
    {"type": "contact_point", "kind": "email", "customer": "C0042", "at": OLD, "address": "mr@mail.example"},
    {
        "type": "asset", "id": "car-9", "customer": "C0042", "at": OLD, "kind": "car", "model": "Civic 2019",
        "attributes": {"fuel": "AB 123-C"},
    },
]  # fmt: skip


@pytest.fixture
def desk(told):
    path = told.folder / "maria.jsonl"
    path.write_text("".join(json.dumps(fact) + "\n" for fact in MARIA), "utf-8")
    told("import", str(path))
    return told


@pytest.mark.parametrize(
    ("text", "evidence"),
    [
        ("maria", "name María Ramírez"),
        ("RAMIREZ mar", "name María Ramírez"),
        ("(847) 555-0188", "phone"),
        ("0847 555", "phone"),
        ("MR@mail", "email"),
        ("ab123c", "Civic 2019 AB 123-C"),
        ("civic", "Civic 2019"),
        ("c-0042", "id"),
    ],
)
def test_find_by_what_is_remembered(desk, text, evidence):
    """A part of a name, number, address, plate or model is enough, however it is written."""
    (one,) = desk.json("find", text)["customers"]
    assert (one["customer"], one["name"]) == ("C0042", "María Ramírez")
    assert any(words.startswith(evidence) for words in one["evidence"])


@pytest.mark.parametrize("text", ["mario", "555 0199", "nobody@", "-", "188"])
def test_what_fits_nobody_finds_nobody(desk, text):
    """Nothing near is shown as if it were meant, and punctuation alone or a few figures mean nobody."""
    assert desk.json("find", text, code=1) == {"customers": [], "found": 0}


def test_find_shows_some_and_counts_the_rest(desk):
    """Of many, so many are shown as were asked for."""
    text = desk("find", "example", "--limit", "2").stdout
    assert text.splitlines()[-1] == "… and 1 more; --limit 3 shows them."


@pytest.mark.parametrize("arguments", [("brief", "maria"), ("may-contact", "maria", "--purpose", "service")])
def test_a_name_for_an_id_is_answered_with_the_id(desk, arguments):
    """Nobody knows ids by heart: the error lists who has that name."""
    said = desk(*arguments, code=2).stderr
    assert said.endswith("Is it one of these?\n  C0042  María Ramírez (name María Ramírez)\n")
