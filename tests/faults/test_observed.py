"""What a running service shows of itself: metrics, health, and a log by which a fact is followed to its receipt."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection

import pytest
from deployment import Process, customer, visit, visitors
from prometheus_client.parser import text_string_to_metric_families
from shared import Shared, said, stop
from wired import SECRET

from commsched.engine.pulse import RUN, Seen, seen
from commsched.store import queries

RAISES = """
from commsched import NoSettings, Policy, hookimpl, must_not

class Raises(Policy[NoSettings]):
    kind = "hostile"
    code = must_not("hostile")
    def review(self, proposal, view):
        raise KeyError("Ana " + proposal.customer)

@hookimpl
def register_policies():
    return [Raises]
"""


def got(port: int, path: str, method: str = "GET", body: str = "", **headers: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    found = answer.status, answer.read().decode()
    connection.close()
    return found


def numbers(port: int) -> dict[tuple[str, ...], float]:
    """All samples, by name and the values of their labels, in the order of the labels' names."""
    status, text = got(port, "/metrics")
    assert status == 200
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    return {(one.name, *(one.labels[name] for name in sorted(one.labels))): one.value for one in samples}


def ports(process: Process) -> list[int]:
    return [int(port) for port in re.findall(r"Metrics and health: http://127.0.0.1:(\d+)/", said(process))]


def events(log: str) -> Iterator[dict[str, object]]:
    """What a service has logged: nothing but an object a line."""
    return map(json.loads, log.splitlines())


@pytest.fixture
def until(wired):
    """Wait for what another process does."""
    return lambda there: Shared.until(wired, there)


def test_a_fact_is_followed_to_its_receipt_and_nobody_is_named(wired, until):
    """One service with a real port; a visit, a message, a delivery report: one grep, and no word of the customer."""
    wired.replace("[deployment]\n", '[deployment]\npublic_url = "http://localhost:8000"\n')
    person, address = customer("C1", email="ana.ortiz@example.com")
    facts = [{**person, "name": "Ana Ortiz"}, address, visit("C1", datetime.now(UTC))]
    service = wired.start("-v", "run", "--port", "0", "--metrics", "0")
    until(lambda: ports(service) and "Customers' pages" in said(service))
    (port,) = ports(service)
    pages = int(re.findall(r"served on 127.0.0.1:(\d+)", said(service))[0])
    wired.write("facts.jsonl", "\n".join(map(json.dumps, facts)))
    code, _, complaint = wired.run("-vv", "import", str(wired.folder / "facts.jsonl"))
    assert code == 0
    until(lambda: wired.states == {"sent": 1})
    (attempt,) = wired.attempts()
    told = {"attempt": attempt, "at": datetime.now(UTC).isoformat()}
    body = json.dumps(
        [
            {**told, "kind": "delivered", "id": "ana.ortiz@example.com/1"},
            {**told, "kind": "reply", "id": "2", "text": "Thanks! Ana Ortiz, 5 Elm Street"},
        ]
    )
    signature = hmac.new(SECRET, body.encode(), hashlib.sha256).hexdigest()
    assert got(pages, "/webhooks/mail", "POST", body, signature=signature)[0] == 204
    assert got(pages, "/webhooks/mail", "POST", body, signature="forged")[0] == 403
    until(lambda: numbers(port).get(("commsched_webhook_calls_total", "mail", "forged")) == 1)
    shown, text = numbers(port), got(port, "/metrics")[1]
    ((code, _, log),) = stop(service)
    assert code == 0
    fact = next(one["fact"] for one in re_events(complaint) if one.get("type") == "event")
    followed = [one for one in events(log) if str(fact) in json.dumps(one)]
    assert [one["event"] for one in followed if one["event"] != "fact"] == ["decided", "attempted", "heard", "heard"]
    assert {one.get("attempt") for one in followed[1:4]} == {attempt}
    assert shown["commsched_attempts_total", "mail", "accepted"] == 1
    assert shown["commsched_events_total", "mail", "delivered"] == shown["commsched_events_total", "mail", "reply"] == 1
    assert shown["commsched_lateness_seconds_count", "mail"] == 1
    everything = log + complaint + text
    assert not [word for word in ("example.com", "Ana", "Ortiz", "Elm", "Thanks") if word in everything]


