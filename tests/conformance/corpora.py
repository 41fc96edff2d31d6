"""Third-party material to test against, which is not part of the repository: used where it is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_REPOSITORY = Path(__file__).parents[2]


def corpus(name: str) -> Path:
    """The path of a file or folder such as ``sms/segments.json``; without it the tests of the module are skipped.

    Looked for in ``$COMMSCHED_CORPORA``, else in ``shared/corpora`` beside the repository.
    """
    folder = Path(os.environ.get("COMMSCHED_CORPORA") or _REPOSITORY.parent / "shared" / "corpora")
    path = folder / name
    if not path.exists():
        pytest.skip(f"the corpus {name} is not here (COMMSCHED_CORPORA names its folder)", allow_module_level=True)
    return path
