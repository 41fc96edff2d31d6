"""What replies mean, in the shipped languages: by whole sentences, and nothing where it is not plain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commsched.replies.meaning import LANGUAGES, MOST, Meaning, meaning

SAID = {
    "confirm": [
        "Yes",
        "yes please",
        "Yes, I'll be there!",
        "sí",
        "Sí, allí estaré",
        "ok",
        "Ja, passt mir",
        "Oui, je viens",
        "I confirm",
        "Yes that works for me",
        "see you tomorrow",
        "i will be there thanks",
        "Confirm my appointment",
        "ich komme",
        "d'accord",
        "Yes, thank you!",
    ],
    "decline": [
        "No",
        "no thanks",
        "Nein danke",
        "non merci",
        "I can't make it",
        "Das passt mir leider nicht",
        "no puedo ir",
    ],
    "cancel": [
        "cancel my appointment",
        "I want to cancel",
        "please cancel it",
        "cancelar la cita",
        "Termin absagen",
        "annuler mon rendez-vous",
        "I need to cancel my appointment on Tuesday",
        "Ich möchte den Termin absagen",
    ],
    "reschedule": [
        "can I reschedule?",
        "Can we do another day?",
        "Ich möchte den Termin verschieben",
        "otra hora por favor",
        "Can't make it. Another day?",
        "Je voudrais déplacer le rendez-vous",
        "Could I change the time?",
        "Könnte ich den Termin verschieben?",
        "Do you have another time?",
    ],
    "stop": [
        "stop",
        "STOP!",
        "Stop please",
        "Please stop emailing me, thanks",
        "no me escribas más",
        "Je ne veux plus recevoir de messages",
        "Bitte schreiben Sie mir nicht mehr",
        "denme de baja",
        "unsubscribe me please",
        "Take me off your list",
        "keine SMS mehr",
        "remove my number",
        "I don't want any more messages from you",
        "don't ever contact me again",
        "Stop calling me!!",
        "STOP ALL",
        "Lassen Sie mich in Ruhe",
        "opt me out",
    ],
    "who": [
        "Who is this?",
        "is this a scam?",
        "wer ist das",
        "quién es",
    ],
    "wrong_person": [
        "wrong number",
        "this is not my number",
        "you have the wrong person",
        "Falsche Nummer",
        "numero equivocado",
        "he doesn't live here anymore",
    ],
    "not_mine": [
        "I didn't make this appointment",
        "what appointment?",
        "yo no hice esta cita",
        "Ich habe keinen Termin",
        "Wrong number? I never booked this",
    ],
    "number": [
        "41,200",
        "41200 miles",
        "41 200",
        "it's 41200",
        "41.200 km",
    ],
    "help": [
        "HELP",
        "call me please",
        "can someone call me?",
        "Rufen Sie mich bitte an",
    ],
    "later": [
        "later",
        "not now",
        "Remind me next week",
        "später",
    ],
    "unclear": [
        "will pay tomorrow",
        "I already paid",
        "stopped working yesterday",
        "I changed my mind",
        "the car stopped",
        "CANCEL",
        "Yes but can you call me",
        "out of office",
        "I will stop by tomorrow",
        "Can I bring the car at 8 and stop for coffee?",
        "No problem, I'll be there on Monday though",
        "don't cancel my appointment",
        "yes and no",
        "Do not cancel",
        "I did not say stop",
        "non-stop noise from the engine",
        "the end of the month is better",
        "is the bus stop near you",
    ],
    "empty": [
        "",
        "👍",
        "...",
    ],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in SAID.items() for text in texts])
def test_what_is_said(kind, text):
    """Each says what it says in full, in any case, with or without what is polite."""
    assert meaning(text).kind == kind
    if kind not in {"empty", "unclear", "number"}:
        assert meaning(text.upper()).kind == kind
        assert meaning(f"Hello, {text}, thank you!").kind == kind


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("stop texting me", "sms"),
        ("no more emails please", "email"),
        ("Stop calling me!", "voice"),
        ("Stop calling me. Stop texting me.", "everything"),
        ("leave me alone", "everything"),
        ("no me llamen más", "voice"),
        ("Keine Anrufe mehr", "voice"),
        ("plus de SMS", "sms"),
    ],
)
def test_what_is_to_stop(text, scope):
    """It holds for what it names; where that is not one thing, for everything."""
    assert meaning(text) == Meaning("stop", scope)


def test_a_stop_beside_something_else_counts_and_is_read():
    """Nobody has to say nothing but stop; what else was said is for a person."""
    assert meaning("I will come on Monday at noon. And stop texting me") == Meaning("stop", "sms", rest=True)


@pytest.mark.parametrize(
    ("text", "number", "unit"), [("41,200", 41200, ""), ("41.200 km", 41200, "km"), ("it's 41200 miles", 41200, "mi")]
)
def test_a_number(text, number, unit):
    """A bare number, with its unit if one was written; a sentence with a number in it is none."""
    assert meaning(text) == Meaning("number", number=number, unit=unit)
    assert meaning(f"{text} or so, I think").kind == "unclear"


@given(st.text(max_size=300))
def test_anything_at_all_has_a_meaning(text):
    """No text breaks it, or takes long; what is longer than a message is for a person."""
    assert meaning(text).kind
    assert meaning("a" * (MOST + 1)).kind == "unclear"


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_line_says_two_things(language):
    """Of the plain lines of each list, each is understood as what its list says."""
    import tomllib
    from pathlib import Path

    import commsched.replies.meaning as module

    lines = tomllib.loads(Path(module.__file__).with_name(f"{language}.toml").read_text("utf-8"))
    wrong = [
        (kind, line, meaning(line).kind)
        for kind, found in lines.items()
        if kind not in {"polite", "stop"}
        for line in found
        if line.replace(" ", "").isalpha() and meaning(line).kind != kind
    ]
    assert wrong == []
