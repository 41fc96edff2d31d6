"""Messages by way of Apprise: its yes, its no, and what it never understood."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest

from commsched import Accepted, Ambiguous, Outgoing, Refused, TryLater
from commsched.builtin.channels.apprise import Apprise, AppriseSettings
from commsched.testing.provider import nobody, provider


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    with provider(tmp_path_factory.mktemp("service") / "provider") as made:
        yield made


def apprise(url, **more):
    return Apprise(AppriseSettings.model_validate({"medium": "sms", "service_url": url} | more), name="other")


def service(there):
    return f"json://user:secret-word@{there.url.removeprefix('http://')}/notify/{{to}}"


def outgoing(**fields):
    now = datetime.now(UTC)
    given = {"send_by": now + timedelta(hours=1), "at": now}
    return Outgoing("attempt-1", "ann/oil/1", "sms", "+13125550142", "Ann", "Oil", "Due.", "", **given | fields)


def outcome(channel, message):
    try:
        return asyncio.run(channel.send(message))
    except (Refused, TryLater, Ambiguous) as error:
        return error


def test_a_message_goes_to_the_service_for_its_address(there):
    """One request, with the words and the recipient's address in its place."""
    there.answers(200, "{}")
    assert outcome(apprise(service(there)), outgoing()) == Accepted("attempt-1")
    (got,) = there.got
    assert got.path == "/notify/+13125550142"
    said = json.loads(got.body)
    assert (said["title"], said["message"]) == ("Oil", "Due.")


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_a_no_leaves_doubt(there, status):
    """Apprise does not say why; the secret of the address is not in the error."""
    there.answers(status)
    found = outcome(apprise(service(there)), outgoing())
    assert isinstance(found, Ambiguous)
    assert "secret-word" not in str(found)
    assert len(there.got) == 1


def test_nobody_there_leaves_doubt_too():
    """Apprise does not tell this from any other failure."""
    with nobody() as url:
        assert isinstance(outcome(apprise(f"json://{url.removeprefix('http://')}/{{to}}"), outgoing()), Ambiguous)


def test_a_service_that_does_not_answer_is_not_waited_for(there):
    """The call ends in time."""
    there.answers(mode="hang")
    assert isinstance(outcome(apprise(service(there), timeout=1.0), outgoing()), Ambiguous)


def test_a_service_that_apprise_does_not_know_stops_the_start_up():
    """The error says where the known ones are listed, and not what the address was."""
    with pytest.raises(ValueError, match="Apprise does not know") as error:
        apprise("no-such-service://secret-word/x")
    assert "secret-word" not in str(error.value)


def test_a_late_message_is_not_handed_over(there):
    """Its window has closed."""
    there.answers(200)
    now = datetime.now(UTC)
    assert isinstance(outcome(apprise(service(there)), outgoing(send_by=now - timedelta(seconds=1))), TryLater)
    assert there.got == []
