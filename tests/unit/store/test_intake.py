"""Facts from files: JSON Lines and CSV, what goes in, and what is rejected with which words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from commsched.errors import Misuse
from commsched.model.vocabulary import Vocabulary
from commsched.store import intake
from commsched.store.checks import Checker
from commsched.store.intake import Origin, from_lines, read

NOW = datetime(2026, 6, 15, 17, tzinfo=UTC)
ORIGIN = Origin("dms", NOW)
WORDS = Vocabulary(
    topics={"sales": None, "trade_in": "sales"},
    events={"purchase": {"pages": "integer"}},
    assets={"car": {"year": "integer", "weight": "number", "fuel": "string", "leased": "boolean"}},
    facts={"tier": "string", "points": "number"},
    roles=frozenset({"owner", "driver"}),
    services=frozenset({"oil"}),
)
AT = "2026-05-01T12:00:00Z"


@pytest.fixture
def checker():
    return Checker(WORDS, region="US-IL")


@pytest.fixture
def take(tmp_path, checker):
    """Reads a file of these contents: its facts and the rejects, as (line, field, sentence)."""

    def taken(content, name="facts.jsonl", mapping=None, origin=ORIGIN):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        beside = None
        if mapping is not None:
            beside = tmp_path / "mapping.yaml"
            beside.write_text(mapping)
        batches = list(read(path, checker, origin, beside))
        facts = [fact for batch in batches for _, fact in batch.facts]
        return facts, [(one.line, one.field, one.error) for batch in batches for one in batch.rejects]

    return taken


def line(**fields):
    return json.dumps({"type": "customer", "at": AT, "id": "C1", **fields}) + "\n"


def test_what_a_line_does_not_say_comes_from_the_file(take):
    """Source, who said it and when it was learnt are the file's, unless the line has its own."""
    own = {"source": "crm", "stated_by": "customer", "recorded_at": "2026-05-02T00:00:00+02:00"}
    (plain, stated), rejects = take(line() + line(**own))
    assert rejects == []
    assert (plain.customer, plain.source, plain.stated_by, plain.recorded_at) == ("C1", "dms", "import", NOW)
    assert (stated.source, stated.stated_by) == ("crm", "customer")
    assert (stated.recorded_at, stated.recorded_at.tzinfo) == (datetime(2026, 5, 1, 22, tzinfo=UTC), UTC)


def test_in_a_simulation_facts_are_learnt_when_they_are_true(take):
    """Without a stated instant of learning, a simulated fact is known at the time it is about."""
    (fact,), _ = take(line(), origin=Origin("dms", NOW, recorded_at_is_at=True))
    assert fact.recorded_at == fact.at


