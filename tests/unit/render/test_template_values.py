"""What templates see: dates, times, numbers and groups, in the reader's language."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from commsched.errors import TemplateError
from commsched.render.context import Context, nested
from commsched.render.formats import language
from commsched.render.renderer import Renderer

CHICAGO = ZoneInfo("America/Chicago")
BERLIN = ZoneInfo("Europe/Berlin")
START = datetime(2026, 12, 1, 15, tzinfo=UTC)


@pytest.fixture(scope="module")
def say(tmp_path_factory):
    """Renders a short template with flat variables."""
    renderer = Renderer(tmp_path_factory.mktemp("templates"), "Northside Motors")

    def said(text, locale="", zone=CHICAGO, place=None, **variables):
        named = {name.replace("__", "."): value for name, value in variables.items()}
        return renderer.phrase(text, Context(named, zone, place), locale=locale)

    return said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ start }}", "Tuesday, December 1, 2026 at 9:00 AM CST"),
        ("{{ start.date }}", "December 1, 2026"),
        ("{{ start.day }}", "Tuesday, December 1"),
        ("{{ start.weekday }}", "Tuesday"),
        ("{{ start.time }} {{ start.zone }}", "9:00 AM CST"),
        ("{{ start.short }}", "Tue, Dec 1 at 9:00 AM CST"),
        ("{{ start.month }}", "December 2026"),
        ("{{ start|time }}", "9:00 AM CST"),
        ("{{ start|date }}|{{ start|date('full') }}", "December 1, 2026|Tuesday, December 1, 2026"),
    ],
)
def test_when(say, text, expected):
    """An instant prints itself and its parts in ordinary characters, with the zone named."""
    assert say(text, start=START) == expected


def test_zone_of_the_place(say):
    """An appointment is printed in the zone of its place, every other instant in the reader's."""
    said = say(
        "{{ start.time }} {{ start.zone }}, {{ event.time }} {{ event.zone }}", place=BERLIN, start=START, event=START
    )
    assert said == "4:00 PM CET, 9:00 AM CST"


def test_clock_change(say):
    """On both sides of a clock change the zone's name is the one that holds."""
    assert say("{{ start.short }}", start=datetime(2026, 11, 1, 6, 30, tzinfo=UTC)) == "Sun, Nov 1 at 1:30 AM CDT"
    assert say("{{ start.short }}", start=datetime(2026, 11, 1, 7, 30, tzinfo=UTC)) == "Sun, Nov 1 at 1:30 AM CST"


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("America/Sao_Paulo", "UTC-3"), ("Asia/Kolkata", "IST"), ("Asia/Kathmandu", "UTC+5:45"), ("Europe/London", "GMT")],
)
def test_zones_without_a_name(say, zone, expected):
    """A zone that nobody has a short name for is printed by its distance from UTC."""
    assert say("{{ start.zone }}", place=ZoneInfo(zone), start=START) == expected


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("en-US", "Tuesday, December 1, 2026 at 9:00 AM CST"),
        ("en-GB", "Tuesday, 1 December 2026 at 09:00 CST"),
        ("es", "martes, 1 de diciembre de 2026, 9:00 a.m. CST"),
        ("es-ES", "martes, 1 de diciembre de 2026, 9:00 CST"),
        ("de-DE", "Dienstag, 1. Dezember 2026 um 09:00 CST"),
    ],
)
def test_languages(say, locale, expected):
    """Dates and times follow the locale; a language without a country follows the organisation's country."""
    assert say("{{ start }}", locale=locale, start=START) == expected


def test_due(say):
    """``due`` prints as its date, with the reading in the owner's unit and the locale's separators."""
    variables = {"due": date(2026, 12, 1), "due__date": date(2026, 12, 1), "due__reading": 80467.2, "due__unit": "mi"}
    text = "{{ due }}: {{ due.reading }} {{ due.unit }}, {{ due.weekday }}, {{ due.short }}, {{ due.certain }}"
    assert say(text, **variables, due__certain=True) == "December 1, 2026: 50,000 miles, Tuesday, Tue, Dec 1, True"
    assert say("{{ due.reading }} {{ due.unit }}", locale="es", **variables) == "50,000 millas"
    assert say("{{ due.reading }} {{ due.unit }}", locale="de-DE", **variables | {"due__unit": "km"}) == "80.467 km"
    assert (
        say("{{ due.reading }} {{ due.unit }}", **variables | {"due__reading": 1500.0, "due__unit": "h"})
        == "1,500 hours"
    )


