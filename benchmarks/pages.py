"""How quickly customers' pages are shown: a steady hundred requests a second, from another process.

``python -m benchmarks.pages``: the pages are served by one process on one core, over the shipped deployment; the time
is from the moment at which a request was to go, so that waiting in line counts. Where others use the machine, too, the
processor time of a page says more than the time until it was there.
"""

from __future__ import annotations

import argparse
import http.client
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter, process_time, sleep
from typing import IO

PAGES = ("", "/verify", "/why", "/stop", "/preferences", "/reschedule")
LINK = re.compile(r"/m/[^\s/]+")


def serve(scratch: Path) -> None:
    """Serve the pages of one message until standard input ends; prints the port and the path.

    At each line that comes in, the processor time in seconds that was used so far.
    """
    from commsched.web.serve import Door, serving  # noqa: PLC0415
    from tools.page_pictures import told  # noqa: PLC0415 - only the serving process needs it

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    story, home = told(scratch)
    with serving(story.app, Door(port=0)) as port:
        print(port, home, flush=True)
        for _ in sys.stdin:
            print(process_time(), flush=True)


def one(port: int, path: str, due: float) -> float:
    """Milliseconds from when a request was due until its page was there."""
    sleep(max(0.0, due - perf_counter()))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != 200:
        raise SystemExit(f"{path} was answered with {answer.status}")
    return (perf_counter() - due) * 1000


def measure(rate: int, seconds: int) -> None:
    """Ask for the pages in turn, and print the lateness of each and what a page costs."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "benchmarks.pages", "--serve", scratch]
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if server.stdin is None or server.stdout is None:
            raise SystemExit("the server has no pipes")
        port, home = server.stdout.readline().split()
        for page in PAGES:
            one(int(port), home + page, perf_counter())
        before = used(server.stdin, server.stdout)
        times = steadily(int(port), home, rate, rate * seconds)
        cost = (used(server.stdin, server.stdout) - before) / len(times) * 1000
        server.stdin.close()
        server.wait(20)
    for page in ("all", *PAGES):
        found = sorted(time for name, time in times if page in {"all", name})
        print(f"{page or '/':<14} p50 {found[len(found) // 2]:6.1f} ms   p99 {found[int(len(found) * 0.99)]:6.1f} ms")
    print(f"processor time of a page, with its request: {cost:.2f} ms; load of the machine {os.getloadavg()[0]:.1f}")


def used(into: IO[str], out: IO[str]) -> float:
    """The processor time that the serving process has used, in seconds."""
    into.write("\n")
    into.flush()
    return float(out.readline())


def steadily(port: int, home: str, rate: int, count: int) -> list[tuple[str, float]]:
    """The pages asked for in turn, at a rate that does not wait for answers; with the milliseconds that each took."""
    begun = perf_counter() + 0.5
    with ThreadPoolExecutor(64) as pool:
        asked = [
            (page, pool.submit(one, port, home + page, begun + number / rate))
            for number in range(count)
            for page in (PAGES[number % len(PAGES)],)
        ]
        return [(page, future.result()) for page, future in asked]


def main() -> None:
    """Measure, or serve for the measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--serve", type=Path)
    chosen = parser.parse_args()
    if chosen.serve:
        serve(chosen.serve)
    else:
        measure(chosen.rate, chosen.seconds)


if __name__ == "__main__":
    main()