def test_a_byte_order_mark_and_blank_lines_are_no_matter(take):
    """Files as Windows programs write them are read: a mark at the start, CRLF, empty lines, no last line end."""
    text = "\ufeff" + line().strip() + "\r\n\r\n  \r\n" + line(id="C2").strip()
    facts, rejects = take(text)
    assert ([fact.id for fact in facts], rejects) == (["C1", "C2"], [])


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ('{"type": "customer"', "", "this line is not JSON"),
        ("[1]", "", "expected `object`"),
        ('{"at": "2026-05-01T12:00:00Z"}', "type", "this field is required"),
        ('{"type": "custmer", "at": "2026-05-01T12:00:00Z"}', "type", "there are appointment, asset,"),
        (line(nam="Ana"), "nam", "no such field"),
        (line(at="2026-05-01T12:00:00"), "at", "the time has no zone; write e.g."),
        (line(at="yesterday"), "at", "this is no time"),
        (line(type="appointment", id="A1", start=None), "start", "cannot be null; leave it out"),
        ("null", "", "expected `object`"),
        (line(status="happy"), "status", "invalid enum value 'happy'"),
        (line(roles=["pilot"]), "roles", "'pilot' is not declared; declared are: driver, owner"),
        (line(roles=["drivr"]), "roles", "did you mean 'driver'?"),
        (line(customer="C2"), "customer", "a customer fact needs its id"),
        (line(id="C\u0000"), "id", "control characters"),
        (line(id=""), "id", "length >= 1"),
        (line(type="reading", customer="C1", id=None), "asset", "this field is required"),
        (
            line(type="event", kind="purchase", id="E1"),
            "customer",
            "exactly one of customer, organisation and household",
        ),
        (line(type="event", kind="purchase", customer="C1", household="h"), "customer", "exactly one of"),
        (line(type="event", kind="purchas", customer="C1"), "kind", "did you mean 'purchase'?"),
        (line(type="event", kind="purchase", customer="C1", data={"pags": 1}), "data", "did you mean 'pages'?"),
        (line(type="event", kind="purchase", customer="C1", data={"pages": 1.5}), "data.pages", "1.5 is not a integer"),
        (line(type="contact_point", customer="C1", kind="phone", address="12"), "address", "length >= 3"),
        (line(type="contact_point", customer="C1", kind="phone", address="12345"), "address", "is no phone number"),
        (line(type="sent", customer="C1"), "", "required"),
        (
            line(type="delivered", customer="C1", key="k", medium="email", address="a", delivered=True),
            "type",
            "cannot be",
        ),
        ('{"type": "customer", "at": "2026-05-01T12:00:00Z", "id": "C1", "name": "\\ud800"}', "", "not JSON"),
    ],
)
def test_a_bad_line_is_rejected_and_the_rest_goes_in(take, text, field, words):
    """The reject says line, field and what would be right; the lines around it are taken."""
    facts, rejects = take(line(id="before") + text.strip() + "\n" + line(id="after"))
    assert [fact.id for fact in facts] == ["before", "after"]
    ((number, found, sentence),) = rejects
    assert number == 2
    assert words in sentence
    if field:
        assert found == field


def test_invalid_utf8_is_rejected(take):
    """Bytes that are no UTF-8 reject their line only."""
    facts, rejects = take(b'{"type": "customer", "id": "M\xfcller", "at": "x"}\n' + line().encode())
    assert len(facts) == 1
    assert rejects[0][0] == 1


def test_a_line_without_end_is_skipped(take, monkeypatch):
    """A line longer than a line may be is reported with its number, and the next one is read."""
    monkeypatch.setattr(intake, "MAX_LINE", 500)
    facts, rejects = take(line() + line(name="x" * 5000) + line(id="C3"))
    assert [fact.id for fact in facts] == ["C1", "C3"]
    assert rejects == [(2, "", "the line is longer than 500 bytes; one line holds one fact")]


def test_a_reject_reads_as_one_line(tmp_path, checker):
    """A reject prints with file, line, field and sentence, and keeps the start of what was there."""
    (tmp_path / "a.jsonl").write_text(line() + line(nam="x" * 1000))
    (batch,) = read(tmp_path / "a.jsonl", checker, ORIGIN)
    (reject,) = batch.rejects
    assert str(reject) == "a.jsonl:2: nam: this type of fact has no such field; see docs/facts.md"
    assert len(reject.text) <= intake.SHOWN


def test_batches(tmp_path, checker, monkeypatch):
    """A long file comes in batches; each says how many lines it has and how far into the file it reaches."""
    monkeypatch.setattr(intake, "BATCH", 2)
    lines = [line(id=f"C{number}") for number in range(5)]
    (tmp_path / "a.jsonl").write_text("".join(lines))
    batches = list(read(tmp_path / "a.jsonl", checker, ORIGIN))
    assert [(len(batch.facts), batch.lines) for batch in batches] == [(2, 2), (2, 2), (1, 1)]
    assert [batch.end for batch in batches] == [sum(map(len, lines[:count])) for count in (2, 4, 5)]


