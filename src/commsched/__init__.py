"""All that a plugin author needs; the names are those of :mod:`commsched.public`.

They are loaded when the first of them is asked for, so that ``commsched --help`` does not wait for them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from commsched.public import *  # noqa: F403 - what is public is listed there, once

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name != "__all__" and name.startswith("__"):
        raise AttributeError(name)
    public = import_module("commsched.public")
    try:
        found: object = getattr(public, name)
    except AttributeError:
        message = f"commsched has no public name {name!r}; see commsched.__all__"
        raise AttributeError(message) from None
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    public: list[str] = import_module("commsched.public").__all__
    return [*public, "__version__"]
