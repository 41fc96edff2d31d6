"""Bad input: errors by row, the rest imported, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import json

import pytest
from deployment import NOON, customer, visit

from commsched.store import queries

GOOD = '{"type": "customer", "id": "%s", "name": "Ana", "at": "2026-01-01T00:00:00Z"}'


def imported(broken, path):
    """The exit code, the rejected lines by number, and which customers there are afterwards."""
    code, out, err = broken.run("--json", "import", str(path))
    assert "Traceback" not in err
    rejects = broken.folder / f"var/rejects/{path.name}.rejects.jsonl"
    lines = rejects.read_text("utf-8").splitlines() if rejects.exists() else []
    app = broken.app()
    with app.store.read() as connection:
        return code, {one["line"]: one for one in map(json.loads, lines)}, queries.customers(connection), out


def test_fault_35_csv_with_formulas_bad_phones_and_duplicates(broken):
    """Each bad row is named with its line, its field and what would be right; the rest goes in, each once."""
    path = broken.write(
        "contact_point.csv",
        "customer,kind,address,at\n"
        "C1,phone,+1 312 555 0142,2026-01-01T00:00:00Z\n"
        "C2,phone,12345,2026-01-01T00:00:00Z\n"
        "C3,email,=cmd|'/c calc'!A1,2026-01-01T00:00:00Z\n"
        "C1,phone,+1 312 555 0142,2026-01-01T00:00:00Z\n"
        "C4,email,@SUM(A1),2026-01-01T00:00:00Z\n"
        "C5,email,ana@example.com\n"
        "C6,email,ana@example.com,2026-02-30T00:00:00Z\n"
        "C7,email,ana@example.com,2026-01-01T00:00:00\n"
        "C8,email,ana@example.com,2026-01-01T00:00:00Z\n",
    )
    code, rejects, customers, out = imported(broken, path)
    assert code == 1
    assert customers == ["C1", "C8"]
    assert sorted(rejects) == [3, 4, 6, 7, 8, 9]
    assert rejects[3]["field"] == "address"
    assert "write it as +1" in rejects[3]["error"]
    assert all("formula" in rejects[line]["error"] for line in (4, 6))
    assert "zone" in rejects[9]["error"]
    assert json.loads(out)["files"][0]["new"] == 2
    file = broken.folder / "var/rejects/contact_point.csv.rejects.jsonl"
    assert not any(line.startswith(("=", "+", "-", "@")) for line in file.read_text("utf-8").splitlines())


def test_fault_35_exports_are_safe(broken):
    """A name that a spreadsheet would run leaves as text, with the sign in front that says so."""
    broken.given(*customer(), {"type": "customer", "id": "C1", "name": "=HYPERLINK(1)"}, visit())
    target = broken.folder / "plan.csv"
    code, _, err = broken.run("plan", "--at", NOON.isoformat(), "--csv", str(target))
    assert code == 0, err
    with target.open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert "'=HYPERLINK(1)" in cells
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


BAD_LINES = {
    "invalid UTF-8": b'{"type": "customer", "id": "\xff\xfe", "at": "2026-01-01T00:00:00Z"}',
    "a naive time": b'{"type": "customer", "id": "B", "at": "2026-01-01T00:00:00"}',
    "an impossible date": b'{"type": "customer", "id": "B", "at": "2026-02-30T00:00:00Z"}',
    "an impossible hour": b'{"type": "customer", "id": "B", "at": "2026-02-03T25:00:00Z"}',
    "half a line": b'{"type": "customer", "id": "B", "at": "2026-',
    "no JSON": b"id,name",
    "a list": b"[1, 2]",
    "an unknown type": b'{"type": "wombat", "at": "2026-01-01T00:00:00Z"}',
    "an unknown field": b'{"type": "customer", "id": "B", "at": "2026-01-01T00:00:00Z", "nmae": "x"}',
    "what only we write": b'{"type": "delivered", "customer": "B", "at": "2026-01-01T00:00:00Z", "key": "k",'
    b' "medium": "email", "address": "a@b.example", "delivered": true}',
    "a control character": b'{"type": "customer", "id": "B\\u0000", "at": "2026-01-01T00:00:00Z"}',
    "deep nesting": b'{"type": "event", "customer": "B", "kind": "visit", "at": "2026-01-01T00:00:00Z", "data": '
    + b'{"a":' * 5000
    + b"1"
    + b"}" * 5001,
    "a lone surrogate": b'{"type": "customer", "id": "B\\ud800", "at": "2026-01-01T00:00:00Z"}',
}


def test_fault_35_bad_lines_of_every_kind(broken):
    """Each bad line is rejected by its number with a sentence; the good lines around it go in."""
    lines = [line for bad in BAD_LINES.values() for line in (bad, (GOOD % f"C{len(bad)}").encode())]
    path = broken.folder / "bad.jsonl"
    path.write_bytes(b"\n".join(lines))
    code, rejects, customers, _ = imported(broken, path)
    assert code == 1
    assert sorted(rejects) == list(range(1, 2 * len(BAD_LINES), 2))
    assert len(customers) == len({len(bad) for bad in BAD_LINES.values()})
    assert "zone" in rejects[3]["error"]
    assert all(len(one["text"]) <= 200 for one in rejects.values())


@pytest.mark.parametrize("name", ["long.jsonl", "customer.csv"])
def test_fault_35_a_line_of_fifty_megabytes(broken, name):
    """A line far too long is rejected by its number, and the lines before and after it go in."""
    csv_rows = name.endswith(".csv")
    first, last = ("C1,2026-01-01T00:00:00Z", "C2,2026-01-01T00:00:00Z") if csv_rows else (GOOD % "C1", GOOD % "C2")
    path = broken.folder / name
    with path.open("wb") as file:
        file.write(b"id,at\n" * csv_rows + first.encode() + b"\n")
        for _ in range(50):
            file.write(b"x" * 1_000_000)
        file.write(b"\n" + last.encode() + b"\n")
    code, rejects, customers, _ = imported(broken, path)
    assert (code, customers) == (1, ["C1", "C2"])
    assert [one["line"] for one in rejects.values()] == [3 if csv_rows else 2]
    assert ("limit" if csv_rows else "longer than") in next(iter(rejects.values()))["error"]


def test_fault_35_a_csv_cell_past_the_limit(broken):
    """A cell that the CSV reader will not take is one rejected row, not the end of the file."""
    rows = ["C1,Ana", f"C2,{'x' * 200_000}", "C3,Ana"]
    path = broken.write("customer.csv", "\n".join(["id,name,at", *(f"{row},2026-01-01T00:00:00Z" for row in rows)]))
    code, rejects, customers, _ = imported(broken, path)
    assert (code, sorted(rejects), customers) == (1, [3], ["C1", "C3"])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [("none.csv", None, "There is no file"), ("customer.csv", "", "is empty"), ("empty.jsonl", "", "")],
)
def test_fault_35_no_file_or_nothing_in_it(broken, name, content, words):
    """A file that is missing or empty is one sentence."""
    if content is not None:
        broken.write(name, content)
    code, _, err = broken.run("import", str(broken.folder / name))
    assert code == (2 if words else 0)
    assert words in err
    assert err.count("\n") == (1 if words else 0)
