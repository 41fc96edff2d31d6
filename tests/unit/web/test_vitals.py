"""Metrics and health over HTTP, on a port of their own."""

from __future__ import annotations

import socket
from http.client import HTTPConnection

import pytest
from prometheus_client import CollectorRegistry, Gauge

from commsched.cli.measured import address_of
from commsched.errors import Misuse
from commsched.web.vitals import Address, Vitals, free, serving


@pytest.fixture
def words():
    """What is wrong."""
    return {"ill": [], "unready": []}


@pytest.fixture
def port(words):
    registry = CollectorRegistry()
    Gauge("commsched_customers", "Customers who are known.", registry=registry).set(7)
    with serving(Vitals(registry, lambda: words["ill"], lambda: words["unready"]), Address()) as found:
        yield found


def asked(port, path, method="GET", **headers):
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, answer.getheader("Content-Type"), body


def test_the_metrics(port):
    """As text for Prometheus, and as OpenMetrics for who asks for that; a query changes nothing."""
    status, kind, body = asked(port, "/metrics?x=1")
    assert (status, kind.partition(";")[0]) == (200, "text/plain")
    assert "commsched_customers 7.0\n" in body
    _, kind, body = asked(port, "/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text")
    assert body.endswith("# EOF\n")


def test_health_in_a_word_each(port, words):
    """200 where all is well; 503 with one word for each reason where not."""
    assert asked(port, "/healthz")[::2] == asked(port, "/readyz")[::2] == (200, "ok\n")
    words |= {"ill": ["stuck"], "unready": ["starting", "store"]}
    assert asked(port, "/healthz")[::2] == (503, "stuck\n")
    assert asked(port, "/readyz")[::2] == (503, "starting\nstore\n")


def test_it_can_only_be_read(port):
    """HEAD is GET without a body; nothing else is taken; other paths say what there is."""
    assert asked(port, "/healthz", "HEAD")[::2] == (200, "")
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert asked(port, "/metrics", method)[0] == 501
    assert asked(port, "/m/token")[0] == 404
    assert "Python" not in asked(port, "/")[2]


def test_whoever_says_nothing_keeps_nobody_waiting(port):
    """A connection that is opened and left: the next one is answered all the same."""
    with socket.create_connection(("127.0.0.1", port)):
        assert asked(port, "/healthz")[0] == 200


def test_a_port_that_is_taken_is_said_in_a_sentence(port):
    """With what to do about it; a port that there cannot be is as bad."""
    for address in (Address(port=port), Address(port=65534).seat(2)):
        with pytest.raises(Misuse, match="name another with --metrics"):
            free(address)


def test_addresses_as_they_are_typed():
    """A port alone is for this machine only."""
    assert address_of(None) is None
    assert address_of("9464") == Address("127.0.0.1", 9464)
    assert address_of("0.0.0.0:9464") == Address("0.0.0.0", 9464)  # noqa: S104 - as somebody may type it
    assert address_of("[::1]:0") == Address("::1", 0)
    for wrong in ("", "localhost", "host:", "host:x", "65536", "-1", "²"):
        with pytest.raises(Misuse, match="such as 9464"):
            address_of(wrong)


def test_several_processes_take_consecutive_ports():
    """And any that are free, where any would do."""
    assert [Address(port=9464).seat(number).port for number in range(3)] == [9464, 9465, 9466]
    assert Address().seat(2) == Address()


def test_it_is_served_by_the_newer_protocol_too():
    """On the loopback address of IPv6, where the machine has one."""
    vitals = Vitals(CollectorRegistry(), list, list)
    try:
        free(Address("::1"))
    except Misuse:
        pytest.skip("this machine has no IPv6")
    with serving(vitals, Address("::1")) as port, socket.create_connection(("::1", port)) as connection:
        connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.0 200")
