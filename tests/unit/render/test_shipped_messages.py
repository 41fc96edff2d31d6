"""The messages of the shipped deployment, in both languages, on both media, with all and with little known."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from commsched.render.renderer import Renderer
from commsched.render.sample import sample_context
from commsched.render.sms import GSM, segments

FOLDER = Path(__file__).parents[3] / "templates"
TRIGGERS = {
    "oil-change": "service_due",
    "oil-change-overdue": "service_due",
    "service-due": "service_due",
    "service-overdue": "service_due",
    "several-services": "service_due",
    "ask-mileage": "service_due",
    "appointment-confirmation": "appointment",
    "appointment-reminder": "appointment",
    "appointment-moved": "appointment",
    "appointment-cancelled": "appointment",
    "appointment-proposal": "appointment",
    "lease-end": "obligation",
    "inspection-due": "obligation",
    "trade-in": "event",
    "recall": "event",
    "survey": "service_record",
    "recheck": "service_record",
    "first-service-welcome": "service_record",
    "winter-tires": "season",
    "case-closed": "case",
}
LANGUAGES = ("en-US", "es")
WHY = "This is the reason that the rule states."
SELLING = re.compile(
    r"\b(amazing|exclusive|hurry|special offer|best price|don't miss|act now|free gift|10 out of)\b", re.IGNORECASE
)


@pytest.fixture(scope="module")
def renderer():
    return Renderer(FOLDER, "Northside Motors")


def rendered(renderer, name, medium, locale="en-US", *, bare=False):
    return renderer.render(name, medium, locale, sample_context(TRIGGERS[name], why=WHY, bare=bare))


def plain(text):
    return " ".join(text.replace("- ", " ").split())


class Reader(HTMLParser):
    """What a person sees of a mail, and what its elements are."""

    def __init__(self):
        super().__init__()
        self.text, self.tags, self._hidden = [], [], 0

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._hidden += tag in {"style", "title", "head"}

    def handle_endtag(self, tag):
        self._hidden -= tag in {"style", "title", "head"}

    def handle_data(self, data):
        if not self._hidden:
            self.text.append(data)


def read(html):
    reader = Reader()
    reader.feed(html)
    return reader


def test_all_are_there(renderer):
    """Every message is there in both languages with a mail and a text, and none has a problem."""
    assert renderer.problems() == []
    assert renderer.names() >= set(TRIGGERS)
    for name in TRIGGERS:
        assert renderer.media(name) >= {"email", "sms"}
        assert renderer.locales(name) == ("en-US", "es")
        assert all((FOLDER / name / "es" / file).exists() for file in ("email.mjml", "email.txt", "sms.txt"))


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("name", TRIGGERS)
def test_mail(renderer, name, locale, bare):
    """A mail has a subject of one line, says who writes, why, and how to say no; nothing in it looks unfilled."""
    found = rendered(renderer, name, "email", locale, bare=bare)
    assert 5 < len(found.subject) < 100
    assert "Northside Motors" in found.text
    assert ("Why you got this: " if locale == "en-US" else "Por qué recibe esto: ") + WHY in found.text
    assert '"stop"' in found.text
    assert not re.search(r"[{}]|None|  |\(\)| ,|\. \.|<", found.text)
    assert not re.search(r"\n\n\n", found.text)
    assert not SELLING.search(found.subject + found.text)


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("name", TRIGGERS)
def test_html_says_the_same(renderer, name, locale):
    """The HTML says what the text says, with a heading besides."""
    found = rendered(renderer, name, "email", locale)
    seen = " ".join("".join(read(found.html).text).split())
    for line in found.text.splitlines():
        assert plain(line.removeprefix("- ")) in plain(seen), line


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("name", TRIGGERS)
def test_html_is_accessible(renderer, name, locale):
    """The HTML names its language and title, has one heading, tables for layout only, and loads nothing."""
    found = rendered(renderer, name, "email", locale)
    reader = read(found.html)
    tags = [tag for tag, _ in reader.tags]
    assert dict(reader.tags)["html"]["lang"] == ("en-US" if locale == "en-US" else "es-US")
    assert tags.count("h1") == 1
    assert f"<title>{found.subject}</title>".replace("'", "&#39;") in found.html
    assert all(attributes.get("role") == "presentation" for tag, attributes in reader.tags if tag == "table")
    assert not {"img", "link", "script", "a", "iframe"} & set(tags)
    assert "url(" not in found.html
    assert "prefers-color-scheme: dark" in found.html
    assert 'name="color-scheme" content="light dark"' in found.html
    assert len(found.html) < 12_000


@pytest.mark.parametrize("bare", [False, True])
@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("name", TRIGGERS)
def test_sms(renderer, name, locale, bare):
    """A text is in the cheap alphabet, of at most two segments, names the sender and says how to end texts."""
    found = rendered(renderer, name, "sms", locale, bare=bare)
    assert GSM.issuperset(found.text)
    assert found.segments == segments(found.text).count <= 2
    assert found.text.startswith("Northside Motors: ")
    assert "STOP" in found.text
    assert not re.search(r"[{}]|None|  |\(\)| ,|\n", found.text)
    if name != "several-services":
        assert WHY in found.text


@pytest.mark.parametrize("medium", ["email", "sms"])
@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("name", [name for name, trigger in TRIGGERS.items() if trigger == "appointment"])
def test_appointments_name_their_zone(renderer, name, locale, medium):
    """Every time of day in a message about an appointment has its zone beside it."""
    found = rendered(renderer, name, medium, locale)
    times = re.findall(r"\d:\d\d [AaPp]\.?[Mm]\.?( CST)?", f"{found.subject} {found.text}")
    assert times
    assert all(times)


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize(
    ("first", "second"), [("oil-change", "oil-change-overdue"), ("service-due", "service-overdue")]
)
def test_a_second_message_says_something_new(renderer, first, second, locale):
    """Hardly a sentence of the second message stood in the first, and its subject is another."""
    earlier, later = (rendered(renderer, name, "email", locale) for name in (first, second))
    frame = set(rendered(renderer, "winter-tires", "email", locale).text.splitlines())
    said = set(earlier.text.splitlines()) - frame
    new = [line for line in later.text.splitlines() if line and line not in frame]
    assert earlier.subject != later.subject
    assert sum(line in said for line in new) <= 2 < len(new)


def test_bundle_names_every_part(renderer):
    """A message for several services names each with its date."""
    for medium in ("email", "sms"):
        text = rendered(renderer, "several-services", medium).text
        assert "Oil change" in text
        assert "Tire rotation" in text
        assert text.count("Dec") == 2


def test_one_visit_of_several_services(renderer):
    """A message after a visit names all that was done in it, and without a bundle the one service."""
    several = rendered(renderer, "survey", "email").text
    assert "Oil change, Tire rotation" in several
    one = replace(sample_context("service_record", why=WHY), parts=())
    assert ": Oil and filter change." in renderer.render("survey", "email", "en-US", one).text


def test_mileage_without_a_vehicle(renderer):
    """The mileage can be asked for where neither vehicle nor service is named."""
    for locale in LANGUAGES:
        for medium in ("email", "sms"):
            found = renderer.render("ask-mileage", medium, locale, sample_context("schedule", why=WHY))
            assert "?" in found.text


def test_names_cannot_become_markup(renderer):
    """A customer's name is text, whatever it holds."""
    context = sample_context("service_due", why=WHY)
    context = replace(context, variables={**context.variables, "customer.name": "<script>x</script>{{ 7 * 7 }}"})
    found = renderer.render("oil-change", "email", "en-US", context)
    assert "<script>" not in found.html
    assert "{{ 7 * 7 }}" in found.text
