"""The small deployment with channels that speak HTTP to a provider of ours, and what must hold after a fault."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from deployment import NOON, Deployment
from provider import Provider

from commsched.cli.explained import explained
from commsched.model.decisions import ACCEPTED
from commsched.plugin.channel import WebhookRequest
from commsched.plugin.crash import VARIABLE
from commsched.store import queries

MINUTE = timedelta(minutes=1)
SECRET = b"a secret of these tests"
ENDED = ACCEPTED | {"refused", "cancelled", "expired", "skipped"}
PLUGIN = """
import asyncio, hashlib, hmac, json, os, signal
from datetime import datetime, timedelta, timezone
from typing import Literal
from commsched import (Accepted, Ambiguous, Capabilities, Channel, ChannelDown, ChannelEvent, Forged, Receipt, Refused,
    Settings, TryLater, crash_point, hookimpl)

SECRET = b"a secret of these tests"

class WireSettings(Settings):
    port: int
    medium: Literal["email", "sms"] = "email"
    timeout: float = 0.5

def pause(place):
    if os.environ.get("PAUSE") == place:
        del os.environ["PAUSE"]
        os.kill(os.getpid(), signal.SIGSTOP)

class Wire(Channel[WireSettings]):
    kind = "wire"
    capabilities = Capabilities(lookup="hint", webhook=True, inbound=True, validity=timedelta(hours=10))

    async def send(self, message):
        body = json.dumps({"attempt": message.attempt, "key": message.key, "to": message.to, "text": message.text,
            "at": message.at.isoformat(), "send_by": message.send_by.isoformat()})
        crash_point("wire-before-send")
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.settings.port)
        except OSError as error:
            raise ChannelDown("nobody answers") from error
        try:
            async with asyncio.timeout(self.settings.timeout):
                status, headers, said = await talk(reader, writer, "POST", f"/send/{self.name}", body)
        except (OSError, TimeoutError, ValueError, IndexError) as error:
            raise Ambiguous(f"no whole answer ({type(error).__name__})") from error
        finally:
            writer.close()
        crash_point("wire-after-send")
        pause("answer")
        if status == 429:
            raise TryLater("429", after=timedelta(seconds=int(headers["retry-after"])))
        if status == 401:
            raise ChannelDown("401")
        if status == 400:
            raise Refused("400", opted_out="21610" in said)
        try:
            return Accepted(json.loads(said)["id"]) if status == 201 else doubt(status)
        except ValueError as error:
            raise Ambiguous("no answer that can be read") from error

    async def lookup(self, attempt):
        status, _, _ = await self.get(f"/known/{attempt.id}")
        return Receipt(attempt.id, "accepted", f"r-{attempt.id}") if status == 200 else None

    def webhook(self, request):
        if not hmac.compare_digest(hmac.new(SECRET, request.body, "sha256").hexdigest(), request.headers["signature"]):
            raise Forged(self.name)
        return [event(one) for one in json.loads(request.body)]

    async def inbound(self, since):
        _, _, said = await self.get("/inbound")
        return [event(one) for one in json.loads(said)]

    async def get(self, path):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.settings.port)
        try:
            return await talk(reader, writer, "GET", path, "")
        finally:
            writer.close()

def doubt(status):
    raise Ambiguous(str(status))

def event(one):
    return ChannelEvent(**{**one, "at": datetime.fromisoformat(one["at"])})

async def talk(reader, writer, method, path, body):
    writer.write(f"{method} {path} HTTP/1.0\\r\\nContent-Length: {len(body.encode())}\\r\\n\\r\\n{body}".encode())
    await writer.drain()
    head, _, said = (await reader.read()).partition(b"\\r\\n\\r\\n")
    first, *lines = head.decode().split("\\r\\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(first.split()[1]), headers, said.decode()

@hookimpl
def prepare_templates(environment):
    environment.globals["pause"] = lambda place: pause(place) or ""

@hookimpl
def register_channels():
    return [Wire]
"""


class Wired(Deployment):
    """A deployment whose mail goes to a provider that can be broken."""

    def __init__(self, folder: Path, provider: Provider) -> None:
        super().__init__(folder)
        self.provider = provider
        self.plugin("wire", PLUGIN)
        self.replace('kind = "outbox"\n', f'kind = "wire"\nport = {provider.port}\n')
        self.template("hello", "Subject: Thank you\n\nThank you, {{ customer.name }}.{{ pause('render') }}\n")

    @property
    def accepted(self) -> list[dict[str, str]]:
        return self.provider.ledger

    def spare(self, name: str = "spare", medium: str = "email", more: str = "") -> None:
        """One more channel to the same provider."""
        port = self.provider.port
        self.configure(f'\n[[channels]]\nname = "{name}"\nkind = "wire"\nport = {port}\nmedium = "{medium}"\n{more}')

    def attempts(self) -> list[str]:
        """The ids of all attempts, in order."""
        with self._store() as store, store.read() as connection:
            return [row.id for row in queries.attempts(connection)]

    def hear(self, *events: dict[str, object], crash: str = "", channel: str = "mail") -> int:
        """A signed call of the provider, taken in a process of its own; its exit code."""
        body = json.dumps(events).encode()
        signature = hmac.new(SECRET, body, hashlib.sha256).hexdigest()
        request = WebhookRequest("POST", "https://x.example/hooks/mail", {"signature": signature}, body)

        def work() -> None:
            app = self.app(NOON + MINUTE)
            app.heard(channel, request)
            app.store.close()

        return ended(forked(work, crash))

    def holds(self, keys: int) -> None:
        """What must hold whatever broke.

        Every message has ended, is planned, or is in doubt with its age shown; none was accepted twice.
        """
        messages = self.messages
        assert len(messages) == keys
        assert max(self.provider.accepts.values(), default=0) <= 1, "accepted twice"
        app = self.app(NOON + 2 * MINUTE)
        for one in messages:
            assert one.state in ENDED | {"planned", "in_doubt"}
            if one.state == "in_doubt":
                assert explained(app, one.key).doubt.startswith("In doubt for ")
            if one.state in ACCEPTED:
                assert self.provider.accepts[one.key] == 1, "counts as sent, and nobody has it"
        app.store.close()


def forked(work: Callable[[], None], crash: str = "") -> int:
    """Do something in a child of this process; its process id."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.environ[VARIABLE] = crash
            work()
            code = 0
        except BaseException:  # noqa: BLE001 - nothing may leave the child and run on as the test
            traceback.print_exc()
        finally:
            os._exit(code)
    return child


def ended(child: int) -> int:
    """The exit code of a child; that of a signal is negative."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
