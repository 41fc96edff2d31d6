"""The report for people and for tools."""

from __future__ import annotations


def test_a_report_has_rows_policies_and_both_kinds_of_customers(told):
    """One was thanked, one had opted out: both are told, and the sums are those of the rows."""
    told("tick", "--at", "2027-03-03T16:30:00Z")
    found = told.json("report", "--to", "2027-03-10")
    (row,) = found["rows"]
    assert (row["purpose"], row["contacts"], row["vetoes"], row["bookings"]) == ("transactional", 1, 1, 0)
    assert found["total"] == {name: value for name, value in row.items() if name != "purpose"}
    assert [one["policy"] for one in found["policies"]] == ["opt_out"]
    assert found["groups"]["families"]["customers"] == 2
    assert found["groups"]["families"]["per_100"]["contacts"] == 50.0
    assert found["groups"]["businesses"]["contacts"] == 0


def test_a_report_reads_as_tables(told):
    """Sums stand below their rows; nothing is said of money in no currency but a number."""
    told("tick", "--at", "2027-03-03T16:30:00Z")
    shown = told("report", "--by", "week", "--to", "2027-03-10").stdout
    assert "│ 2027-03-01 │        1 │ 0.00 │" in shown
    assert "│ all        │        1 │ 0.00 │" in shown
    assert "families" in shown
    assert "from the beginning to Thu 11 Mar 2027 00:00 CST" in shown


def test_money_is_written_in_its_currency(told):
    """A currency and a price make a cost."""
    config = told.folder / "config" / "commsched.toml"
    text = config.read_text("utf-8").replace('medium = "email"', 'medium = "email"\ncost = 1.5')
    config.write_text(text.replace('locale = "en_US"', 'locale = "en_US"\ncurrency = "USD"'), "utf-8")
    told("tick", "--at", "2027-03-03T16:30:00Z")
    assert "$1.50" in told("report").stdout
    assert told.json("report")["total"]["cost"] == 1.5


def test_a_time_that_ends_before_it_begins_is_refused(told):
    """In a sentence."""
    said = told("report", "--from", "2027-03-01", "--to", "2027-02-01", code=2).stderr
    assert "--to is not after --from" in said
