"""What we call stands where we may call: nothing in a private network is reached by a name that means it."""

from __future__ import annotations

from deployment import DAY, NOON, customer
from webhook_server import receiver

from commsched.engine.feedback import Feedback


def test_fault_36_a_webhook_that_means_a_private_address(broken, tmp_path, monkeypatch):
    """A report to a name that means this machine is refused before a byte has left, and kept."""
    monkeypatch.setenv("CRM_SECRET", "s3cret-of-more-than-sixteen")
    with receiver(tmp_path / "crm") as server:
        url = server.url.replace("http://127.0.0.1", "https://localhost")
        broken.configure(f'\n[feedback.crm]\nreport_to = "{url}"\nsecret = "env:CRM_SECRET"\n')
        broken.given(*customer(), at=NOON)
        person = {"type": "customer", "id": "C1"}
        broken.given({**person, "name": "Ana Ortiz", "stated_by": "customer", "at": NOON.isoformat()}, at=NOON)
        later = NOON + DAY
        broken.given({**person, "name": "Anna", "source": "crm", "at": later.isoformat()}, at=later)
        app = broken.app(later)
        told = Feedback(app.store, app.configuration.feedback).send(later)
        app.store.close()
        assert (told.told, server.got) == (0, [])
        (problem,) = told.problems
        assert "private" in problem or "public" in problem, problem
