"""B5: through the libraries of Twilio and SendGrid, against the same libraries used bare, over as many connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from benchmarks import servers, stub
from benchmarks.bare import decided, messages
from benchmarks.bench import Amounts, Numbers, opened, timed, warmed
from benchmarks.population import STORM, customer_id, storm, write
from benchmarks.shifted import shifted
from commsched.builtin.channels.sendgrid_email import SendgridEmail, SendgridSettings
from commsched.builtin.channels.twilio_sms import TwilioSms, TwilioSmsSettings
from commsched.plugin.channel import Accepted, Channel, Outgoing
from commsched.render.content import Content
from commsched.render.mail import Mailbox, frame

CONNECTIONS = 50
DAY = timedelta(days=1)
SID, TOKEN, SENDER = "AC" + "0" * 32, "0" * 32, "+18475550142"
SHOP, WORDS = Mailbox("Northside Motors", "service@northside-motors.example"), "We are closed on Friday. "


def twilio(folder: Path, amounts: Amounts) -> Numbers:
    """The engine, the channel alone, and the bare library send the same texts."""
    servers.needs("twilio")
    with stub.running() as there, shifted():
        settings = TwilioSmsSettings(
            account_sid=SID, auth_token=SecretStr(TOKEN), sender=SENDER, base_url=there.url, timeout=30
        )
        channel = TwilioSms(settings, name="text")
        app = _texts_are_due(folder, amounts.calls, channel)
        due = decided(app, [customer_id(number, "S") for number in range(amounts.calls)])
        texts = list(messages(app, due))
        bare = _per_second(len(texts), lambda: _bare(_bare_twilio(there.url), texts))
        alone = _per_second(len(texts), lambda: asyncio.run(_one_by_one(channel, texts)))
        with timed() as watch:
            report = app.loop().tick(STORM)
    engine = report.sent / watch.seconds
    return {"bare": bare, "channel": alone, "engine": engine, "lost": amounts.calls - report.sent}


def _texts_are_due(folder: Path, count: int, channel: TwilioSms) -> Any:  # noqa: ANN401 - the app
    (folder / "var").mkdir(exist_ok=True)
    write(folder / "base.jsonl", storm(count, medium="sms"))
    app, clock = opened(folder, STORM - DAY)
    app.channels["text"] = channel
    for _ in app.take_in(folder / "base.jsonl", "dms"):
        pass
    app.loop().tick(clock.at)
    clock.at = STORM
    warmed(app)
    return app


def sendgrid(folder: Path, amounts: Amounts) -> Numbers:
    """The channel's batches, of mail with the same words and of mail with words of its own, and single bare calls."""
    del folder
    servers.needs("sendgrid")
    with stub.running() as there, shifted():
        channel = SendgridEmail(SendgridSettings(api_key=SecretStr(TOKEN), base_url=there.url, timeout=30), name="mail")
        alike = [_mail(number, WORDS * 20) for number in range(amounts.alike)]
        own = [_mail(number, f"{WORDS * 20}{number}") for number in range(amounts.calls)]
        return {
            "bare": _per_second(len(own), lambda: _bare(_bare_sendgrid(there.url), own)),
            "alike": _per_second(len(alike), lambda: _in_batches(channel, alike)),
            "own": _per_second(len(own), lambda: _in_batches(channel, own)),
        }


def _mail(number: int, text: str) -> Outgoing:
    to = Mailbox("Ana Ortiz", f"s{number}@example.com")
    content = Content("Closed on Friday", text, f"<p>{text}</p>")
    mime = frame(content, SHOP, to, f"{number}@bench.example", STORM)
    name, key = f"attempt-{number}", f"bench/{number}"
    return Outgoing(
        name, key, "email", to.address, to.name, content.subject, text, content.html, STORM + DAY, STORM, mime
    )


def _per_second(count: int, do: Callable[[], object]) -> float:
    with timed() as watch:
        do()
    return count / watch.seconds


async def _one_by_one(channel: Channel[Any], texts: Sequence[Outgoing]) -> None:
    """As many at a time as the engine hands over."""
    places = asyncio.Semaphore(CONNECTIONS)

    async def send(one: Outgoing) -> None:
        async with places:
            await channel.send(one)

    await asyncio.gather(*map(send, texts))


def _in_batches(channel: SendgridEmail, mail: Sequence[Outgoing]) -> None:
    """As the engine does: up to a batch of the channel at a time."""
    most = channel.capabilities.batch
    for start in range(0, len(mail), most):
        outcomes = asyncio.run(channel.send_batch(mail[start : start + most]))
        if not all(isinstance(one, Accepted) for one in outcomes):
            raise SystemExit(f"The stub did not take all: {outcomes[0]}")


def _bare(send: Callable[[Outgoing], object], what: Sequence[Outgoing]) -> None:
    """A loop over the library, as one would write it."""
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for _ in pool.map(send, what):
            pass


def _bare_twilio(url: str) -> Callable[[Outgoing], object]:
    from requests.adapters import HTTPAdapter  # noqa: PLC0415 - only where it is installed
    from twilio.http.http_client import TwilioHttpClient  # noqa: PLC0415 - likewise
    from twilio.rest import Client  # noqa: PLC0415 - likewise

    class Elsewhere(TwilioHttpClient):  # type: ignore[misc]
        """The library's own client, with the stub in Twilio's place and room for all connections."""

        def request(self, method: str, address: str, *rest: object, **named: object) -> object:
            return super().request(method, address.replace("https://api.twilio.com", url), *rest, **named)

    http = Elsewhere(timeout=30)
    http.session.mount("http://", HTTPAdapter(CONNECTIONS, CONNECTIONS))
    client = Client(SID, TOKEN, http_client=http)

    def send(one: Outgoing) -> object:
        return client.messages.create(to=one.to, body=one.text, from_=SENDER)

    return send


def _bare_sendgrid(url: str) -> Callable[[Outgoing], object]:
    from sendgrid import SendGridAPIClient  # noqa: PLC0415 - only where it is installed
    from sendgrid.helpers.mail import Mail  # noqa: PLC0415 - likewise

    def send(one: Outgoing) -> object:
        # A client a call: its headers are shared between the calls of one, and grow.
        mail = Mail(SHOP.address, one.to, one.subject, one.text, one.html)
        return SendGridAPIClient(TOKEN, host=url).send(mail)

    return send


def stub_alone(folder: Path, amounts: Amounts) -> Numbers:
    """The stub's own limit: without any latency, over as many connections, from a client that does little else."""
    del folder
    with stub.running(0.0) as there:
        with timed() as watch:
            asyncio.run(_ask_bare(there.port, amounts.alike))
        arrived = there.arrived()
    return {"per_second": arrived.calls / watch.seconds, "cpu_us": arrived.cpu / arrived.calls * 1e6}


async def _ask_bare(port: int, count: int) -> None:
    head = b"POST /mail HTTP/1.1\r\nX-To: s@example.com\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000

    async def ask(times: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(times):
            writer.write(head)
            await reader.readuntil(b"{}")
        writer.close()

    await asyncio.gather(*(ask(max(1, count // CONNECTIONS)) for _ in range(CONNECTIONS)))
