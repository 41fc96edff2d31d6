"""Poisoned templates: each fails alone, quickly, and says where (FAULTS 31)."""

from __future__ import annotations

import time
from zoneinfo import ZoneInfo

import pytest

from commsched.errors import TemplateError
from commsched.render.context import Context
from commsched.render.renderer import Renderer

ZONE = ZoneInfo("America/Chicago")
NAMESPACE = "{% set n = namespace(x='xxxxxxxxxx') %}"
BOMBS = {
    "undefined name": "{{ nobody }}",
    "undefined in a condition": "{% if nobody %}x{% endif %}",
    "undefined in a loop": "{% for x in nobody %}x{% endfor %}",
    "endless loops without output": (
        "{% for a in range(99999) %}{% for b in range(99999) %}{% set x = b %}{% endfor %}{% endfor %}"
    ),
    "loops with output": "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}",
    "huge range": "{% for a in range(10 ** 12) %}x{% endfor %}",
    "slow turns": ("{% for a in range(9000) %}" + "{% set x = (range(9000)|sum) %}" * 20 + "{% endfor %}"),
    "10 MB in a loop": "{% for a in range(9999) %}" + "x" * 1000 + "{% endfor %}",
    "10 MB by multiplication": "{{ 'x' * 10000000 }}",
    "a list by multiplication": "{{ ([1] * 100000000)|length }}",
    "captured": "{% set x %}{% for a in range(9999) %}" + "x" * 1000 + "{% endfor %}{% endset %}",
    "doubling": (NAMESPACE + "{% for a in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x|length }}"),
    "adding": (NAMESPACE + "{% for a in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x|length }}"),
    "hoarding": (
        "{% set n = namespace(x=[]) %}{% for a in range(9000) %}{% set n.x = n.x + [big|upper] %}{% endfor %}{{ n.x }}"
    ),
    "replace": "{{ big|replace('x', big) }}",
    "join": "{{ range(90000)|join(big) }}",
    "power": "{{ 9 ** 9 ** 9 }}",
    "squaring": "{% set n = namespace(x=9) %}{% for a in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}{{ n.x }}",
    "format": "{{ '%0100000000d' % 1 }}",
    "method": "{{ 'x'.ljust(100000000) }}",
    "format method": "{{ '{:>100000000}'.format(1) }}",
    "recursion": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "branching recursion": (
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}"
    ),
    "escape": "{{ ''.__class__.__mro__ }}",
    "escape by subscript": "{{ ''['__class__'] }}",
    "escape through a global": "{{ range.__globals__ }}",
    "escape through a macro": "{% macro m() %}{% endmacro %}{{ m.__init__ }}",
    "division by zero": "{{ 1 / 0 }}",
}


@pytest.fixture(scope="module")
def renderer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("templates")
    for name, text in BOMBS.items():
        message = folder / name.replace(" ", "-")
        message.mkdir()
        (message / "email.txt").write_text(f"Subject: x\n\nfirst line\n{text}\n", encoding="utf-8")
    (folder / "good").mkdir()
    (folder / "good" / "email.txt").write_text("Subject: good\n\nAll is well.\n", encoding="utf-8")
    return Renderer(folder, "Northside Motors")


@pytest.mark.parametrize("name", BOMBS)
def test_bomb(renderer, name):
    """A poisoned template raises within seconds, with its file and line; the next message goes on."""
    context = Context({"big": "x" * 100_000}, ZONE)
    message = name.replace(" ", "-")
    begun = time.perf_counter()
    with pytest.raises(TemplateError) as caught:
        renderer.render(message, "email", "", context)
    assert time.perf_counter() - begun < 5
    assert f"{message}/email.txt:4: " in str(caught.value)
    assert renderer.render("good", "email", "", context).text == "All is well.\n"


def test_problems_of_bombs(renderer):
    """None of them is a mistake that can be seen without rendering."""
    assert renderer.problems() == []


def test_ordinary_loops_pass(renderer):
    """Loops, conditions, macros and namespaces of ordinary size work, loop variables too."""
    text = (
        "{% macro m(x) %}<{{ x }}>{% endmacro %}"
        "{% for x in range(3) %}{{ m(x) }}{% if not loop.last %},{% endif %}{{ loop.length }}{% else %}none{% endfor %}"
        "{{ 'a' ~ 1 }}{{ 2 + 3 * 4 }}{{ 7 % 4 }}{{ 'a' + 'b' }}{{ ['x', 'y']|join('-') }}{{ 'aXa'|replace('a', 'b') }}"
    )
    assert renderer.phrase(text, Context({}, ZONE)) == "<0>,3<1>,3<2>3a1143abx-ybXb"
