"""What a reader would hold against a text: each fault is found, with its line, and its counterpart is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from commsched.app import App
from commsched.check.lints import lint
from commsched.check.lints.privacy import used
from commsched.check.lints.words import compiled, folded
from commsched.check.report import Report
from commsched.cli.commands.init import shipped
from commsched.errors import ConfigurationError

CLINIC = Path(__file__).resolve().parents[3] / "examples" / "clinic"
WHY = "You ordered from us on {{ event.date }}."
RULE = """\
rule: thanks
why: "{why}"
purpose: {purpose}
topic: visit
department: desk
trigger: {{event: order}}
steps:
  - {{step: say, at: event, deadline: event + 10d, template: thanks, media: [{media}]}}
"""
FOLLOW_UP = """\
rule: thanks
why: "You ordered from us."
purpose: service
topic: visit
department: desk
trigger: {event: order}
steps:
  - {step: say, at: event, deadline: event + 10d, template: thanks, media: [email]}
  - {step: again, after: say, at: event + 7d, deadline: event + 20d, template: again, media: [email]}
"""
FIRST = "Subject: Your order\n\nYour parts have come in. Reply with a day on which to fit them.\n"
SELLS = (
    'sender = "Corner Garage <hello@garage.example>"',
    'sender = "Corner Garage <hello@garage.example>"\nunsubscribe = "stop@garage.example"',
)
POSTAL = ('title = "Desk"', 'title = "Desk"\npostal = "1 Main Street, Evanston"')


@pytest.fixture
def linted(deploy, configuration, tmp_path):
    """What the lints say of the small deployment with one rule of these words and these files."""

    def said(files=None, *, purpose="service", media="email", why=WHY, changes=()):
        text = configuration
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        rule = {"config/rules/thanks.yaml": RULE.format(why=why, purpose=purpose, media=media)}
        found = lint(App(deploy({"config/commsched.toml": text, **rule, **(files or {})})))
        found = Report(found.problems, found.warnings).settled(tmp_path / "garage")
        return [(one.file, one.line, one.code) for one in found.problems], found.warnings

    return said


def mail(body: str) -> dict[str, str]:
    return {"templates/thanks/email.txt": f"Subject: Your order\n\n{body}\n"}


@pytest.mark.parametrize("folder", [shipped(), CLINIC], ids=["dealer", "clinic"])
def test_what_is_shipped_is_held_nothing_against(folder):
    """Neither deployment begs, sells in disguise, repeats itself, goes on too long or says what somebody has."""
    found = lint(App(folder))
    assert (found.problems, found.warnings) == ([], [])


# ---- Begging for scores


@pytest.mark.parametrize(
    "words",
    ["Please rate us a 10!", "Anything less than a perfect 10 hurts.", "Leave us a 5-star review", "rate  us\nten"],
)
def test_a_text_that_begs_for_a_score_is_found_with_its_line(linted, words):
    """Whatever the case, the blanks and the line ends between the words."""
    problems, _ = linted(mail(f"How was it?\n\n{words}"))
    assert problems == [("templates/thanks/email.txt", 5, "begs_for_score")]


def test_the_words_of_a_language_are_looked_for_in_its_texts(linted):
    """A Spanish text begs in Spanish, with or without its accents."""
    files = {"templates/thanks/es/email.txt": "Subject: Hola\n\nPónganos un 10, por favor.\n"}
    problems, _ = linted(files)
    assert problems == [("templates/thanks/es/email.txt", 3, "begs_for_score")]


def test_a_question_about_ten_of_something_is_none(linted):
    """Asking for an opinion, naming a number, or a variable between the words begs for nothing."""
    problems, warnings = linted(
        mail("How did it go? We rate {{ customer.name }} highly. Back by 10.\nRate us as you like.")
    )
    assert (problems, warnings) == ([], [])


def test_why_must_not_beg_either(linted):
    """What a rule says of itself stands in every one of its messages."""
    problems, _ = linted(why="Please give us 5 stars.")
    assert problems == [("config/rules/thanks.yaml", 2, "begs_for_score")]


def test_a_layout_and_markup_are_read_too(linted):
    """What stands in the layout, or inside an element of a mail, is read; what is markup is not."""
    files = {
        "templates/_layout/email.txt": "{{ content }}\nOur bonus depends on you.\n",
        "templates/thanks/email.html": "<html><p class='perfect score'>Hello</p>\n<p>Top <b>score</b>?</p></html>",
    }
    problems, _ = linted(files)
    assert sorted(problems) == [
        ("templates/_layout/email.txt", 2, "begs_for_score"),
        ("templates/thanks/email.html", 2, "begs_for_score"),
    ]


# ---- Selling in a message that has to be sent


def test_selling_in_a_transactional_message_is_a_warning_with_its_line(linted):
    """A confirmation that carries an offer is told; the same words in a message that sells are its own business."""
    files = mail("Your order has come.\nBy the way: a special offer on tires, 20% off!")
    problems, warnings = linted(files, purpose="transactional")
    assert problems == []
    assert len(warnings) == 2
    assert all(one.startswith("templates/thanks/email.txt:4  selling_words  ") for one in warnings)
    assert linted(files, purpose="service") == ([], [])


def test_words_can_be_added_and_allowed(linted):
    """A deployment has words of its own, and some that mean something else to it."""
    files = mail("A special offer: our golden winter tires.")
    more = (
        "[departments.desk]",
        '[check.words.en]\nselling = ["golden * tires"]\n\n[check]\nallow = ["special offer"]\n\n[departments.desk]',
    )
    _, warnings = linted(files, purpose="transactional", changes=[more])
    assert [one.split("  ")[2].split(" sells")[0] for one in warnings] == ["'golden winter tires'"]


def test_a_list_that_there_is_not_is_refused(deploy, configuration):
    """A misspelt list is told with those there are, and not passed over."""
    text = f'{configuration}\n[check.words.en]\nseling = ["x"]\n'
    with pytest.raises(ConfigurationError, match="'seling' is not a list of words; there is scores, selling"):
        App(deploy({"config/commsched.toml": text}))


# ---- Follow-ups without news


def follow_up(body: str) -> dict[str, str]:
    return {
        "config/rules/thanks.yaml": FOLLOW_UP,
        "templates/thanks/email.txt": FIRST,
        "templates/again/email.txt": f"Subject: Your order\n\n{body}\n",
    }


def test_just_checking_is_found(linted):
    """A second message that only asks after the first is a fault of its template."""
    problems, _ = linted(follow_up("Hello, just checking if you got my last mail about your parts. Any thoughts?"))
    assert problems == [("templates/again/email.txt", 1, "no_news")]


def test_the_same_again_in_other_small_words_is_found(linted):
    """What the first message said already is no news, in whatever order."""
    problems, _ = linted(
        follow_up("Still: your parts have come in. Please reply with the day on which we should fit them.")
    )
    assert problems == [("templates/again/email.txt", 1, "no_news")]


def test_a_follow_up_with_news_is_well(linted):
    """It says something that the first did not: then it may go. An empty phrase in it is still pointed out."""
    assert linted(follow_up("We keep them until Friday; afterwards they return to the maker.")) == ([], [])
    problems, warnings = linted(
        follow_up("Just checking in.\nWe keep them until Friday; then they return to the maker.")
    )
    assert problems == []
    assert len(warnings) == 1
    assert warnings[0].startswith("templates/again/email.txt:3  filler  ")


def test_steps_for_different_people_do_not_follow_each_other(linted):
    """Steps that stand under conditions of their own may use one text; whoever gets the one gets not the other."""
    steps = FOLLOW_UP.replace("after: say, ", "").replace(
        "template: again", "template: thanks, unless: customer.kind == 'person'"
    )
    assert linted(follow_up("x") | {"config/rules/thanks.yaml": steps, "templates/again/email.txt": None}) == ([], [])


# ---- A way out, and where we are


def test_mail_that_sells_names_an_address_and_a_way_out(linted):
    """Without a postal address, a way to stop and somebody who takes the stop, it is refused in each place."""
    problems, _ = linted(mail("New tires are here."), purpose="marketing")
    assert sorted(problems) == [
        ("config/commsched.toml", 1, "no_opt_out"),
        ("config/commsched.toml", 9, "no_postal_address"),
        ("templates/thanks/email.txt", 3, "no_opt_out"),
    ]


def test_an_address_that_the_mail_does_not_show_is_found(linted):
    """It is not enough that the department has one."""
    files = mail('New tires are here. To get no more, reply "stop".')
    problems, _ = linted(files, purpose="sales", changes=[SELLS, POSTAL])
    assert problems == [("templates/thanks/email.txt", 3, "no_postal_address")]


def test_mail_that_sells_and_says_all_of_it_is_well(linted):
    """And what does not sell needs none of it."""
    files = mail('New tires are here. To get no more, reply "stop".\n{{ department.postal }}')
    assert linted(files, purpose="marketing", changes=[SELLS, POSTAL]) == ([], [])
    assert linted(mail("Your tires are here."), purpose="transactional") == ([], [])


def test_a_text_that_nobody_waits_for_says_how_to_end_texts(linted):
    """One about an order that somebody made does not have to."""
    files = {"templates/thanks/sms.txt": "Thank you.\n"}
    assert linted(files, media="sms")[0] == [("templates/thanks/sms.txt", 1, "no_opt_out")]
    assert linted(files, media="sms", purpose="transactional")[0] == []
    assert linted({"templates/thanks/sms.txt": "Thank you. Reply STOP to end texts.\n"}, media="sms")[0] == []


# ---- Length


def test_a_text_of_too_many_parts_is_found_with_everything_filled_in(linted):
    """What counts is the text as it is sent; one letter outside the alphabet of texts more than doubles it."""
    short = {"templates/thanks/sms.txt": "{{ customer.kind }}, " + "a word " * 40 + "Reply STOP to end.\n"}
    long = {"templates/thanks/sms.txt": "{{ customer.kind }} ✓ " + "a word " * 40 + "Reply STOP to end.\n"}
    assert linted(short, media="sms")[0] == []
    assert linted(long, media="sms")[0] == [("templates/thanks/sms.txt", 1, "too_many_segments")]
    more = ("[departments.desk]", "[check]\nsms_segments = 5\n\n[departments.desk]")
    assert linted(long, media="sms", changes=[more])[0] == []


def test_a_text_longer_than_the_law_allows_a_health_department_is_found(linted):
    """160 characters where the department is of that sector and the deployment in the United States."""
    law = '[[policies]]\nkind = "rules_of_place"\nsectors = {{ health = ["{0}"] }}\n\n[departments.desk]'
    clinic = ("[departments.desk]", law.format("desk"))
    short = {"templates/thanks/sms.txt": "a" * 142 + " Reply STOP to end\n"}
    long = {"templates/thanks/sms.txt": "a" * 143 + " Reply STOP to end\n"}
    assert linted(short, media="sms", changes=[clinic])[0] == []
    assert linted(long, media="sms", changes=[clinic])[0] == [("templates/thanks/sms.txt", 1, "too_long")]
    abroad = ('region = "US-IL"', 'region = "DE-BY"')
    assert linted(long, media="sms", changes=[clinic, abroad])[0] == []


# ---- Health

MINIMAL = ('title = "Desk"', 'title = "Desk"\nminimal_content = true')
APPOINTMENT = """\
rule: thanks
why: "You have an appointment with us."
purpose: transactional
topic: visit
department: desk
trigger: {appointment: {status: [booked]}}
steps:
  - {step: say, at: start - 1d, deadline: start - 1h, template: thanks, media: [email]}
