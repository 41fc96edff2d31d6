"""Where providers call: each channel has a door, and what was told is durable before it is answered."""

from __future__ import annotations

from asyncio import Semaphore, to_thread
from contextlib import nullcontext

from litestar import Request, Response, post
from litestar.datastructures import State as Shared
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from commsched.app import App
from commsched.errors import UnknownName
from commsched.plugin.channel import Forged, WebhookRequest
from commsched.render.links import WEBHOOKS

# Providers tell of a thousand messages in one call, or hand over a whole mail: SendGrid takes mails of up to 30 MB
# (https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook), and one that
# is refused here is lost.
MOST_BODY = 31_000_000
# Who calls is known only when all of it is there: of those larger than an ordinary call, so many are taken in at once.
ORDINARY, LARGE_AT_ONCE = 2_000_000, 2
Asked = Request[object, object, Shared]


def doors(app: App) -> list[HTTPRouteHandler]:
    """The routes for providers: the channel's, and that of one attempt."""
    large = Semaphore(LARGE_AT_ONCE)

    @post(f"{WEBHOOKS}{{channel:str}}", status_code=200, request_max_body_size=MOST_BODY)
    async def channel_called(channel: FromPath[str], request: Asked) -> Response[bytes]:
        return await _called(app, channel, request, large)

    @post(f"{WEBHOOKS}{{channel:str}}/{{attempt:str}}", status_code=200, request_max_body_size=MOST_BODY)
    async def attempt_called(channel: FromPath[str], attempt: FromPath[str], request: Asked) -> Response[bytes]:
        del attempt  # the channel reads it in the address
        return await _called(app, channel, request, large)

    return [channel_called, attempt_called]


async def _called(app: App, channel: str, request: Asked, large: Semaphore) -> Response[bytes]:
    headers = {name.lower(): value for name, value in request.headers.items()}
    length = headers.get("content-length", "")
    ordinary = length.isdecimal() and int(length) <= ORDINARY
    async with nullcontext() if ordinary else large:
        called = WebhookRequest(request.method, _address(app, request), headers, await request.body())
        return await _answered(app, channel, called)


async def _answered(app: App, channel: str, called: WebhookRequest) -> Response[bytes]:
    try:
        answer = await to_thread(app.heard, channel, called)
    except (Forged, UnknownName):
        # Whether there is such a channel is nobody's business who cannot sign for it.
        return Response(b"", status_code=403, media_type="text/plain")
    return Response(answer.body, status_code=answer.status, media_type=answer.content_type or "text/plain")


def _address(app: App, request: Asked) -> str:
    """The address that was called, as the provider wrote it: what it signed."""
    query = request.scope["query_string"].decode("latin-1")
    path = request.scope.get("raw_path", b"").decode("latin-1").partition("?")[0]
    return f"{app.public_url}{path}{f'?{query}' if query else ''}"
