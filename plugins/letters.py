"""Letters for the mailing house: one text file a letter, and a manifest that says to whom each goes.

A channel is a class with a ``kind``, the ``medium`` it carries, what it is capable of, and ``send``. Retries, rates and
rendering are done elsewhere; a channel hands one message over and says plainly what came of it. A letter is written
under the attempt's id and then listed, each only once, so handing the same attempt over twice prints one letter.
What is listed was accepted; what is not may still be, by a process that stands still between writing and listing: so
``lookup`` is a *hint*, and what stays in doubt is for a person to settle.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from commsched import Accepted, Attempt, Capabilities, Channel, Outgoing, Receipt, Refused, Settings, TryLater, hookimpl


class LetterSettings(Settings):
    """The folder that the mailing house fetches from, inside the deployment."""

    path: str = "var/letters"


class Letters(Channel[LetterSettings]):
    """Writes each letter to ``<attempt>.txt`` and lists it in ``manifest.tsv``: attempt, postal address."""

    kind = "letters"
    medium = "letter"
    capabilities = Capabilities(lookup="hint")

    async def send(self, message: Outgoing) -> Accepted:
        """Write the letter down, then list it: the mailing house prints only what is listed."""
        if message.at > message.send_by:
            raise TryLater("The time for this letter is over.")
        address = " / ".join(message.to.split("\n"))
        if not address.strip():
            raise Refused("The letter has no postal address.", bad_address=True)
        if not self.listed(message.attempt):
            sheet = f"{message.name}\n{message.to}\n\n\n{message.text}\n"
            self.write(f"{message.attempt}.txt", "w", sheet)
            self.write("manifest.tsv", "a", f"{message.attempt}\t{address}\n")
        return Accepted(reference=f"{message.attempt}.txt")

    async def lookup(self, attempt: Attempt) -> Receipt | None:
        """What is on the manifest was accepted."""
        return Receipt(attempt.id, "accepted", f"{attempt.id}.txt") if self.listed(attempt.id) else None

    def forget(self, attempts: Collection[str]) -> None:
        """Of letters to somebody who was erased, the manifest keeps that they were listed, and the folder no file."""
        folder = self.folder / self.settings.path
        if any(self.listed(attempt) for attempt in attempts):
            lines = (folder / "manifest.tsv").read_text(encoding="utf-8").splitlines()
            kept = [f"{name}\t" if (name := line.partition("\t")[0]) in attempts else line for line in lines]
            self.write("manifest.tmp", "w", "".join(f"{line}\n" for line in kept))
            (folder / "manifest.tmp").replace(folder / "manifest.tsv")
        for attempt in attempts:
            (folder / f"{attempt}.txt").unlink(missing_ok=True)

    def listed(self, attempt: str) -> bool:
        """Whether the mailing house has been told of this attempt."""
        manifest = self.folder / self.settings.path / "manifest.tsv"
        lines = manifest.read_text(encoding="utf-8").splitlines() if manifest.exists() else []
        return any(line.startswith(f"{attempt}\t") for line in lines)

    def write(self, name: str, mode: str, text: str) -> None:
        """Write or append to a file of the folder; it is on the disk when this returns."""
        path = Path(self.folder, self.settings.path, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode, encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())


@hookimpl
def register_channels() -> list[type[Letters]]:
    """Announce the kind; the configuration declares instances of it."""
    return [Letters]
