"""Where providers call: each channel has a door, and what was told is durable before it is answered."""

from __future__ import annotations

from asyncio import to_thread

from litestar import Request, Response, post
from litestar.datastructures import State as Shared
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from commsched.app import App
from commsched.errors import UnknownName
from commsched.plugin.channel import Forged, WebhookRequest
from commsched.render.links import WEBHOOKS

# Providers tell of a thousand messages in one call.
MOST_BODY = 2_000_000
Asked = Request[object, object, Shared]


def doors(app: App) -> list[HTTPRouteHandler]:
    """The routes for providers: the channel's, and that of one attempt."""

    @post(f"{WEBHOOKS}{{channel:str}}", status_code=200, request_max_body_size=MOST_BODY)
    async def channel_called(channel: FromPath[str], request: Asked) -> Response[bytes]:
        return await _called(app, channel, request)

    @post(f"{WEBHOOKS}{{channel:str}}/{{attempt:str}}", status_code=200, request_max_body_size=MOST_BODY)
    async def attempt_called(channel: FromPath[str], attempt: FromPath[str], request: Asked) -> Response[bytes]:
        del attempt  # the channel reads it in the address
        return await _called(app, channel, request)

    return [channel_called, attempt_called]


async def _called(app: App, channel: str, request: Asked) -> Response[bytes]:
    headers = {name.lower(): value for name, value in request.headers.items()}
    called = WebhookRequest(request.method, _address(app, request), headers, await request.body())
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
