"""Reading a list, whatever its head calls the columns."""

import pytest

from commsched.errors import Misuse
from commsched.screening.lists import read_list


def write(folder, text, encoding="utf-8"):
    path = folder / "list.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_heads_and_delimiters_are_understood(tmp_path, mark):
    """First and last name make a name; a mail address is compared in lower case, a phone number as E.164."""
    lines = [["First Name", "Last-name", "E-Mail", "Tel", "Firm", "extra"]]
    lines += [["Ana", "Ortiz", "Ana@Acme.example", "(847) 555-0142", "Acme", "x"]]
    people = read_list(write(tmp_path, "\ufeff" + "\n".join(mark.join(line) for line in lines)), "US")
    (one,) = people.entries
    assert (one.name, one.email, one.phone, one.company) == ("Ana Ortiz", "ana@acme.example", "+18475550142", "Acme")
    assert one.cells[-1] == "x"
    assert not people.by_id


def test_what_cannot_be_read_is_counted_and_left_out(tmp_path):
    """A bad address matches nobody; the line stays, and a short one is filled up."""
    people = read_list(write(tmp_path, "name,email,phone\nAna,ana@,12\nBo\n\n"), "US")
    assert people.unreadable == 2
    assert [(one.name, one.email, one.phone) for one in people.entries] == [("Ana", "", ""), ("Bo", "", "")]
    assert people.entries[1].cells == ("Bo", "", "")


@pytest.mark.parametrize(
    ("text", "encoding", "words"), [("a,b\n1,2\n", "utf-8", "no column"), ("náme\n", "latin-1", "UTF-8")]
)
def test_what_is_no_list_is_refused(tmp_path, text, encoding, words):
    """A file without a known column, or in another encoding, is one sentence."""
    with pytest.raises(Misuse, match=words):
        read_list(write(tmp_path, text, encoding), "US")