def test_lines_from_elsewhere(checker):
    """A source's lines go the same way as a file's."""
    (batch,) = from_lines("feed", [line().encode(), b"\n", b"nonsense"], checker, ORIGIN)
    assert len(batch.facts) == 1
    assert [(one.file, one.line) for one in batch.rejects] == [("feed", 3)]


def test_a_file_that_is_not_there(tmp_path, checker):
    """A missing file is a misuse, named."""
    with pytest.raises(Misuse, match=r"there is no file .*none\.csv"):
        read(tmp_path / "none.csv", checker, ORIGIN)


@pytest.mark.parametrize("name", ["reading.csv", "readings.csv", "Readings-2026.csv", "readings_03.CSV"])
def test_the_name_of_a_csv_file_says_its_type(take, name):
    """One type a file: its name, in the singular or plural, with a date or number behind it."""
    facts, rejects = take(f"customer,asset,at,value,unit\nC1,V1,{AT},1200.5,mi\n", name)
    assert rejects == []
    assert (facts[0].type, facts[0].value, facts[0].unit) == ("reading", 1200.5, "mi")


def test_a_type_column(take):
    """A column called type says it for each row; where nothing does, the rows are rejected with the way out."""
    facts, rejects = take(
        f"type,customer,at,kind\nevent,C1,{AT},purchase\n,C1,{AT},purchase\nodd,C1,{AT},x\n", "mix.csv"
    )
    assert [fact.type for fact in facts] == ["event"]
    assert [(number, field) for number, field, _ in rejects] == [(3, "type"), (4, "type")]
    assert "name the file e.g. reading.csv" in rejects[0][2]


def test_cells_are_brought_to_their_types(take):
    """Numbers, dates, yes and no, and columns with dots; an empty cell says nothing, null clears."""
    text = (
        "\ufeffid,customer,at,kind,model,in_use,acquired_on,attributes.year,attributes.weight,attributes.fuel,attributes.leased\r\n"
        f'V1,C1,{AT},car,"Escape, ""blue""",true,2023-05-01,2023,1500.5,12,false\r\n'
        f"V2,C1,{AT},car,null,,,,,,\r\n"
    )
    (full, bare), rejects = take(text, "assets.csv")
    assert rejects == []
    assert full.model == 'Escape, "blue"'
    assert full.in_use is True
    assert full.attributes == {"year": 2023, "weight": 1500.5, "fuel": "12", "leased": False}
    assert [type(value) for value in full.attributes.values()] == [int, float, str, bool]
    assert bare.model is None
    assert str(bare.in_use) == str(bare.attributes) == "UNSET"


@pytest.mark.parametrize("cell", ["soon", "2023.5", "", "true"])
def test_a_cell_that_does_not_fit_its_declared_type(take, cell):
    """A cell that is no number where a number is declared is rejected with its name; an empty one says nothing."""
    facts, rejects = take(f"id,customer,at,kind,attributes.year\nV1,C1,{AT},car,{cell}\n", "assets.csv")
    if cell:
        assert rejects == [(2, "attributes.year", f"{cell!r} is not a integer")]
    else:
        assert len(facts) == 1


def test_typed_cells_of_events_and_own_facts(take):
    """Declared data of events, facts of a preference and custom facts come out of cells with their types."""
    (event,), _ = take(f"customer,at,kind,data.pages\nC1,{AT},purchase,3\n", "events.csv")
    assert event.data == {"pages": 3}
    (custom,), _ = take(f"customer,at,facts.points,facts.tier\nC1,{AT},2.5,7\n", "custom.csv")
    assert custom.facts == {"points": 2.5, "tier": "7"}
    (preference,), _ = take(f"customer,at,facts.points,media\nC1,{AT},2,sms; email;\n", "preferences.csv")
    assert (preference.facts, preference.media) == ({"points": 2}, ["sms", "email"])