otherwise: {task: "Call {{ customer.name }}"}
"""


def reminder(body: str, rule: str = APPOINTMENT) -> dict[str, str]:
    return {"config/rules/thanks.yaml": rule, **mail(body)}


def test_a_reminder_of_a_department_marked_minimal_gives_no_details(linted):
    """What it is for is a detail, whether it comes from a variable or stands there in words."""
    files = reminder(
        "Dear {{ customer.name }},\nyour {{ service.name }} is on {{ start.day }}.\nBring your test results."
    )
    problems, _ = linted(files, changes=[MINIMAL])
    assert problems == [
        ("templates/thanks/email.txt", 4, "health_detail"),
        ("templates/thanks/email.txt", 5, "health_detail"),
    ]
    assert linted(files) == ([], [])


def test_a_name_a_time_and_a_number_are_enough(linted):
    """Names that a template sets itself are judged where they are set."""
    body = "{% set call = department.phone %}{{ customer.name }}: {{ start.day }}, {{ start.time }}. {{ call }}"
    assert linted(reminder(body), changes=[MINIMAL]) == ([], [])
    hidden = reminder("{% set what = service.name %}\n{{ start }}: {{ what }}")
    assert linted(hidden, changes=[MINIMAL])[0] == [("templates/thanks/email.txt", 3, "health_detail")]


def test_why_gives_no_details_either(linted):
    """It stands in the reminder."""
    rule = APPOINTMENT.replace("an appointment with us", "a colonoscopy with us")
    problems, _ = linted(reminder("{{ start }}", rule), changes=[MINIMAL])
    assert problems == [("config/rules/thanks.yaml", 2, "health_detail")]


# ---- The parts


def test_phrases_stand_for_whole_words():
    """A phrase is found across blanks, at word ends only; `*` is up to three words and no more."""
    pattern = compiled(["rate us a * 10", "win a", "% off"])
    assert pattern is not None
    texts = {
        "Rate us a full, honest 10": True,
        "rate us a 10": True,
        "rate us a one two three four 10": False,
        "show wine and twin aces": False,
        "win\n a car": True,
        "20% off": True,
        "20% offer": False,
    }
    assert {text: bool(pattern.search(folded(text))) for text in texts} == texts


def test_variables_are_told_dotted_with_their_lines():
    """A member counts with its group, a filter and a name of the template's own do not."""
    text = "{% set x = a.b %}\n{{ x }} {{ c.d.e|upper }}\n{% if f %}{{ g }}{% endif %}"
    assert sorted(used(text)) == [("a.b", 1), ("c.d.e", 2), ("f", 3), ("g", 3)]
