"""The pages over HTTP. GET and HEAD never change anything: programs that read mail open every link."""

from __future__ import annotations

import traceback
from asyncio import to_thread
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from unicodedata import bidirectional, category
from urllib.parse import urlencode

import structlog
from litestar import Litestar, MediaType, Request, Response, get, post, route
from litestar.datastructures import State as Shared
from litestar.exceptions import ClientException, HTTPException
from litestar.params import FromPath

from commsched.app import App
from commsched.signals import Asked as Announced
from commsched.signals import Pressed, announce
from commsched.web.calendarfile import calendar_file
from commsched.web.doors import doors
from commsched.web.letters import Letter, opened
from commsched.web.limits import Limits
from commsched.web.pages import Page, nowhere, page, tongue_of
from commsched.web.presses import one_click, press
from commsched.web.views import view_of

log = structlog.get_logger("commsched.web")
STYLE = Path(__file__).with_name("style.css").read_text("utf-8")
MOST_BODY = 20_000
# Marks that set or end a direction of writing for more than themselves (Unicode Standard Annex 9).
TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
CALENDAR_FILE = "appointment.ics"
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


Asked = Request[object, object, Shared]


def site(app: App) -> Litestar:
    """The customers' pages of a deployment, as an ASGI application."""
    pages = _Pages(app)

    @route("/m/{token:str}", http_method=["GET", "HEAD"])
    async def message(token: FromPath[str], request: Asked) -> Response[str]:
        return await to_thread(pages.shown, token, "", dict(request.query_params), _host(request))

    @route("/m/{token:str}/{action:str}", http_method=["GET", "HEAD"])
    async def about(token: FromPath[str], action: FromPath[str], request: Asked) -> Response[str]:
        return await to_thread(pages.shown, token, action, dict(request.query_params), _host(request))

    @post("/m/{token:str}/{action:str}", status_code=200)
    async def pressed(token: FromPath[str], action: FromPath[str], request: Asked) -> Response[str]:
        form = await _form(request)
        lang = request.query_params.get("lang")
        return await to_thread(pages.pressed, token, action, form, lang, _host(request))

    @get("/style.css", media_type="text/css", cache_control=None)
    async def style() -> Response[str]:
        return Response(STYLE, media_type="text/css", headers={**HEADERS, "Cache-Control": "max-age=3600"})

    return Litestar(
        [message, about, pressed, style, *doors(app)],
        openapi_config=None,
        logging_config=None,
        request_max_body_size=MOST_BODY,
        exception_handlers={
            404: lambda *_: _counted("nowhere", _response(nowhere(app, None))),
            HTTPException: _refused,
            500: _failed,
        },
    )


class _Pages:
    """Answers requests, each in a thread of its own."""

    def __init__(self, app: App) -> None:
        self.app, self.limits = app, Limits()

    def shown(self, token: str, action: str, asked: Mapping[str, str], host: str) -> Response[str]:
        letter = opened(self.app, token)
        if action == CALENDAR_FILE:
            return self._file(letter, host)
        view = view_of(letter, action) if letter is not None and not letter.withdrawn else None
        if letter is None or view is None:
            return self._nowhere(host, asked.get("lang"))
        return _counted("page", _response(view(self.app, letter, asked)))

    def pressed(self, token: str, action: str, form: Mapping[str, str], lang: str | None, host: str) -> Response[str]:
        letter = opened(self.app, token)
        unsubscribes = action == "stop" and form.get("List-Unsubscribe") == "One-Click"
        if letter is None or (letter.withdrawn and not unsubscribes):
            return self._nowhere(host, lang)
        if not self.limits.link(token):
            return _counted("press", _TOO_OFTEN)
        if unsubscribes:
            one_click(self.app, letter)
            _tell(letter, "unsubscribe", "stopped")
            return _counted("press", Response("", media_type=MediaType.TEXT, headers=HEADERS))
        came = press(self.app, letter, action, form)
        if came is None:
            return self._nowhere(host, lang)
        _tell(letter, action, came.done or came.failed or "")
        if came.done == "withdrawn":
            # By its link nothing can be got any more, so that the answer is the page itself.
            return _counted("press", _response(page(self.app, letter, "withdrawn", lang)))
        told = {"lang": lang, "done": came.done, "failed": came.failed, "what": came.what}
        query = urlencode({name: value for name, value in told.items() if value})
        # The page that follows is got, not posted: who loads it again presses nothing again.
        answer = Response("", status_code=303, headers={**HEADERS, "Location": f"/m/{letter.token}{came.to}?{query}"})
        return _counted("press", answer)

    def _file(self, letter: Letter | None, host: str) -> Response[str]:
        if letter is None or letter.withdrawn or not letter.live:
            return self._nowhere(host, None)
        organisation = self.app.configuration.deployment.name
        found = calendar_file(letter, organisation, tongue_of(self.app, letter, None))
        if found is None:
            return self._nowhere(host, None)
        return _counted("file", Response(found.decode(), media_type="text/calendar", headers=HEADERS))

    def _nowhere(self, host: str, lang: str | None) -> Response[str]:
        """Only what leads nowhere is counted by address: many customers may share one, a proxy's or a provider's."""
        known = _response(nowhere(self.app, lang)) if self.limits.address(host) else _TOO_OFTEN
        return _counted("nowhere", known)


def _counted(kind: Literal["page", "press", "file", "nowhere"], answer: Response[str]) -> Response[str]:
    announce(Announced(kind, answer.status_code or 200))
    return answer


def _tell(letter: Letter, action: str, result: str) -> None:
    announce(Pressed(letter.message.customer, letter.message.key, action, result))


async def _form(request: Asked) -> dict[str, str]:
    """The fields of a form as plain text, the last of each name. Raises :class:`ClientException` if it is none."""
    try:
        fields = await request.form()
    except LookupError as error:
        # An alphabet that nobody knows.
        raise ClientException from error
    return {name: plain(value) for name, value in fields.multi_items() if isinstance(value, str)}


def plain(text: str) -> str:
    """A text without control characters, but for lines, and without what turns round the text beside it."""
    kept = (one for one in text if one in "\r\n\t" or category(one) not in {"Cc", "Cs"})
    return "".join(one for one in kept if bidirectional(one) not in TURNING)


def _host(request: Asked) -> str:
    return request.client.host if request.client is not None else ""


def _refused(_: Asked, error: HTTPException) -> Response[str]:
    """What no page of ours asks for: no form, too large a one, a method that there is not."""
    text = "That was not understood. Nothing has changed."
    return Response(text, media_type=MediaType.TEXT, status_code=error.status_code, headers=HEADERS)


def _failed(_: Asked, error: Exception) -> Response[str]:
    announce(Announced("failed", 500))
    # The address is a secret, and what the error says may name somebody.
    log.error("page_failed", error=type(error).__name__, at=_place(error))
    return Response(
        "Something went wrong here. Nothing has changed; please try again, or call us.",
        media_type=MediaType.TEXT,
        status_code=500,
        headers=HEADERS,
    )


def _place(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{last.filename}:{last.lineno}"


def _response(one: Page) -> Response[str]:
    return Response(one.html, media_type=MediaType.HTML, status_code=one.status, headers=HEADERS)
