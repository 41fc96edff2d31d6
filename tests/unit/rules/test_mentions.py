"""Which variables a Jinja text mentions."""

from __future__ import annotations

import jinja2
import pytest

from commsched.rules.mentions import mentioned


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("plain", set()),
        ("{{ asset.model }}", {"asset.model"}),
        ("{{ asset['model'] }} {{ due }}", {"asset.model", "due"}),
        ("{{ asset[key] }}", {"asset", "key"}),
        ("{{ locale[:2] }}", {"locale"}),
        ("{{ event.amount | money('USD') }}", {"event.amount"}),
        ("{% if asset.model is shiny %}x{% endif %}", {"asset.model"}),
        ("{% for part in parts %}{{ part.service.name }}{% endfor %}", {"parts"}),
        ("{% set x = asset.fuel %}{{ x }}", {"asset.fuel"}),
        ("{% if mood == 'fine' %}{{ facts.tier }}{% endif %}", {"mood", "facts.tier"}),
        ("{{ range(3) }}", set()),
        ("{% trans m=asset.model %}Your {{ m }}{% endtrans %}", {"asset.model"}),
        ("{# {{ asset.model }} #}{{ '{{ due }}' }}", set()),
        ("{{ asset.model.upper() }}", {"asset.model.upper"}),
    ],
)
def test_names_are_found_where_they_are_used(text, names):
    """Only what comes from outside the text counts; filters, texts, comments and its own variables do not."""
    assert mentioned(text) == names


def test_a_text_that_is_no_template_is_refused():
    """The error is Jinja's own; who asks puts file and line to it."""
    with pytest.raises(jinja2.TemplateSyntaxError):
        mentioned("{{ asset.model")
