"""When two names, two domains are the same."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commsched.screening.domains import organisation_of
from commsched.screening.names import THRESHOLD, alike, blocks, likeness, normal, postcodes


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ACME Fleet Services, Inc.", "Acme Fleet Services"),
        ("Müller & Söhne GmbH", "Muller und Sohne"),
        ("Ortiz, Ana", "Ana Ortiz"),
        ("O'Neill Ltd", "ONEILL LIMITED"),
    ],
)
def test_writing_does_not_matter(one, other):
    """Case, accents, punctuation, legal forms and the order of words are left out."""
    assert normal(one) == normal(other)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Lakeside Heating Services", "Lakeside Heating Service", True),
        ("Grunwald Logistics", "Gruenwald Logistics", True),
        ("Lakeside Heating", "Lakeside Plumbing", False),
        ("Ana Ortiz", "Ann Ortega", False),
    ],
)
def test_a_slip_is_forgiven_and_another_name_is_not(one, other, same):
    """One slip in a name stays above the threshold; another name does not."""
    assert (likeness(normal(one), normal(other)) >= THRESHOLD) is same
    assert not same or set(blocks(normal(one))) & set(blocks(normal(other)))


@given(st.text(string.ascii_lowercase[:3] + " ", max_size=30), st.lists(st.text("abc ", max_size=30), max_size=20))
def test_many_names_are_compared_as_two_are(name, others):
    """Those at or above the threshold, with the same likeness, in the same order."""
    one_by_one = [(other, likeness(name, other)) for other in others]
    assert list(alike(name, others)) == [(other, found) for other, found in one_by_one if found]


@given(st.text(string.printable, max_size=30))
def test_a_name_of_ascii_letters_is_normal_as_any_other(name):
    """The short way for names without accents comes to the same: an accent in another word changes no word of it."""
    words = set(normal(f"{name} zebra").split())
    assert set(normal(f"{name} zebra éclair").split()) == words | {"eclair"}


@pytest.mark.parametrize("name", ["", "  ", "!!!", "Co."])
def test_a_name_of_nothing_but_a_legal_form_is_kept_as_it_is(name):
    """Nothing is left of nothing; a legal form alone stays."""
    assert normal(name) == ("co" if "Co" in name else "")


@pytest.mark.parametrize("address", ["a@gmail.com", "a@GMX.de", "a@mailbox.org", "nobody", ""])
def test_free_mail_is_nobodys(address):
    """A domain at which anybody may have an address says nothing of an organisation."""
    assert organisation_of(address) == ""


def test_an_organisations_domain_is_its_own():
    """In lower case, as it is compared."""
    assert organisation_of("Jo@Acme-Fleet.example") == "acme-fleet.example"


def test_postcodes_are_numbers_of_four_or_five():
    """House numbers and phone numbers are none."""
    assert postcodes("2100 Ridge Avenue, Evanston, IL 60201") == {"2100", "60201"}
    assert postcodes("12 Elm St, tel. 8475550142") == frozenset()
