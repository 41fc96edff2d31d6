"""The generated parts of ``docs/channels.md``: a section for each bundled channel, and the example that is tested."""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from pathlib import Path

from commsched.cli.skeletons import skeleton
from commsched.loading import load_plugins
from commsched.plugin.channel import Capabilities

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"::\n\n(?P<block>(?: {4}[^\n]*\n|\n)+)")


def example() -> str:
    """What ``commsched plugin new channel gateway`` writes."""
    return "\n".join(
        f"`{path}`:\n\n```python\n{text.rstrip()}\n```\n" for path, text in skeleton("channel", "gateway").items()
    )


def kinds() -> str:
    """A section for each built-in kind, from the docstring of its module and its capabilities."""
    found = load_plugins(ROOT / "docs").kinds.values()
    channels = sorted((kind for kind in found if kind.what == "channel"), key=lambda kind: kind.name)
    return "\n".join(
        f"### {kind.name}\n\n{_words(kind.plugin.__module__)}\n\n{_capable(getattr(kind.plugin, 'capabilities'))}\n"  # noqa: B009 - plugins of other kinds have none
        for kind in channels
    )


def _words(module: str) -> str:
    """A docstring as Markdown: literal blocks of configuration become TOML."""
    text = f"{inspect.cleandoc(sys.modules[module].__doc__ or '')}\n".replace("``", "`")
    return _BLOCK.sub(lambda m: f":\n\n```toml\n{textwrap.dedent(m['block']).strip()}\n```\n\n", text).strip()


def _capable(capable: Capabilities) -> str:
    """What a channel declares, in a sentence."""
    found = {
        "none": "What is in doubt only a callback or a person can settle",
        "hint": "What is in doubt can be looked up; what is not found may still come",
        "proof": "What is in doubt can be looked up, and what is not found was never taken",
    }
    said = [found[capable.lookup]]
    said += [f"up to {capable.batch} messages go at once"] if capable.batch else []
    said += ["the provider tells what became of a message"] if capable.webhook else []
    said += ["what came in can be listed"] if capable.inbound else []
    validity = capable.validity
    said += [f"the provider keeps a message for at most {validity.total_seconds() / 3600:g} h"] if validity else []
    return "; ".join(said) + "."
