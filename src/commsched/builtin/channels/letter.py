"""Letters by post, as PDF, for whoever prints them; ``pip install commsched[letter]``.

Each letter is a file in a folder, and a line of ``manifest.jsonl`` once it is on the disk. What has no line is not to
be printed. A line that begins with ``void`` names an attempt that never becomes a letter: so an attempt is printed once
or never, and none stays in doubt. Several processes may share the folder::

    [[channels]]
    name = "post"
    kind = "letter"
    folder = "var/letters"
    sheet = "Letter"
    sender = "Northside Motors, 2100 Ridge Avenue, Evanston, IL 60201"
    font = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"

The address stands where the window of an envelope is (DIN 5008, form B; a No. 10 envelope). Without a font of its own a
letter may have the characters of Western Europe only. The same message gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from os import fsync
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from commsched import (
    Accepted,
    Attempt,
    Capabilities,
    Channel,
    Journal,
    Outgoing,
    Receipt,
    Refused,
    Settings,
    TryLater,
    hookimpl,
    library,
)

VOID = "void "
# In millimetres from the left and the top: the margin, the line of who sends it, the address, and the words.
LEFT, SENDER, ADDRESS, WORDS = 20, 46, 51, 100
BUILT_IN = "Helvetica"
WIDE, LINE = 165, 5.5


class LetterSettings(Settings):
    """Where letters are laid down, and how they look."""

    folder: str = Field(default="var/letters", description="The folder, from the deployment's folder.")
    sheet: Literal["A4", "Letter"] = Field(default="A4", description="The size of the paper.")
    sender: str = Field(default="", description="The small line above the address: who sends it, and from where.")
    font: str = Field(default="", description="A TrueType font, from the deployment's folder, for more characters.")
    size: float = Field(default=11, ge=8, le=16, description="The size of the letters, in points.")


class Letter(Channel[LetterSettings]):
    """Writes each letter down once, and lists it."""

    kind = "letter"
    medium = "letter"
    capabilities = Capabilities(lookup="proof")

    def __init__(
        self, settings: LetterSettings, *, name: str, folder: Path = Path(), zone: ZoneInfo | None = None
    ) -> None:
        super().__init__(settings, name=name, folder=folder, zone=zone)
        self._pdf = library("fpdf", "letter")
        self._journal = Journal(folder / settings.folder / "manifest.jsonl")

    async def send(self, message: Outgoing) -> Accepted:
        """Write the letter, then its line.

        It waits for the disk in this thread, on purpose: a cancelled call has then either not begun or ended.
        """
        if message.at > message.send_by:
            raise TryLater("It was too late to send this letter.")
        if not message.to.strip():
            raise Refused("The letter has no postal address.", bad_address=True)
        name = f"{message.attempt}.pdf"
        sheet = self.sheet(message)
        try:
            with self._journal.locked():
                if message.attempt in self._journal:
                    return Accepted(name)
                if f"{VOID}{message.attempt}" in self._journal:
                    raise TryLater("It was said that this letter would not be written.")
                self._write(name, sheet)
                self._journal.append([_line(message, name)])
        except OSError as error:
            raise TryLater(f"The letters of {self.name} cannot be written: {error.strerror}.") from error
        return Accepted(name)

    async def lookup(self, attempt: Attempt) -> Receipt | None:
        """What has a line was accepted; nothing else was, nor will it be."""
        with self._journal.locked():
            if attempt.id in self._journal:
                return Receipt(attempt.id, "accepted", f"{attempt.id}.pdf")
            if f"{VOID}{attempt.id}" not in self._journal:
                self._journal.append([{"void": f"{VOID}{attempt.id}"}])
        return None

    def forget(self, attempts: Collection[str]) -> None:
        """Delete the letters; the manifest keeps that there was one, without a name or an address."""
        with self._journal.locked():
            for record in self._journal.blank(attempts):
                if "file" in record:
                    (self._journal.path.parent / record["file"]).unlink(missing_ok=True)

    def sheet(self, message: Outgoing) -> bytes:
        """The letter as PDF. Raises :class:`Refused` for characters that the font lacks."""
        settings = self.settings
        page = self._pdf.FPDF(format=settings.sheet, unit="mm")
        page.set_creation_date(message.at)
        page.set_title(message.subject)
        page.set_margins(LEFT + 5, 20, 20)
        page.set_auto_page_break(auto=True, margin=25)
        page.add_page()
        font = BUILT_IN
        if settings.font:
            font = "own"
            page.add_font(font, fname=self.folder / settings.font)
        address = "\n".join(part for part in (message.name, message.to.strip()) if part)
        try:
            page.set_font(font, size=7)
            page.text(LEFT + 5, SENDER, settings.sender)
            page.set_font(font, size=settings.size)
            page.set_xy(LEFT + 5, ADDRESS)
            page.multi_cell(80, LINE, address, align="L")
            page.set_xy(LEFT + 5, WORDS)
            words = f"{message.subject}\n\n{message.text}" if message.subject else message.text
            page.multi_cell(WIDE, LINE, words, align="L")
            return bytes(page.output())
        except self._pdf.errors.FPDFUnicodeEncodingException as error:
            lacking = "The letter has characters that its font lacks; set font to a TrueType font that has them."
            raise Refused(lacking) from error

    def _write(self, name: str, data: bytes) -> None:
        path = self._journal.path.parent / name
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            fsync(file.fileno())


def _line(message: Outgoing, name: str) -> Mapping[str, str]:
    return {
        "attempt": message.attempt,
        "file": name,
        "name": message.name,
        "address": message.to.strip(),
        "at": message.at.isoformat(),
    }


@hookimpl
def register_channels() -> list[type[Letter]]:
    """Announce the kind."""
    return [Letter]
