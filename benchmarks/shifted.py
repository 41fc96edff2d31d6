"""A command of commsched on a day of the benchmark's own, so that it is the same whenever it is run.

``python -m benchmarks.shifted FOLDER ARGUMENTS…``: an hour before ``STORM`` by the clock until everybody is there; then
the clock goes so that it shows ``STORM`` at the moment that the measure has chosen.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Thread
from time import time

import time_machine

from benchmarks.meeting import chosen
from benchmarks.population import STORM

HOUR = timedelta(hours=1)


@contextmanager
def shifted(by: timedelta = timedelta()) -> Iterator[time_machine.Traveller]:
    """A block that begins when the clock shows ``STORM``, or so much later."""
    with time_machine.travel(STORM + by, tick=True) as traveller:
        time()  # the clock begins to go when it is first looked at
        yield traveller


def _go_on(folder: Path, traveller: time_machine.Traveller) -> None:
    zero = chosen(folder)
    traveller.move_to(STORM + timedelta(seconds=time_machine.escape_hatch.time.time() - zero), tick=True)
    time()


def main(folder: Path, arguments: list[str]) -> None:
    """Run the command."""
    from commsched.cli import cli  # noqa: PLC0415 - loaded on the day

    with shifted(-HOUR) as traveller:
        Thread(target=_go_on, args=(folder, traveller), daemon=True).start()
        cli(["--deployment", str(folder), *arguments])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