def test_lists_and_intervals_in_cells(take):
    """Roles, dates between, and the parts of an interval stand in cells of their own."""
    (customer,), _ = take(f"id,at,roles\nC1,{AT},owner;driver\n", "customers.csv")
    assert customer.roles == ["owner", "driver"]
    (wish,), _ = take(f"customer,at,service,between\nC1,{AT},oil,2026-07-01;2026-07-31\n", "wishes.csv", "type: wish\n")
    assert [day.isoformat() for day in wish.between] == ["2026-07-01", "2026-07-31"]
    (plan,), _ = take(f"customer,at,service,by,every.months\nC1,{AT},oil,Tom,6\n", "service_plans.csv")
    assert plan.every.months == 6


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("C1,{at}", "the row has 2 cells, the header 4"),
        ("C1,{at},Ana,x,y", "the row has 5 cells, the header 4"),
        ("C1,{at},=cmd|' /C calc'!A0,", "is a spreadsheet formula, not a value"),
        ("C1,{at},@SUM(A1),", "is a spreadsheet formula"),
        ("C1,{at},+cmd|x,", "is a spreadsheet formula"),
        ("C1,{at},-cmd|x,", "is a spreadsheet formula"),
        ("C1,{at},\tx,", "is a spreadsheet formula"),
        ("C1,2026-05-01T12:00:00,Ana,", "the time has no zone"),
        ("C1,{at},Ana,odd", "invalid enum value 'odd'"),
    ],
)
def test_a_bad_row_is_rejected_and_the_rest_goes_in(take, row, words):
    """Wrong numbers of cells, formulas and values of another type reject their row only."""
    rows = [f"C0,{AT},Ada,person", row.format(at=AT), f"C9,{AT},Zoë,person"]
    facts, rejects = take("id,at,name,kind\n" + "\n".join(rows) + "\n", "customers.csv")
    assert [fact.id for fact in facts] == ["C0", "C9"]
    assert [number for number, _, _ in rejects] == [3]
    assert words in rejects[0][2]


def test_an_amount_below_zero_is_no_formula(take):
    """A number with a sign is a number, and a phone number with a plus is one."""
    facts, rejects = take(f"id,customer,at,kind,amount\nE1,C1,{AT},purchase,-5.5\n", "events.csv")
    assert (rejects, facts[0].amount) == ([], -5.5)
    facts, rejects = take(f"customer,at,kind,address\nC1,{AT},phone,+1 312 555 0142\n", "contact_points.csv")
    assert (rejects, facts[0].address) == ([], "+13125550142")


def test_a_cell_that_is_not_utf8(take):
    """A cell in another encoding rejects its row; a heading in another encoding is a field that does not exist."""
    rows = f"id,at,name\nC1,{AT},".encode() + b"M\xfcller\n" + f"C2,{AT},Ana\n".encode()
    facts, rejects = take(rows, "customers.csv")
    assert [fact.id for fact in facts] == ["C2"]
    assert rejects == [(2, "", "name: the cell is not UTF-8")]
    facts, rejects = take(b"id,at," + b"n\xe4me\n" + f"C1,{AT},Ana\n".encode(), "customers.csv")
    assert facts == []
    assert len(rejects) == 1
    rejects[0][1].encode()


def test_a_row_that_is_not_csv_does_not_end_the_file(take):
    """A cell too long to be one is rejected, and the rows after it are read."""
    facts, rejects = take(f"id,at,name\nC1,{AT},{'x' * 200_000}\nC2,{AT},Ana\n", "customers.csv")
    assert [fact.id for fact in facts] == ["C2"]
    assert [number for number, _, _ in rejects] == [2]
    assert "this line is not CSV" in rejects[0][2]


def test_a_very_long_row_is_not_dropped_in_silence(take):
    """However long a row is, it is taken or rejected."""
    facts, rejects = take(f"id,at,name\nC1,{AT}{',' * 1_100_000}\nC2,{AT},Ana\n", "customers.csv")
    assert [fact.id for fact in facts] == ["C2"]
    assert [number for number, _, _ in rejects] == [2]


