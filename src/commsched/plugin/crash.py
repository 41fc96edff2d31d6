"""Places where the fault tests kill the process, to show that nothing is lost or sent twice."""

from __future__ import annotations

import os
import signal

VARIABLE = "COMMSCHED_CRASH"


def crash_point(name: str) -> None:
    """Die here and now, without any clean-up, if the environment variable ``COMMSCHED_CRASH`` names this place."""
    if os.environ.get(VARIABLE) == name:
        os.kill(os.getpid(), signal.SIGKILL)