def test_due_by_time_alone(say):
    """Without a reading ``due.reading`` is empty, so a template can leave it out."""
    text = "{{ due }}{% if due.reading %} or {{ due.reading }}{% endif %}"
    assert say(text, due=date(2026, 12, 1), due__reading=None, due__unit="mi") == "December 1, 2026"
    assert say(text, due=date(2027, 3, 31)) == "March 31, 2027"


def test_due_instant(say):
    """A due instant, such as a promise's, keeps its time; a forecast's is the date where the reader is."""
    assert say("{{ due.short }}", due=START) == "Tue, Dec 1 at 9:00 AM CST"
    assert say("{{ due }}", due=datetime(2026, 12, 2, 3, tzinfo=UTC), due__certain=True) == "December 1, 2026"


def test_service(say):
    """``service`` prints as its name and has its id; without a name the id stands for it."""
    assert (
        say("{{ service }} {{ service.id }} {{ service.name }}", service="oil", service__name="Oil change")
        == "Oil change oil Oil change"
    )
    assert say("{{ service.name }}", service="oil") == "oil"


def test_event(say):
    """``event`` is both an instant and the event's data."""
    said = say("{{ event.date }} {{ event.kind }} {{ event }}", event=START, event__kind="recall")
    assert said == "December 1, 2026 recall Tuesday, December 1, 2026 at 9:00 AM CST"


def test_filters(say):
    """Numbers, distances and money follow the locale."""
    text = "{{ x|number }} {{ x|number(2) }} {{ x|distance('mi') }} {{ x|distance('km') }} {{ x|money('USD') }}"
    assert say(text, x=12345.678) == "12,346 12,345.68 7,671 miles 12,346 km $12,345.68"
    assert say("{{ x|money('EUR') }}", locale="de-DE", x=1234.5) == "1.234,50 €"
    assert say("{{ name|plain }}", name="José Ávila") == "José Avila"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ asset.modle }}", "asset.modle is not known here; asset has kind, model"),
        ("{{ asset }}", "asset has several parts: print one of them, such as asset.kind"),
        ("{{ milage }}", "'milage' is undefined"),
        ("{{ start.local }}", "no attribute 'local'"),
        ("{{ asset.model.upper() }}", "use a filter"),
        ("{{ asset.gone }}", "asset.gone is not known"),
        ("{{ start|date('odd') }}", "date knows the styles long, full"),
        ("{{ asset.kind|time }}", "time needs an instant"),
    ],
)
def test_mistakes(say, text, said):
    """A name that is not there is an error that says what is."""
    with pytest.raises(TemplateError, match="phrase:1: ") as caught:
        say(text, start=START, asset__model="Corolla", asset__kind="car", asset__gone=None)
    assert said in str(caught.value)


def test_nothing_to_print():
    """A due value that is no date, and an instant without a zone, are refused."""
    with pytest.raises(TypeError, match="neither a date nor an instant"):
        nested(Context({"due": "soon"}, CHICAGO), "en_US")


@pytest.mark.parametrize(
    ("tag", "name", "chain", "direction"),
    [
        ("es", "es_US", ("es-US", "es"), "ltr"),
        ("es-MX", "es_MX", ("es-MX", "es"), "ltr"),
        ("es_mx", "es_MX", ("es-MX", "es"), "ltr"),
        ("zh-Hant-TW", "zh_Hant_TW", ("zh-Hant-TW", "zh-Hant", "zh"), "ltr"),
        ("ar", "ar", ("ar",), "rtl"),
    ],
)
def test_language(tag, name, chain, direction):
    """A tag is read leniently, and its templates are looked for from the particular to the general."""
    found = language(tag, "en_US")
    assert (found.name, found.chain, found.direction) == (name, chain, direction)


@pytest.mark.parametrize("tag", ["", "xx-YY", "english please", "../../etc", "e"])
def test_no_language(tag):
    """What is no language tag has no language."""
    assert language(tag) is None