def test_a_number_of_the_line_counts_lines_in_cells(take):
    """Line ends inside quotes are part of the cell, and later rows still have their number in the file."""
    facts, rejects = take(f'id,at,postal\nC1,{AT},"1 Main St\nEvanston"\nC2,x,\n', "customers.csv")
    assert facts[0].postal == "1 Main St\nEvanston"
    assert [number for number, _, _ in rejects] == [4]


@pytest.mark.parametrize("text", ["", "\n"])
def test_an_empty_csv_file(take, text):
    """A file without a heading is a misuse."""
    with pytest.raises(Misuse, match="its first line must name the fields"):
        take(text, "customers.csv")


def test_a_mapping_file(take):
    """A mapping names the type, our name for their columns, and what all rows share; other columns are left out."""
    mapping = (
        "type: asset\n"
        "fields: {id: VIN, customer: Owner, at: Sold, attributes.year: MY}\n"
        "constants: {kind: car, attributes: {fuel: gas}}\n"
    )
    text = f"VIN,Owner,Sold,MY,Secret\nV1,C1,{AT},2020,x\nV2,C2,{AT},,x\n"
    facts, rejects = take(text, "export.csv", mapping)
    assert rejects == []
    assert [(fact.id, fact.customer, fact.kind, fact.attributes) for fact in facts] == [
        ("V1", "C1", "car", {"fuel": "gas", "year": 2020}),
        ("V2", "C2", "car", {"fuel": "gas"}),
    ]


def test_a_mapping_beside_the_file_is_found(tmp_path, take):
    """export.map.yaml goes with export.csv."""
    (tmp_path / "export.map.yaml").write_text("type: customer\nfields: {id: Nr, at: Since}\n")
    facts, rejects = take(f"Nr,Since\nC1,{AT}\n", "export.csv")
    assert (len(facts), rejects) == (1, [])


@pytest.mark.parametrize(
    "mapping",
    [
        "[1]",
        "type: [a]",
        "fields: [a]",
        "fields:\nconstants: 3\n",
        "a: b: c",
        "typ: asset\n",
        "fields: {id: [No]}",
        "\x00",
    ],
)
def test_a_broken_mapping_file(take, mapping):
    """A mapping file that is not one is a misuse that says what belongs in it."""
    with pytest.raises(Misuse, match="the mapping file"):
        take(f"Nr,Since\nC1,{AT}\n", "export.csv", mapping)


def test_a_mapping_of_a_column_that_is_not_there(take):
    """A column that the mapping names and the file lacks is a misuse, not an empty field."""
    with pytest.raises(Misuse, match=r"the mapping names the column 'Nmae'.*Nr, Name"):
        take(
            "Nr,Name\nC1,Ana\n",
            "export.csv",
            "type: customer\nfields: {id: Nr, name: Nmae}\nconstants: {at: '2026-05-01T12:00:00Z'}\n",
        )


def test_two_columns_of_one_name(take):
    """Two columns with the same name are a misuse: nobody knows which one counts."""
    with pytest.raises(Misuse, match="two columns are called 'name'"):
        take(f"id,at,name,name\nC1,{AT},a,b\n", "customers.csv")


def test_a_column_inside_another(take):
    """A field that is given both whole and in parts is rejected by its row."""
    _, rejects = take(f"id,customer,at,kind,attributes,attributes.year\nV1,C1,{AT},car,x,2020\n", "assets.csv")
    assert [(number, field) for number, field, _ in rejects] == [(2, "attributes")]


def test_times_of_other_zones_become_utc(take):
    """Instants with any offset are kept as UTC, so that the same instant is the same fact."""
    facts, _ = take(line(at="2026-05-01T07:00:00-05:00") + line())
    assert facts[0].at == facts[1].at
    assert facts[0].at.utcoffset() == timedelta()
