"""A journal of JSON lines."""

from __future__ import annotations

import tracemalloc

from commsched.plugin.journal import Journal


def test_a_long_journal_is_blanked_line_by_line(tmp_path):
    """However long it is, only what is wanted is kept in memory."""
    journal = Journal(tmp_path / "journal")
    with journal.locked():
        journal.append([{"id": str(number), "text": "x" * 10_000} for number in range(500)])
        tracemalloc.start()
        found = journal.blank(["7"])
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert [one["id"] for one in found] == ["7"]
    assert most < 1_000_000
