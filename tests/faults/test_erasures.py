"""Erasure where it is hard: while a message is in doubt, while a worker holds the customer, from a backup."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing

from deployment import DAY, HOUR, NOON, customer, visit

from commsched.store import queries

BLIND = """
from commsched import Ambiguous, Capabilities, hookimpl
from commsched.builtin.channels.outbox import Outbox

class Unclear(Outbox):
    kind = "unclear"
    capabilities = Capabilities(lookup="none")

    async def send(self, message):
        raise Ambiguous("nobody knows")

@hookimpl
def register_channels():
    return [Unclear]
"""


def on_disk(broken) -> bytes:
    """Every byte that the deployment keeps, but of the files that were given to it."""
    kept = [path for path in (broken.folder / "var").rglob("*") if path.is_file()]
    return b"\n".join(path.read_bytes() for path in kept)


def test_fault_37_erasure_while_in_doubt(broken):
    """The data goes, the hashes and the number stay, and a person can still say what became of the message."""
    broken.plugin("unclear", BLIND)
    broken.replace('kind = "outbox"', 'kind = "unclear"')
    broken.given(*customer("Zoe77"), visit("Zoe77"))
    broken.tick(NOON)
    assert broken.states == {"in_doubt": 1}
    code, out, _ = broken.run("--json", "forget", "Zoe77", "--yes")
    done = json.loads(out)
    assert (code, done["under_way"]) == (0, 1)
    assert b"zoe77" not in on_disk(broken).lower()
    code, out, _ = broken.run("--json", "doctor")
    assert "settle" in next(one["do"] for one in json.loads(out)["findings"] if one["what"] == "doubt")
    with closing(sqlite3.connect(broken.folder / "var/commsched.db")) as store:
        ((key, owner),) = store.execute("SELECT key, customer FROM attempt").fetchall()
        assert store.execute("SELECT count(*) FROM suppression").fetchone()[0] >= 2
        assert store.execute("SELECT id FROM audit WHERE action = 'forget'").fetchall() == [(done["erasure"],)]
    assert owner == f"erased:{done['erasure']}"
    code, out, err = broken.run("settle", key, "--sent")
    assert (code, err) == (0, "")
    broken.tick(NOON + HOUR)
    assert broken.states == {"sent": 1}


def test_what_a_preview_shows_it_does_not_do(broken):
    """Without --yes nothing changes; the same customer twice is erased once; an unknown one is a mistake."""
    broken.given(*customer("Zoe77"), visit("Zoe77"))
    before = on_disk(broken)
    code, out, _ = broken.run("forget", "Zoe77")
    assert (code, "commsched forget Zoe77 --yes" in out) == (0, True)
    assert b"Zoe77" in on_disk(broken)
    assert len(before) > 0
    assert "erasure" in json.loads(broken.run("--json", "forget", "Zoe77", "--yes")[1])
    code, out, _ = broken.run("forget", "Zoe77", "--yes")
    assert (code, "erased before" in out) == (0, True)
    code, _, err = broken.run("forget", "Nobody", "--yes")
    assert (code, "No fact is about a customer 'Nobody'" in err) == (2, True)


def test_the_next_export_of_a_source_is_refused_without_a_trace(broken):
    """Lines about somebody erased are rejected, and no copy is kept of them; after --again new ones are taken."""
    path = broken.folder / "crm.jsonl"
    facts = [*customer("Zoe77"), *customer("Max")]
    path.write_text("".join(json.dumps(one) + "\n" for one in facts), "utf-8")
    broken.run("import", str(path), "--source", "crm")
    broken.run("forget", "Zoe77", "--yes")
    code, out, err = broken.run("import", str(path), "--source", "crm")
    assert code == 1
    assert "erased" in out + err
    assert b"zoe77" not in on_disk(broken).lower()
    code, out, _ = broken.run("forget", "Zoe77", "--again")
    assert (code, "taken in again" in out) == (0, True)
    later = [{**one, "at": "2030-01-01T00:00:00Z"} for one in customer("Zoe77")]
    path.write_text("".join(json.dumps(one) + "\n" for one in later), "utf-8")
    assert broken.run("import", str(path), "--source", "crm")[0] == 0
    assert b"Zoe77" in on_disk(broken)


def test_a_backup_is_erased_again(broken):
    """``restored`` reads the journal beside the database, and erases whoever was erased since the backup was made."""
    path = broken.folder / "var/commsched.db"
    broken.given(*customer("Zoe77"), *customer("Max"))
    broken.tick(NOON)
    with closing(sqlite3.connect(path)) as store, closing(sqlite3.connect(broken.folder / "backup.db")) as backup:
        store.backup(backup)
    broken.run("forget", "Zoe77", "--yes")
    for name in ("-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)
    shutil.copy(broken.folder / "backup.db", path)
    code, out, err = broken.run("restored", "--from", (NOON - DAY).isoformat(), "--at", NOON.isoformat())
    assert (code, err) == (0, "")
    assert "Erased again: 1 customer" in out
    with broken.app().store.read() as connection:
        assert queries.customers(connection) == ["Max"]
