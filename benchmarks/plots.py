"""The two pictures of docs/performance.md: the same bytes for the same numbers, in colours for any ground."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.lines import OURS, RIVALS, Found

GREY = "#808080"
# Distinct for those who see few colours too, and neither too light nor too dark for a white or a black page.
COLOURS = ("#0072b2", "#009e73", "#56b4e9", "#2a9df4", "#d55e00", "#e69f00", "#cc79a7", "#a06a2c")
STYLE = {
    "svg.hashsalt": "commsched",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 10,
    "savefig.transparent": True,
    "legend.frameon": False,
    "legend.labelcolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), GREY),
}
COSTS = (
    ("idle", "ms", "a pass with nobody due, ms"),
    ("a_day", "seconds", "a day's work, s"),
    ("first_tick", "mb", "memory, MB"),
)


def drawn(found: Found, folder: Path) -> list[Path]:
    """Draw what there are numbers for; the files."""
    import matplotlib as mpl  # noqa: PLC0415 - only where it is installed

    mpl.use("svg")
    with mpl.rc_context(STYLE):
        return [*_lateness(found, folder / "lateness.svg"), *_cost(found, folder / "cost.svg")]


def _lateness(found: Found, path: Path) -> list[Path]:
    """What share of the messages of the storm was at the provider how soon."""
    from matplotlib import pyplot as plt  # noqa: PLC0415 - as above

    known = {name: found.once[name]["late"] for name in (*OURS, *RIVALS) if found.once.get(name, {}).get("late")}
    if not known:
        return []
    figure, axes = plt.subplots(figsize=(8, 4.2))
    for (name, words), colour in zip({**OURS, **RIVALS}.items(), COLOURS, strict=True):
        if name in known:
            axes.plot(known[name], range(101), label=words, color=colour, linestyle="-" if name in OURS else "--")
    axes.set_xlabel("seconds after the messages were due")
    axes.set_ylabel("% at the provider")
    axes.set_ylim(0, 101)
    axes.set_xlim(left=0)
    axes.legend(loc="lower right", fontsize=8)
    return _saved(figure, path)


def _cost(found: Found, path: Path) -> list[Path]:
    """What grows with the base, and what does not."""
    from matplotlib import pyplot as plt  # noqa: PLC0415 - as above

    sizes = sorted(found.by_size)
    if not all(found.by_size[size].get(measure) for size in sizes for measure, _, _ in COSTS):
        return []
    figure, panels = plt.subplots(1, 3, figsize=(8, 2.8), layout="constrained")
    for axes, (measure, key, words) in zip(panels, COSTS, strict=True):
        axes.plot(sizes, [found.by_size[size][measure][key] for size in sizes], color=COLOURS[0], marker="o")
        axes.set_xscale("log")
        axes.set_ylim(bottom=0)
        axes.set_title(words, color=GREY)
        axes.set_xlabel("customers")
    return _saved(figure, path)


def _saved(figure: Any, path: Path) -> list[Path]:  # noqa: ANN401 - the library's
    from matplotlib import pyplot as plt  # noqa: PLC0415 - as above

    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    plt.close(figure)
    # Its lines end in spaces here and there.
    path.write_text("\n".join(line.rstrip() for line in path.read_text("utf-8").splitlines()) + "\n", "utf-8")
    return [path]
