"""A backup that is put back: what may have gone since it was made starts in doubt, and nothing goes twice."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import timedelta

from deployment import DAY, HOUR, NOON, Deployment, customer, visit, visitors

BACKUP, RESTORED = NOON + HOUR, NOON + 6 * HOUR
LOST = visit("C00001", NOON + 4 * HOUR)
BLIND = """
from commsched import Capabilities, hookimpl
from commsched.builtin.channels.outbox import Outbox

class Blind(Outbox):
    kind = "blind"
    capabilities = Capabilities(lookup="none", batch=500)

@hookimpl
def register_channels():
    return [Blind]
"""


def restore(broken: Deployment) -> int:
    """Yesterday's database over today's, as an operator would; how many messages have gone by then."""
    path = broken.folder / "var/commsched.db"
    early = [fact for number in range(4) for fact in (*customer(f"E{number}"), visit(f"E{number}"))]
    broken.given(*early, *visitors(6, NOON + 2 * HOUR))
    broken.tick(NOON)
    with closing(sqlite3.connect(path)) as store, closing(sqlite3.connect(broken.folder / "backup.db")) as backup:
        store.backup(backup)
    broken.tick(NOON + 2 * HOUR)
    broken.given(LOST, at=NOON + 4 * HOUR)
    broken.tick(NOON + 4 * HOUR)
    for name in ("-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)
    shutil.copy(broken.folder / "backup.db", path)
    return len(broken.accepted)


def test_fault_38_nothing_goes_again_after_a_restoration(broken):
    """After ``restored``, what the provider has is found there by its key and is not sent again, nor are lost facts."""
    gone = restore(broken)
    assert gone == 11
    code, out, err = broken.run("restored", "--from", BACKUP.isoformat(), "--at", RESTORED.isoformat())
    assert (code, err) == (0, "")
    assert "6 messages" in out
    broken.given(LOST, visit("E1", RESTORED + HOUR), at=RESTORED)
    broken.ticks(RESTORED, RESTORED + 2 * HOUR, timedelta(minutes=20))
    assert len(broken.accepted) == gone + 1
    broken.once_each(gone + 1)


def test_fault_38_what_had_not_gone_goes(broken):
    """What fell due since the backup and was never sent, since nothing ran, goes after the restoration, once."""
    broken.given(*visitors(5, NOON + 2 * HOUR))
    broken.tick(NOON)
    broken.run("restored", "--from", BACKUP.isoformat(), "--at", RESTORED.isoformat())
    broken.tick(RESTORED)
    broken.once_each(5)


def test_fault_38_without_a_lookup_it_stays_in_doubt(broken):
    """Where the channel cannot say, what may have gone stays in doubt, in plain sight; what comes later goes."""
    broken.plugin("blind", BLIND)
    broken.replace('kind = "outbox"', 'kind = "blind"')
    gone = restore(broken)
    broken.run("restored", "--from", BACKUP.isoformat(), "--at", RESTORED.isoformat())
    broken.given(visit("E2", RESTORED + HOUR), at=RESTORED)
    broken.ticks(RESTORED, RESTORED + DAY, 4 * HOUR)
    assert broken.states == {"sent": 5, "in_doubt": 6}
    assert len(broken.accepted) == gone + 1


def test_fault_38_a_backup_from_the_future(broken):
    """A time that is still to come is refused with a sentence."""
    code, _, err = broken.run("restored", "--from", (NOON + DAY).isoformat(), "--at", NOON.isoformat())
    assert code == 2
    assert "still to come" in err
