"""Three workers on one PostgreSQL, and everything breaks: the server, the workers, the provider, while people say stop.

`make test` does it with a few hundred messages, `make chaos` with a hundred thousand.
"""

from __future__ import annotations

import os
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from time import monotonic, sleep

import pytest
from deployment import HELLO, customer, visit
from postgres import MISSING, Server, programs, running
from provider import provider
from shared import Shared, stop
from sqlalchemy import text

from commsched.errors import StoreError

MESSAGES = int(os.environ.get("CHAOS_MESSAGES", "300"))
# How often the server is killed, in seconds, at least and at most.
KILLS = (5.0, 40.0) if MESSAGES > 1000 else (2.0, 5.0)
RATE = max(50, MESSAGES // 200)
PATIENCE = 90 + MESSAGES / 20
FLIGHT = 50
# How long between looks; what they ask of the server grows with the messages.
LOOK = 0.2 + MESSAGES / 25_000
# How long until the next worker is killed, on average, in seconds.
DEATHS = 10 if MESSAGES > 1000 else 2
SETTLED = text("""SELECT count(*) FROM (
    SELECT customer FROM message GROUP BY customer
    HAVING bool_or(state IN ('sent', 'in_doubt')) OR count(*) FILTER (WHERE state = 'refused') = 2) AS settled""")
CAP = """
[[policies]]
kind = "frequency_cap"
at_most = 1
per = "7d"
counting = ["service"]
"""

pytestmark = pytest.mark.postgres


@pytest.fixture
def mortal(tmp_path) -> Iterator[tuple[Shared, Server]]:
    """The deployment on a server of its own, which may be killed."""
    if programs() is None:
        pytest.skip(MISSING)
    with running() as server, provider(tmp_path / "provider") as found:
        deployment = Shared(tmp_path / "one", found, server.url(server.create()))
        yield deployment, server
        deployment.end()


@pytest.mark.timeout(PATIENCE + 300)
def test_nothing_lost_nothing_twice_no_rule_broken(mortal):
    """Each person hears once, though two messages are due; nobody after a stop; never more than the rate allows."""
    shared, server = mortal
    if MESSAGES > 1000:
        # As it is without a word: a queue of many batches takes longer than ten seconds, some being the dead workers'.
        shared.replace('lease = "10s"\n', "")
    shared.replace('name = "mail"\n', f'name = "mail"\nrate = "{RATE}/s"\n')
    shared.configure(CAP)
    shared.rule("hello", HELLO)
    shared.rule("again", HELLO.replace("rule: hello", "rule: again").replace("topic: news", "topic: appointment"))
    shared.provider.mode("mixed")
    dice = random.Random(7)
    names = [f"C{number:06}" for number in range(MESSAGES)]
    now = datetime.now(UTC)
    for start in range(0, MESSAGES, 2000):
        chunk = names[start : start + 2000]
        shared.given(*(fact for name in chunk for fact in (*customer(name), visit(name, now))), at=now)
    workers = [shared.start("worker") for _ in range(3)]
    stopped: dict[str, int] = {}
    next_kill, until, killed, replaced = monotonic() + dice.uniform(*KILLS), monotonic() + PATIENCE, 0, 0
    while not settled(shared):
        assert monotonic() < until, shared.states
        if monotonic() > next_kill:
            server.restart()
            killed += 1
            next_kill = monotonic() + dice.uniform(*KILLS)
        if dice.random() < LOOK / DEATHS:
            victim = workers.pop(dice.randrange(3))
            victim.kill()
            replaced += 1
            workers.append(shared.start("worker"))
        address = f"{dice.choice(names).lower()}@example.com"
        if address not in stopped and shared.hear(opted_out(address)) == 0:
            stopped[address] = attempts_at(shared, address)
        sleep(LOOK)
    stop(*workers)
    assert killed > 0
    assert replaced > 0
    assert stopped
    mail = shared.accepted
    assert max(Counter(line["key"] for line in mail).values()) == 1, "twice"
    assert max(Counter(line["to"] for line in mail).values()) == 1, "past the cap"
    for address, before in stopped.items():
        assert attempts_at(shared, address) == before, "begun after they said stop"
    assert most_within(sorted(line["got"] for line in mail), 5.0) <= 5 * RATE + FLIGHT
    done = {line["key"] for line in mail}
    for one in shared.messages:
        assert one.state in {"sent", "in_doubt", "refused", "planned"}
        assert one.state != "sent" or one.key in done, "counts as sent, and nobody has it"


def settled(shared: Shared) -> bool:
    """Whether everybody has heard, will not hear, or is in doubt; false while the server is away."""
    try:
        with shared._store() as store, store.read() as connection:
            return connection.execute(SETTLED).scalar() == MESSAGES
    except StoreError:
        return False


def opted_out(address: str) -> dict[str, object]:
    """What the provider says of somebody who has had enough."""
    return {"kind": "opt_out", "at": datetime.now(UTC).isoformat(), "address": address, "id": f"stop-{address}"}


def attempts_at(shared: Shared, address: str) -> int:
    """How many messages to somebody were begun; what is begun before a stop is known may still arrive.

    Waits for the server, which may be away.
    """
    while True:
        try:
            with shared._store() as store, store.read() as connection:
                query = text("SELECT count(*) FROM attempt WHERE address = :address")
                return int(connection.execute(query, {"address": address}).scalar_one())
        except StoreError:
            sleep(0.1)


def most_within(times: list[float], seconds: float) -> int:
    """The most that fell into any stretch of so many seconds."""
    return max((bisect_right(times, one + seconds) - number for number, one in enumerate(times)), default=0)
