"""The list that is screened: a CSV file of people or organisations, in whatever words its head names them."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from commsched.errors import FactRejected, Misuse
from commsched.store import checks, phones

# What the columns of lists are called; in any case, with spaces or hyphens for underscores.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "customer", "customer_id", "customer_no"),
    "name": ("name", "full_name", "contact", "contact_name"),
    "first": ("first_name", "firstname", "given_name"),
    "last": ("last_name", "lastname", "surname", "family_name"),
    "company": ("company", "company_name", "organisation", "organization", "firm", "account"),
    "email": ("email", "e_mail", "mail", "email_address"),
    "phone": ("phone", "telephone", "tel", "mobile", "cell", "phone_number"),
    "postal": ("postal", "address", "zip", "zip_code", "postcode", "postal_code"),
}
_E164 = re.compile(r"\+[1-9]\d{9,14}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the list: its cells as they stand, and what could be read from them (empty where nothing could)."""

    cells: tuple[str, ...]
    id: str = ""
    name: str = ""
    company: str = ""
    email: str = ""
    phone: str = ""
    postal: str = ""


@dataclass(frozen=True, slots=True)
class People:
    """A list: the head as it stands, and its entries.

    ``by_id``: it names customers by their ids, and so is a list of customers, and no list of prospects. ``unreadable``:
    how many addresses could not be read.
    """

    head: tuple[str, ...]
    entries: tuple[Entry, ...]
    unreadable: int
    by_id: bool


def read_list(path: Path, country: str | None, step: Callable[[int], None] = lambda _: None) -> People:
    """Read a list. Raises :class:`Misuse` for a file that is none; a bad mail or phone number is left out."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file, _dialect(file.readline()))
            file.seek(0)
            head = tuple(next(rows, ()))
            places = _places(head, path)
            counted = [_entry(row, len(head), places, country) for row in _told(rows, step) if any(row)]
    except UnicodeDecodeError as error:
        raise Misuse(f"{path} is not UTF-8 (byte {error.start}); save it as CSV UTF-8.") from None
    except csv.Error as error:
        raise Misuse(f"{path} is no CSV file: {error}.") from None
    entries = tuple(entry for entry, _ in counted)
    return People(head, entries, sum(bad for _, bad in counted), any(entry.id for entry in entries))


def _told(rows: Iterator[list[str]], step: Callable[[int], None]) -> Iterator[list[str]]:
    for number, row in enumerate(rows):
        if number % 5000 == 0:
            step(number)
        yield row


def _dialect(head: str) -> type[csv.Dialect]:
    """Commas, semicolons or tabs: whichever the head has most of."""

    class Found(csv.excel):
        delimiter = max(",;\t", key=head.count)

    return Found


def _places(head: Sequence[str], path: Path) -> dict[str, int]:
    titles = [title.strip().lower().replace(" ", "_").replace("-", "_") for title in head]
    named = {title: titles.index(title) for title in titles}
    found = {what: named[title] for what, words in COLUMNS.items() for title in reversed(words) if title in named}
    if not found:
        known = ", ".join(words[0] for words in COLUMNS.values())
        raise Misuse(f"{path}: no column is called as one would expect; there should be some of {known}.")
    return found


def _entry(row: list[str], width: int, places: Mapping[str, int], country: str | None) -> tuple[Entry, int]:
    """The entry, and how many of its addresses could not be read."""
    cells = tuple((row + [""] * width)[: max(width, len(row))])

    def cell(what: str) -> str:
        return cells[places[what]].strip() if what in places else ""

    email, bad_mail = _read(cell("email"), lambda text: checks.email(text).lower())
    number = cell("phone")
    # Parsing takes most of the time; what is written as we would write it needs none.
    ready = _E164.fullmatch(number) is not None
    phone, bad_phone = (number, False) if ready else _read(number, lambda text: phones.phone(text, country))
    name = cell("name") or f"{cell('first')} {cell('last')}".strip()
    entry = Entry(cells, cell("id"), name, cell("company"), email, phone, cell("postal"))
    return entry, bad_mail + bad_phone


def _read(text: str, read: Callable[[str], str]) -> tuple[str, bool]:
    if not text:
        return "", False
    try:
        return read(text), False
    except FactRejected:
        return "", True
