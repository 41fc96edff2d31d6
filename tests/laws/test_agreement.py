"""Whatever people do on both sides, wherever a pass is killed: both sides come to have the same, and then rest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from commsched.engine.agreement import Known, Ours, agree
from commsched.plugin.base import Entry

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
TIMES = [(NOON + timedelta(hours=n), NOON + timedelta(hours=n + 1)) for n in range(4)]


@dataclass(frozen=True)
class Scene:
    ours: Ours
    known: Known | None = None
    there: Entry | None = None


def step(scene: Scene, stop: int = 9) -> tuple[Scene, str]:
    """One pass, killed before its part number ``stop``."""
    what = agree(scene.ours, scene.known, scene.there)
    event = scene.there
    if what == "write":
        base = scene.known.times if scene.known else None
        if stop > 0:
            scene = replace(scene, known=Known(base, scene.ours.times))
        if stop > 1:
            scene = replace(scene, there=Entry("u", *scene.ours.times))
        if stop > 2:
            scene = replace(scene, known=Known(scene.ours.times))
    elif what == "remove":
        scene = replace(scene, there=None) if stop > 0 else scene
        scene = replace(scene, known=None) if stop > 1 else scene
    elif stop > 0 and what == "forget":
        scene = replace(scene, known=None)
    elif stop > 0 and what == "settle":
        scene = replace(scene, known=Known((event.start, event.end)))
    elif stop > 0 and what == "moved":
        times = (event.start, event.end)
        scene = replace(scene, ours=replace(scene.ours, times=times), known=Known(times))
    elif stop > 0 and what == "cancelled":
        scene = replace(scene, ours=replace(scene.ours, stands=False, off=True), known=None)
    return scene, what


def people(scene: Scene, deed: tuple[str, int]) -> Scene:
    """Somebody does something."""
    what, times = deed[0], TIMES[deed[1]]
    if what == "book":
        return replace(scene, ours=replace(scene.ours, times=times, stands=True, off=False))
    if what == "cancel":
        return replace(scene, ours=replace(scene.ours, stands=False, off=True))
    if what == "drag" and scene.there is not None:
        return replace(scene, there=replace(scene.there, start=times[0], end=times[1]))
    if what == "delete":
        return replace(scene, there=None)
    if what == "strike" and scene.there is not None:
        return replace(scene, there=replace(scene.there, cancelled=True))
    return scene


DEEDS = st.tuples(st.sampled_from(["book", "cancel", "drag", "delete", "strike", "nothing"]), st.integers(0, 3))
PASSES = st.lists(st.tuples(DEEDS, st.integers(0, 4)), max_size=8)


@given(PASSES)
def test_both_sides_come_to_agree_and_rest(passes):
    """Three quiet passes are enough, and what then stands there is what stands here, and nothing else."""
    scene = Scene(Ours("ann", "A1", "u", TIMES[0]))
    for deed, stop in passes:
        scene, _ = step(people(scene, deed), stop)
    for _ in range(3):
        scene, what = step(scene)
    scene, what = step(scene)
    assert what == "nothing"
    standing = scene.there is not None and not scene.there.cancelled
    if scene.ours.stands:
        assert standing
        assert (scene.there.start, scene.there.end) == scene.ours.times
    elif standing:
        assert scene.known is None


@given(PASSES, DEEDS)
def test_what_nobody_touched_here_is_never_written_over(passes, deed):
    """A pass writes over an event only if it is as it was when we looked last: what somebody did to it is not lost."""
    scene = Scene(Ours("ann", "A1", "u", TIMES[0]))
    for done, stop in passes:
        scene, _ = step(people(scene, done), stop)
    for _ in range(3):
        scene, _ = step(scene)
    if scene.there is None or not scene.ours.stands:
        return
    changed = people(scene, deed)
    if changed.there != scene.there:
        after, what = step(changed)
        assert what in {"moved", "cancelled"}
        assert after.there == changed.there
