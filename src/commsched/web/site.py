"""The pages over HTTP. GET and HEAD never change anything: programs that read mail open every link."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

from litestar import Litestar, MediaType, Request, Response, get, post, route
from litestar.datastructures import State as Shared
from litestar.params import FromPath

from commsched.app import App
from commsched.render.links import WEBHOOKS
from commsched.web.doors import doors
from commsched.web.letters import opened
from commsched.web.limits import Limits
from commsched.web.pages import Page, nowhere
from commsched.web.presses import one_click, press
from commsched.web.views import VIEWS, home

STYLE = Path(__file__).with_name("style.css").read_text("utf-8")
MOST_BODY = 20_000
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "interest-cohort=()",
}


_TOO_OFTEN = Response(
    "That was too often. Please wait a minute.",
    media_type=MediaType.TEXT,
    status_code=429,
    headers={**HEADERS, "Retry-After": "60"},
)


def site(app: App) -> Litestar:
    """The customers' pages of a deployment, as an ASGI application."""
    limits = Limits()

    def limited(request: Request[object, object, Shared]) -> Response[str] | None:
        if request.url.path.startswith(WEBHOOKS):
            return None  # providers sign what they say, and may say much
        host = request.client.host if request.client is not None else ""
        return None if limits.address(host) else _TOO_OFTEN

    async def show(token: str, action: str, asked: Mapping[str, str]) -> Response[str]:
        return await to_thread(_shown, app, token, action, asked)

    @route("/m/{token:str}", http_method=["GET", "HEAD"])
    async def message(token: FromPath[str], request: Request[object, object, Shared]) -> Response[str]:
        return await show(token, "", dict(request.query_params))

    @route("/m/{token:str}/{action:str}", http_method=["GET", "HEAD"])
    async def about(
        token: FromPath[str], action: FromPath[str], request: Request[object, object, Shared]
    ) -> Response[str]:
        return await show(token, action, dict(request.query_params))

    @post("/m/{token:str}/{action:str}", status_code=200)
    async def pressed(
        token: FromPath[str], action: FromPath[str], request: Request[object, object, Shared]
    ) -> Response[str]:
        form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
        return await to_thread(_pressed, app, limits, token, action, form, request.query_params.get("lang"))

    @get("/style.css", media_type="text/css", cache_control=None)
    async def style() -> Response[str]:
        return Response(STYLE, media_type="text/css", headers={**HEADERS, "Cache-Control": "max-age=3600"})

    return Litestar(
        [message, about, pressed, style, *doors(app)],
        before_request=limited,
        openapi_config=None,
        request_max_body_size=MOST_BODY,
        exception_handlers={404: lambda *_: _response(nowhere(app, None))},
    )


def _shown(app: App, token: str, action: str, asked: Mapping[str, str]) -> Response[str]:
    letter = opened(app, token)
    view = home if not action else VIEWS.get(action)
    if letter is None or view is None:
        return _response(nowhere(app, asked.get("lang")))
    return _response(view(app, letter, asked))


def _pressed(
    app: App, limits: Limits, token: str, action: str, form: Mapping[str, str], lang: str | None
) -> Response[str]:
    letter = opened(app, token)
    if letter is None:
        return _response(nowhere(app, lang))
    if not limits.link(token):
        return _TOO_OFTEN
    if action == "stop" and form.get("List-Unsubscribe") == "One-Click":
        one_click(app, letter)
        return Response("", media_type=MediaType.TEXT, headers=HEADERS)
    came = press(app, letter, action, form)
    if came is None:
        return _response(nowhere(app, lang))
    told = {"lang": lang, "done": came.done, "failed": came.failed, "what": came.what}
    query = urlencode({name: value for name, value in told.items() if value})
    # The page that follows is got, not posted: who loads it again presses nothing again.
    return Response("", status_code=303, headers={**HEADERS, "Location": f"/m/{letter.token}{came.to}?{query}"})


def _response(one: Page) -> Response[str]:
    return Response(one.html, media_type=MediaType.HTML, status_code=one.status, headers=HEADERS)
