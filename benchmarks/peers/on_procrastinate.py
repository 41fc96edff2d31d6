"""A worker of the Procrastinate peer: ``python -m benchmarks.peers.on_procrastinate FOLDER URL DATABASE``."""

from __future__ import annotations

import asyncio
import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from procrastinate import App, BaseConnector, PsycopgConnector

from benchmarks.peers.desk import AT_ONCE, Desk

_desk: list[Desk] = []


def application(connector: BaseConnector) -> App:
    """Procrastinate with the one task that there is."""
    made = App(connector=connector)
    made.task(name="remind")(_remind)
    return made


def _remind(who: str) -> None:
    _desk[0].remind(who)


async def main(folder: Path, url: str, database: str) -> None:
    """Work until told to stop; jobs that became due are looked for every second, not every five."""
    logging.getLogger("procrastinate").setLevel(logging.ERROR)
    _desk[:] = [Desk(folder, url)]
    # By default few threads are there for tasks that wait.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(AT_ONCE))
    async with application(PsycopgConnector(conninfo=database)).open_async() as opened:
        await opened.run_worker_async(concurrency=AT_ONCE, fetch_job_polling_interval=1.0)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
