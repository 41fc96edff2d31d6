"""What the fault tests share: a deployment in a folder of its own, and the mark that they all carry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from deployment import Deployment
from provider import provider
from shared import Shared
from wired import Wired

HERE = Path(__file__).parent


@pytest.fixture
def broken(tmp_path) -> Deployment:
    """A small deployment; what still runs in it at the end is killed."""
    deployment = Deployment(tmp_path)
    yield deployment
    deployment.end()


@pytest.fixture
def wired(tmp_path) -> Iterator[Wired]:
    """A small deployment whose mail goes to a provider in a process of its own."""
    with provider(tmp_path / "provider") as found:
        deployment = Wired(tmp_path / "deployment", found)
        yield deployment
        deployment.end()


@pytest.fixture
def shared(tmp_path, postgres_server) -> Iterator[Shared]:
    """The same on a fresh database in PostgreSQL, for the distributed engine."""
    name = postgres_server.create()
    with provider(tmp_path / "provider") as found:
        deployment = Shared(tmp_path / "one", found, postgres_server.url(name))
        yield deployment
        deployment.end()
    postgres_server.drop(name)


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.faults)
