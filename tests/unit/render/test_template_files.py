"""The folder of messages: layouts, languages, MJML, styles, and what is wrong with a file."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from commsched.errors import ConfigurationError, TemplateError, UnknownName
from commsched.render.context import Context
from commsched.render.renderer import Renderer

ZONE = ZoneInfo("America/Chicago")
CONTEXT = Context(
    {"name": "Ann", "html": "<b>&</b>", "empty": "", "start": datetime(2026, 12, 1, 15, tzinfo=UTC)}, ZONE
)
MJML = """<mjml lang="{{ locale }}" dir="{{ direction }}">
<mj-head><mj-title>{{ subject }}</mj-title>
<mj-style>.note { color: #123456; } @media (prefers-color-scheme: dark) { .note { color: #fff !important; } }</mj-style>
</mj-head>
<mj-body><mj-section><mj-column><mj-text>
{{ content }}
</mj-text></mj-column></mj-section></mj-body>
</mjml>
"""


@pytest.fixture
def deployment(tmp_path):
    """Writes template files and loads them."""

    def written(files, **options):
        for name, text in files.items():
            path = tmp_path / "templates" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Renderer(tmp_path / "templates", "Northside Motors", **options)

    return written


def test_text_mail(deployment):
    """The subject is the first line of email.txt; the text follows the blank line, tidy at its ends."""
    renderer = deployment({"hello/email.txt": "Subject: Hi {{ name }},\n  from us\n\n\nText  \n\n\n\nmore\n\n"})
    found = renderer.render("hello", "email", "", CONTEXT)
    assert (found.subject, found.text, found.html, found.segments) == ("Hi Ann, from us", "Text\n\nmore\n", "", 1)
    assert renderer.problems() == []


def test_lines_of_tags(deployment):
    """A line of nothing but tags and comments prints nothing; a tag at a line's end leaves the end alone."""
    text = "Subject: x\n\na\n{% if name %}\nb\n  {% endif %} {# why #}\n{# c #}\nd{% if empty %}!{% endif %}\n\ne\n"
    assert deployment({"m/email.txt": text}).render("m", "email", "", CONTEXT).text == "a\nb\nd\n\ne\n"


def test_html_is_escaped(deployment):
    """Values are escaped in HTML, and in HTML only."""
    files = {
        "m/email.txt": "Subject: {{ html }}\n\n{{ html }}\n",
        "m/email.html": "<html><body><p>{{ html }}</p></body></html>",
    }
    found = deployment(files).render("m", "email", "", CONTEXT)
    assert (found.subject, found.text) == ("<b>&</b>", "<b>&</b>\n")
    assert "<p>&lt;b&gt;&amp;&lt;/b&gt;</p>" in found.html


def test_layout(deployment):
    """A short email.mjml is put into the layout; MJML is compiled, styles are inlined, media queries are kept."""
    files = {
        "_layout/email.mjml": MJML,
        "_layout/email.txt": "Hello {{ name }},\n\n{{ content }}\n\nBye\n",
        "m/email.txt": "Subject: A & B\n\nText\n",
        "m/email.mjml": '<p class="note">{{ name }} {% if name == "Ann" %}<b title="{{ html }}">yes</b>{% endif %}</p>',
    }
    renderer = deployment(files)
    assert renderer.problems() == []
    found = renderer.render("m", "email", "", CONTEXT)
    assert found.text == "Hello Ann,\n\nText\n\nBye\n"
    assert (
        '<p class="note" style="color: #123456;">Ann <b title="&lt;b&gt;&amp;&lt;/b&gt;">yes</b></p>'
        in found.html.replace("\n", "")
    )
    assert "@media (prefers-color-scheme: dark)" in found.html
    assert '<html lang="en-US" dir="ltr"' in found.html
    assert "<title>A &amp; B</title>" in found.html
    assert 'role="presentation"' in found.html
    assert "jjx" not in found.html
    assert "http" not in found.html.replace("http://www.w3.org/", "").replace("http-equiv", "")


def test_loops_in_tables(deployment):
    """Block tags may stand between the rows of a table, where text may not."""
    body = "<table><tbody>{% for n in [1, 2] %}<tr><td>{{ n }}</td></tr>{% endfor %}</tbody></table>"
    files = {"m/email.txt": "Subject: x\n\nx\n", "m/email.html": f"<html><body>{body}</body></html>"}
    html = deployment(files).render("m", "email", "", CONTEXT).html
    assert html.count("<tr>") == 2
    assert html.index("<tbody>") < html.index("<tr>") < html.rindex("</tr>") < html.index("</tbody>")


def test_raw_and_operators(deployment):
    """Jinja's own characters, comparisons and raw blocks survive the compilers of HTML."""
    body = "<p>{% if 1 < 2 and 3 > 2 %}a{% endif %}{% raw %}{{ b }}{% endraw %}{{ 'x' if 1 < 2 else '&' }}</p>"
    files = {"m/email.txt": "Subject: x\n\nx\n", "m/email.html": f"<html><body>{body}</body></html>"}
    assert "<p>a{{ b }}x</p>" in deployment(files).render("m", "email", "", CONTEXT).html


def test_whole_document_has_no_layout(deployment):
    """A file that is a whole document is not put into the layout."""
    files = {
        "_layout/email.mjml": MJML,
        "m/email.txt": "Subject: x\n\nx\n",
        "m/email.mjml": "<mjml><mj-body></mj-body></mjml>",
    }
    assert "note" not in deployment(files).render("m", "email", "", CONTEXT).html


def test_languages(deployment):
    """The nearest language is taken, for each medium by itself; dates follow the language of the text."""
    files = {
        "m/email.txt": "Subject: x\n\n{{ start.date }} {{ locale }}\n",
        "m/sms.txt": "{{ start.date }} {{ locale }}",
        "m/es/email.txt": "Subject: x\n\n{{ start.date }} {{ locale }}\n",
        "m/es-MX/sms.txt": "{{ start.date }} {{ locale }}",
    }
    renderer = deployment(files)
    assert renderer.locales("m") == ("en-US", "es", "es-MX")

    def said(medium, locale):
        found = renderer.render("m", medium, locale, CONTEXT)
        assert found.text.endswith(found.locale + ("\n" if medium == "email" else ""))
        return found.text.strip()

    assert said("email", "") == "December 1, 2026 en-US"
    assert said("email", "es-MX") == "1 de diciembre de 2026 es-MX"
    assert said("sms", "es-MX") == "1 de diciembre de 2026 es-MX"
    assert said("sms", "es") == "December 1, 2026 en-US"
    assert said("email", "fr-FR") == "December 1, 2026 en-US"
    assert said("email", "en-GB") == "1 December 2026 en-GB"
    assert said("email", "nonsense") == "December 1, 2026 en-US"


def test_locale_layouts(deployment):
    """A language may have a layout of its own, and shares the common one where it has none."""
    files = {
        "_layout/sms.txt": "{{ content }} Reply STOP.",
        "_layout/es/sms.txt": "{% filter plain %}{{ content }} Responda STOP, más o menos.{% endfilter %}",
        "m/sms.txt": "Hi",
        "m/es/sms.txt": "Sábado",
        "m/fr/sms.txt": "Allô",
    }
    renderer = deployment(files)
    texts = [renderer.render("m", "sms", locale, CONTEXT).text for locale in ("", "es", "fr")]
    assert texts == ["Hi Reply STOP.", "Sabado Responda STOP, mas o menos.", "Allô Reply STOP."]


def test_sms(deployment):
    """An SMS is one line a paragraph, knows its segments, and is refused when empty or too long."""
    files = {
        "a/sms.txt": "  one\n  two\n",
        "b/sms.txt": "{{ empty }}\n",
        "c/sms.txt": "x" * 1601,
        "d/sms.txt": "x" * 1600,
    }
    renderer = deployment(files)
    assert renderer.render("a", "sms", "", CONTEXT).text == "one two"
    assert renderer.render("d", "sms", "", CONTEXT).segments == 11
    with pytest.raises(TemplateError, match=r"b/sms\.txt:1: the text is empty"):
        renderer.render("b", "sms", "", CONTEXT)
    with pytest.raises(TemplateError, match=r"c/sms\.txt:1: it is longer than the 1,600 characters"):
        renderer.render("c", "sms", "", CONTEXT)


def test_letters_keep_their_lines(deployment):
    """A letter is sent as it was laid out, without blanks at line ends; a spoken text is a line a paragraph."""
    text = "Dear {{ name }}, \n\n\n\n  one\n  two\n"
    renderer = deployment({"a/letter.txt": text, "a/voice.txt": text})
    assert renderer.render("a", "letter", "", CONTEXT).text == "Dear Ann,\n\n  one\n  two\n"
    assert renderer.render("a", "voice", "", CONTEXT).text == "Dear Ann,\none two"


def test_names_and_media(deployment):
    """A deployment knows its messages and their media; what is not there is named."""
    renderer = deployment({"_layout/sms.txt": "{{ content }}", "a/sms.txt": "x", "a/es/email.txt": "Subject: x\n\nx\n"})
    assert renderer.names() == {"a"}
    assert renderer.media("a") == {"sms"}
    assert (renderer.has("a", "sms"), renderer.has("a", "email"), renderer.has("b", "sms")) == (True, False, False)
    with pytest.raises(UnknownName, match="There is no message 'b'; there are: a"):
        renderer.digest("b")
    with pytest.raises(TemplateError, match="nothing for the medium voice"):
        renderer.render("a", "voice", "", CONTEXT)


def test_digest(deployment):
    """A message's digest changes with its text and its layout, and with nothing else."""
    digests = {deployment({"a/sms.txt": "x"}).digest("a"), deployment({"b/sms.txt": "z"}).digest("a")}
    assert len(digests) == 1
    digests.add(deployment({"a/sms.txt": "y"}).digest("a"))
    digests.add(deployment({"_layout/sms.txt": "{{ content }}"}).digest("a"))
    digests.add(deployment({"a/es/sms.txt": "y"}).digest("a"))
    assert len(digests) == 4


GOOD = "Subject: x\n\nx\n"


@pytest.mark.parametrize(
    ("files", "where", "said"),
    [
        ({"m/email.txt": "Hello\n\nx\n"}, "templates/m/email.txt:1", 'must begin with a line "Subject: …"'),
        ({"m/email.txt": "Subject: x\n"}, "templates/m/email.txt:1", "then a blank line"),
        ({"m/email.txt": "Subject: x\n\na\n\n{% if x %}\n"}, "templates/m/email.txt:5", "Unexpected end of template"),
        ({"m/email.txt": "Subject: x\n\na\n{{ x|shout }}\n"}, "templates/m/email.txt:4", "No filter named 'shout'"),
        ({"m/email.txt": "Subject: {{ x\n\na\n"}, "templates/m/email.txt:1", "unexpected end of template"),
        ({"m/email.txt": "Subject: x\n\n{% include 'b' %}\n"}, "templates/m/email.txt:3", "not available in messages"),
        (
            {"m/email.txt": "Subject: x\n\n{% import 'b' as b %}\n"},
            "templates/m/email.txt:3",
            "not available in messages",
        ),
        ({"m/email.txt": "Subject: x\n\n{% extends 'b' %}\n"}, "templates/m/email.txt:3", "not available in messages"),
        (
            {"m/email.txt": "Subject: x\n\n{% for a in b recursive %}{% endfor %}\n"},
            "templates/m/email.txt:3",
            "a recursive loop is not available",
        ),
        ({"m/email.mjml": "<p>x</p>"}, "templates/m/email.mjml", "needs an email.txt beside it"),
        ({"m/email.txt": GOOD, "m/email.html": "<p>x</p>"}, "templates/m/email.html:1", "no _layout/email.html"),
        (
            {"m/email.txt": GOOD, "m/email.html": "<html></html>", "m/email.mjml": "<mjml></mjml>"},
            "templates/m/email.html",
            "keep one of the two",
        ),
        (
            {"m/email.txt": GOOD, "m/email.mjml": "<mjml>\n<mj-body>\n<mj-section>\n<mj-column>\n</mj-body>\n</mjml>"},
            "templates/m/email.mjml:4",
            "is not MJML",
        ),
        (
            {"m/email.txt": GOOD, "m/email.mjml": "<mjml>\n<mj-body>\n<mj-sektion></mj-sektion></mj-body></mjml>"},
            "templates/m/email.mjml:3",
            "<mj-sektion> is not an element of MJML",
        ),
        (
            {"m/email.txt": GOOD, "_layout/email.mjml": MJML, "m/email.mjml": "<p>\n{{ a }}\n<b>{% if x %}</b></p>"},
            "templates/m/email.mjml:3",
            "Unexpected end of template",
        ),
        (
            {"m/email.txt": GOOD, "_layout/email.mjml": MJML, "m/email.mjml": "<p>\n{{ a }}\n<b>{{ a b }}</b></p>"},
            "templates/m/email.mjml:3",
            "expected token",
        ),
        ({"m/sms.txt": "x", "_layout/sms.txt": "y"}, "templates/_layout/sms.txt:1", "needs {{ content }}"),
        ({"m/sms.txt": b"\xff\xfe"}, "templates/m/sms.txt", "is not UTF-8 text"),
        ({"m/sms.txt": "x" * (256 * 1024 + 1)}, "templates/m/sms.txt", "is over 256 KB"),
        ({"m/sms.txt": "x", "m/smss.txt": "x"}, "templates/m/smss.txt", "is none of email.mjml"),
        ({"m/sms.txt": "x", "m/klingon/sms.txt": "x"}, "templates/m/klingon", "is not a language"),
        ({"m/es/sms.txt": "x"}, "templates/m", "has no file in the deployment's own language"),
        ({"m/sms.txt": "jjx1xjj"}, "templates/m/sms.txt", "commsched's own use"),
    ],
)
def test_problems(deployment, files, where, said):
    """What is wrong with a file is a problem with its name, its line and what would be right."""
    (problem,) = deployment(files).problems()
    assert str(problem).startswith(f"{where}: ")
    assert said in problem.message


def test_no_folder(tmp_path):
    """A deployment without the folder has one problem and no messages."""
    renderer = Renderer(tmp_path / "templates", "Northside Motors")
    assert [str(problem) for problem in renderer.problems()] == [
        "templates: there is no such folder; each message is a folder in it."
    ]
    assert renderer.names() == frozenset()


def test_no_language_of_that_name(tmp_path):
    """A deployment's own language must exist."""
    with pytest.raises(ConfigurationError, match="'english' is not a language"):
        Renderer(tmp_path, "Northside Motors", locale="english")


def test_one_bad_file_leaves_the_others(deployment):
    """A message with a bad file cannot be rendered, its other media and the other messages can."""
    renderer = deployment({"a/email.txt": "Subject: x\n\n{{ x|shout }}\n", "a/sms.txt": "ok", "b/sms.txt": "ok"})
    with pytest.raises(TemplateError, match=r"a/email.txt:3: No filter named 'shout'"):
        renderer.render("a", "email", "", CONTEXT)
    assert renderer.render("a", "sms", "", CONTEXT).text == "ok"
    assert renderer.render("b", "sms", "", CONTEXT).text == "ok"


@pytest.mark.parametrize(
    ("file", "text", "where"),
    [
        ("m/email.mjml", "<p>a</p>\n<p>{{ name }}</p>\n<p>{{ name }} {{ nobody }}</p>\n", "templates/m/email.mjml:3"),
        ("m/email.mjml", "<p>a</p>\n<p>{{ name }} {%\n if nobody %}x{% endif %}</p>\n", "templates/m/email.mjml:2"),
        ("_layout/email.mjml", MJML.replace("{{ subject }}", "{{ nobody }}"), "templates/_layout/email.mjml:2"),
        ("_layout/email.txt", "a\n{{ content }}\nb\n{{ nobody }}\n", "templates/_layout/email.txt:4"),
        ("m/email.txt", "Subject: {{ nobody }}\n\nx\n", "templates/m/email.txt:1"),
        ("m/email.txt", "Subject: x\n\na\n\n{% if name %}\nb\n{{ nobody }}{% endif %}\n", "templates/m/email.txt:7"),
        ("m/email.txt", "Subject: {{ empty }}\n\na\n", "templates/m/email.txt:1"),
    ],
)
def test_errors_have_lines(deployment, file, text, where):
    """An error while rendering names the file and line that were written, through layout, MJML and inlining."""
    files = {"_layout/email.mjml": MJML, "m/email.txt": GOOD, "m/email.mjml": "<p>x</p>\n"} | {file: text}
    with pytest.raises(TemplateError) as caught:
        deployment(files).render("m", "email", "", CONTEXT)
    assert f" {where}: " in str(caught.value)


def test_why_and_parts(deployment):
    """The rule's reason is rendered with the message's variables, and each part of a bundle has its own."""
    text = "{{ why }}{% for part in parts %} [{{ part.name }}: {{ part.why }}]{% endfor %}"
    parts = tuple(Context({"name": name}, ZONE, why="as {{ name }}") for name in ("b", "c"))
    context = Context({"name": "a"}, ZONE, why="because {{ name }}\n is", parts=parts)
    assert deployment({"m/sms.txt": text}).render("m", "sms", "", context).text == "because a is [b: as b] [c: as c]"


def test_reason_that_fails(deployment):
    """A reason that fails names the message that it is for; what a value says is never a template."""
    renderer = deployment({"m/sms.txt": "{{ name }}"})
    assert renderer.render("m", "sms", "", Context({"name": "{{ 1 + 1 }}"}, ZONE)).text == "{{ 1 + 1 }}"
    with pytest.raises(TemplateError, match="m, why:1: 'nobody' is undefined"):
        renderer.render("m", "sms", "", Context({}, ZONE, why="{{ nobody }}"))


def test_phrases(deployment):
    """A phrase of the configuration is checked and rendered like a template, with the name of its file in errors."""
    renderer = deployment({"m/sms.txt": "x"})
    assert renderer.phrase("Call {{ name }}", CONTEXT) == "Call Ann"
    assert renderer.phrase_problems("Call {{ name }}", "rules/a.yaml") == []
    (problem,) = renderer.phrase_problems("Call\n{{ name", "rules/a.yaml", 7)
    assert str(problem).startswith("rules/a.yaml:8: ")
    with pytest.raises(TemplateError, match=r"rules/a\.yaml:1: 'nobody' is undefined"):
        renderer.phrase("{{ nobody }}", CONTEXT, where="rules/a.yaml")
    with pytest.raises(TemplateError, match=r"rules/a\.yaml:1: "):
        renderer.phrase("{{ name", CONTEXT, where="rules/a.yaml")


def test_prepare(deployment):
    """A plugin may add filters and globals before anything is compiled."""

    def prepare(environment):
        environment.filters["shout"] = lambda text: text.upper() + "!"
        environment.globals["motto"] = lambda: "We listen"

    renderer = deployment({"m/sms.txt": "{{ name|shout }} {{ motto() }}"}, prepare=prepare)
    assert renderer.render("m", "sms", "", CONTEXT).text == "ANN! We listen"