def re_events(log: str) -> list[dict[str, str]]:
    """The events of a command that logs for people: ``event  name=value …``."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", log)
    return [dict(re.findall(r"(\w+)=(\S+)", line)) for line in plain.splitlines() if " fact " in line]


def test_health_tells_a_store_that_is_gone_and_one_that_is_newer(wired, until):
    """Ready while it can work; then in a word why not; alive all the time."""
    service = wired.start("run", "--metrics", "0")
    until(lambda: bool(ports(service)))
    (port,) = ports(service)
    until(lambda: got(port, "/readyz") == (200, "ok\n"))
    with wired._store() as store, store.write() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    until(lambda: got(port, "/readyz") == (503, "version\n"))
    with wired._store() as store, store.write() as connection:
        connection.exec_driver_sql("ALTER TABLE alembic_version RENAME TO gone")
    until(lambda: got(port, "/readyz") == (503, "store\n"))
    assert got(port, "/healthz") == (200, "ok\n")
    stop(service)


def test_a_policy_that_raises_is_counted_and_doctor_names_it(broken):
    """The metrics say which policy, the log says no more than that, and doctor in another process what to do."""
    broken.plugin("hostile", RAISES, '\n[[policies]]\nkind = "hostile"\n')
    now = datetime.now(UTC)
    broken.given(*customer("D1"), visit("D1", now), at=now)
    service = broken.start("run", "--metrics", "0")
    Shared.until(broken, lambda: "policy_failed" in said(service))
    (port,) = ports(service)
    Shared.until(broken, lambda: numbers(port).get(("commsched_policy_broken", "hostile")) == 1)
    assert numbers(port)["commsched_plugin_failures_total", "policy", "hostile"] >= 1
    ((code, _, log),) = stop(service)
    assert code == 0
    assert "Ana D" not in log
    code, out, _ = broken.run("doctor")
    assert code == 1
    assert "hostile (policy) failed" in out
    assert "stopped as it was told to" in out


def test_a_service_that_is_killed_is_missed(broken):
    """It did not say that it ended: so doctor finds it silent, and not stopped."""
    service = broken.start("run", "--metrics", "0")

    def last(back: timedelta = timedelta()) -> Seen | None:
        with broken._store() as store, store.write() as connection:
            found = seen(connection)
            if found is not None and back:
                long_ago = {"at": (found.at - back).isoformat(), "ended": found.ended}
                queries.put_setting(connection, RUN, json.dumps(long_ago))
            return found

    Shared.until(broken, lambda: bool(ports(service)) and got(ports(service)[0], "/readyz")[0] == 200)
    Shared.until(broken, lambda: last() is not None)
    service.kill()
    assert "at work, last seen" in broken.run("doctor")[1]
    last(back=timedelta(minutes=6))
    code, out, _ = broken.run("doctor")
    assert code == 1
    assert "nobody told it to stop" in out


def test_a_port_that_is_taken_stops_the_start(broken):
    """In one sentence, and nothing has begun."""
    first = broken.start("run", "--metrics", "0")
    Shared.until(broken, lambda: bool(ports(first)))
    code, _, complaint = broken.run("run", "--metrics", str(ports(first)[0]))
    assert code == 2
    assert "name another with --metrics" in complaint
    stop(first)


@pytest.mark.postgres
def test_each_worker_of_a_command_shows_its_own_and_all_show_the_store(shared):
    """Two processes under one command: ports of their own, counters that add up, one view of the queue."""
    service = shared.start("run", "--port", "0", "--metrics", "0")
    workers = shared.start("worker", "--concurrency", "2", "--metrics", "0")
    shared.until(lambda: len(ports(service)) == 1 and len(ports(workers)) == 2)
    now = datetime.now(UTC)
    shared.given(*visitors(400, now), at=now)
    shared.all_sent(400)
    everywhere = [*ports(service), *ports(workers)]
    accepted = ("commsched_attempts_total", "mail", "accepted")

    def counted() -> list[float]:
        return [numbers(port).get(accepted, 0) for port in everywhere]

    shared.until(lambda: sum(counted()) == 400)
    for port in everywhere:
        shown = numbers(port)
        assert shown["commsched_workers",] == 3
        assert shown["commsched_jobs_stuck",] == 0
        assert got(port, "/readyz") == (200, "ok\n")
    _, out, _ = shared.run("doctor")
    assert "3 workers at work" in out, out
    stop(service, workers)
