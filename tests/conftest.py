"""What several kinds of tests share: the shipped deployment, its sample facts, databases."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from caldav_server import CalDavServer
from calendar_site import Site
from hypothesis import HealthCheck, settings
from postgres import MISSING, Server, programs, running

from commsched.app import App
from commsched.engine.clock import SetClock
from commsched.model.facts import AnyFact
from commsched.model.subjects import subject_of
from commsched.planning.ledger import Ledger, ledger_of
from commsched.planning.world import World
from commsched.store.intake import Origin, complete
from commsched.store.store import HEAD, Store
from commsched.store.tables import metadata
from commsched.testing.stories import Story

ROOT = Path(__file__).parents[1]
AS_OF = datetime(2026, 11, 23, 15, tzinfo=UTC)

settings.register_profile(
    "commsched",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("commsched")


@pytest.fixture(scope="session")
def shipped(tmp_path_factory) -> App:
    """The shipped deployment with channels that only record, live since long before the sample facts' date."""
    store = Store(f"sqlite:///{tmp_path_factory.mktemp('shipped') / 'store.db'}")
    return App(ROOT, clock=SetClock(datetime(2020, 1, 1, tzinfo=UTC)), store=store, recording=True)


@pytest.fixture(scope="session")
def world(shipped) -> World:
    """The shipped world, its calendars read for the sample facts' date."""
    with shipped.store.read() as connection:
        shipped.world(connection)
        shipped.clock.at = AS_OF
        made = shipped.world(connection)
    long_ago = {rule.name: datetime(2020, 1, 1, tzinfo=UTC) for rule in made.rules}
    return replace(made, since=long_ago)


@pytest.fixture(scope="session")
def sample_facts(shipped) -> dict[str, list[AnyFact]]:
    """The shipped sample facts by ledger, complete as after an import."""
    decoder = msgspec.json.Decoder(AnyFact)
    facts = defaultdict(list)
    for path in sorted((ROOT / "facts").glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            fact = decoder.decode(line)
            complete(fact, Origin("dms", AS_OF))
            shipped.checker.check(fact)
            facts[subject_of(fact)].append(fact)
    return dict(facts)


@pytest.fixture(scope="session")
def ledgers(sample_facts) -> list[Ledger]:
    """The sample customers' ledgers."""
    return [
        ledger_of(subject[2:], facts) for subject, facts in sorted(sample_facts.items()) if subject.startswith("c:")
    ]


@pytest.fixture
def story(tmp_path):
    """A story on the shipped deployment: ``story("2026-11-23 09:00")``."""
    return lambda starts: Story(ROOT, tmp_path, starts)


@pytest.fixture
def site() -> Iterator[Site]:
    """A web server that publishes a calendar."""
    made = Site()
    yield made
    made.close()


@pytest.fixture
def caldav_server(tmp_path_factory) -> Iterator[CalDavServer]:
    """A CalDAV server without any calendar."""
    server = CalDavServer(tmp_path_factory.mktemp("caldav"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A PostgreSQL server; without its programs, the tests that need one are skipped."""
    if programs() is None:
        pytest.skip(MISSING)
    with running() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server) -> str:
    """A PostgreSQL database with all tables, to copy."""
    name = postgres_server.create()
    store = Store(postgres_server.url(name))
    store.prepare()
    store.close()
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory) -> Path:
    """An SQLite database with all tables, to copy."""
    path = tmp_path_factory.mktemp("template") / "store.db"
    store = Store(f"sqlite:///{path}")
    store.prepare()
    store.close()
    return path


BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=BOTH)
def empty_url(request, tmp_path) -> Iterator[str]:
    """The address of a database without tables: of each kind in turn."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'store.db'}"
        return
    server = request.getfixturevalue("postgres_server")
    name = server.create()
    yield server.url(name)
    server.drop(name)


@pytest.fixture(scope="session")
def postgres_databases(postgres_server, postgres_template) -> list[str]:
    """PostgreSQL databases with all tables, that no test is using."""
    return [postgres_server.create(postgres_template)]


@pytest.fixture
def postgres_url(postgres_server, postgres_template, postgres_databases) -> Iterator[str]:
    """The address of a PostgreSQL database with all tables, all of them empty."""
    name = postgres_databases.pop() if postgres_databases else postgres_server.create(postgres_template)
    yield postgres_server.url(name)
    with postgres_server.connect(name) as connection:
        version = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    if version == (HEAD,):
        postgres_server.empty(name, metadata.tables)
        postgres_databases.append(name)
    else:
        postgres_server.drop(name)


@pytest.fixture(params=BOTH)
def store_url(request, tmp_path) -> str:
    """The address of a database with all tables: of each kind in turn."""
    if request.param == "postgres":
        return request.getfixturevalue("postgres_url")
    shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "store.db")
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def open_store(store_url) -> Iterator[Callable[[], Store]]:
    """Opens the database once more, as another process would."""
    opened = []

    def opener() -> Store:
        opened.append(Store(store_url))
        return opened[-1]

    yield opener
    for one in opened:
        one.close()


@pytest.fixture
def store(open_store) -> Store:
    """A store on each kind of database in turn."""
    return open_store()
