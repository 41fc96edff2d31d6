"""Whatever is asked of the pages: no answer of theirs is an error of ours (schemathesis, on every route)."""

import schemathesis
from hypothesis import given, settings
from people import car, driver
from reader import Reader

from commsched.web.site import site

CHANNELS = ["mail", "text", "nobody"]
ACTIONS = ["confirm", "cancel", "disown", "keep", "reschedule", "feedback", "stop", "start", "preferences", "why"]
FIELDS = ["what", "mood", "words", "when", "value", "asset", "years", "language", "medium", "begins", "ends", "day-mon"]
VALUES = [
    "topic",
    "everything",
    "trapped",
    "email",
    "reading",
    "keeping",
    "hours",
    "name",
    "V1",
    "10",
    "41200",
    "17:00",
]


def text(*, one_of=None):
    return {"type": "string", "enum": one_of} if one_of else {"type": "string"}


def schema(token):
    """The pages as OpenAPI describes them: ours are for people, so no such description is served."""
    link = {"name": "token", "in": "path", "required": True}
    step = {"name": "action", "in": "path", "required": True}
    asked = [{"name": name, "in": "query", "schema": text()} for name in ("lang", "done", "failed", "what")]
    said = {"schema": {"type": "object", "properties": {name: text() for name in FIELDS}}}
    likely = {"schema": {"type": "object", "properties": {name: text(one_of=VALUES) for name in FIELDS}}}
    answers = {"responses": {"200": {"description": "a page"}}}
    real, any_token = {**link, "schema": text(one_of=[token])}, {**link, "schema": text()}
    form = "application/x-www-form-urlencoded"
    return {
        "openapi": "3.0.3",
        "info": {"title": "pages", "version": "1"},
        "paths": {
            "/m/{token}/{action}": {
                "get": {"parameters": [real, {**step, "schema": text()}, *asked], **answers},
                "post": {
                    "parameters": [real, {**step, "schema": text(one_of=ACTIONS)}],
                    "requestBody": {"required": True, "content": {form: likely}},
                    **answers,
                },
            },
            "/m/{token}": {"get": {"parameters": [any_token, *asked], **answers}},
            "/webhooks/{token}/{action}": {
                "post": {
                    "parameters": [
                        {**link, "schema": text(one_of=["mail", "text", "nobody"])},
                        {**step, "schema": text()},
                    ],
                    "requestBody": {"required": True, "content": {form: said}},
                    **answers,
                }
            },
        },
    }


def test_no_answer_is_an_error_of_ours(story):
    """Hundreds of made-up requests, on a real link and on none: never a 5xx."""
    tale = car(driver(story("2026-12-01 09:00")))
    tale.given(
        "appointment", customer="C1", id="A1", service="oil_change", asset="V1", status="booked",
        booked_by="staff", stated_by="staff", start="2026-12-15 09:00", end="2026-12-15 09:45",
    ).until("2026-12-02 09:00")  # fmt: skip
    token = Reader(tale, tale.sent(rule="appointment-reminders", step="confirmation")).home.removeprefix("/m/")
    described = schemathesis.openapi.from_dict(schema(token))
    application, answered = site(tale.app), []

    for operation in described.get_all_operations():

        @settings(max_examples=60, deadline=None, derandomize=True)
        @given(case=operation.ok().as_strategy())
        def ask(case):
            answer = case.call(app=application)
            answered.append(answer.status_code)
            assert answer.status_code < 500, (case.method, case.path_parameters, case.body)

        ask()
    assert len(answered) > 100
    assert {200, 404} <= set(answered)
