"""Migrations on PostgreSQL while others work: what would keep them waiting is found before it is released."""

from __future__ import annotations

import io
import re

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from commsched.store.store import MIGRATIONS

# Until here nobody had a live PostgreSQL; this one copies the large tables.
LAST_THAT_MAY = "0014"
KEEPS_OTHERS_WAITING = {
    r"CREATE (?:UNIQUE )?INDEX (?!CONCURRENTLY)\S+ ON (?P<table>\w+)": "make the index CONCURRENTLY (autocommit_block)",
    r"ALTER TABLE (?P<table>\w+) ADD COLUMN (?![^;]*DEFAULT)[^;]*NOT NULL": "give it a default, or let it be null",
    r"ALTER TABLE (?P<table>\w+) ALTER COLUMN \w+ (?:TYPE|SET NOT NULL)": "add a new column instead",
    r"(?:UPDATE|DELETE FROM) (?!alembic_version)(?P<table>\w+)": "move the rows a batch at a time, in the service",
    r"INSERT INTO \w+ SELECT[^;]*FROM (?P<table>\w+)": "move the rows a batch at a time, in the service",
}


def waits(sql: str) -> list[str]:
    """What of a migration keeps others waiting, as sentences; tables that it makes itself are nobody's yet."""
    own = set(re.findall(r"CREATE TABLE (\w+)", sql))
    return [
        f"{found.group(0).splitlines()[0]}: {instead}"
        for pattern, instead in KEEPS_OTHERS_WAITING.items()
        for found in re.finditer(pattern, sql)
        if found["table"] not in own
    ]


def script_of(revision: str, before: str) -> str:
    """The SQL of one migration on PostgreSQL."""
    out = io.StringIO()
    config = Config(output_buffer=out)
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = "postgresql+psycopg://"
    command.upgrade(config, f"{before}:{revision}", sql=True)
    return out.getvalue()


def later() -> list[tuple[str, str]]:
    """The migrations after that one, each with the one before it."""
    scripts = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    found = [(one.revision, str(one.down_revision)) for one in scripts]
    return found[: [revision for revision, _ in found].index(LAST_THAT_MAY)]


def test_no_later_migration_keeps_others_waiting():
    """Each is written out for PostgreSQL, and looked through."""
    assert {revision: waits(script_of(revision, before)) for revision, before in later()} == {
        revision: [] for revision, _ in later()
    }


def test_the_one_that_copies_tables_would_be_found():
    """The look-through finds what it is for in a migration that does it."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    before = str(scripts.get_revision(LAST_THAT_MAY).down_revision)
    assert any("a batch at a time" in one for one in waits(script_of(LAST_THAT_MAY, before)))


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        ("CREATE INDEX a ON message (x);", 1),
        ("CREATE INDEX CONCURRENTLY a ON message (x);", 0),
        ("CREATE TABLE mine (x int); CREATE INDEX a ON mine (x);", 0),
        ("ALTER TABLE message ADD COLUMN x text NOT NULL;", 1),
        ("ALTER TABLE message ADD COLUMN x text DEFAULT '' NOT NULL;", 0),
        ("ALTER TABLE message ADD COLUMN x text;", 0),
        ("ALTER TABLE message ALTER COLUMN x TYPE bigint;", 1),
        ("UPDATE message SET x = 1;", 1),
        ("UPDATE alembic_version SET version_num = '9';", 0),
    ],
)
def test_what_keeps_others_waiting(sql, count):
    """One sentence for each."""
    assert len(waits(sql)) == count
