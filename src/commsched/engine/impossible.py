"""Messages that turn out not to be possible after all, when they are written or about to be."""

from __future__ import annotations

from msgspec.structs import replace

from commsched.errors import CommschedError, TooLong
from commsched.model.decisions import Decision, Reason


def poisoned(decision: Decision, error: Exception) -> Decision:
    """A message that cannot be rendered, which is refused and takes no other with it."""
    detail = error.detail if isinstance(error, CommschedError) else f"{type(error).__name__}: {error}"
    if isinstance(error, TooLong):
        return refused(decision, Reason(error.policy, "too_long", f"the text is too long: {detail}"))
    return refused(
        decision, Reason("commsched", "template_failed", f"the message cannot be rendered: {detail}", "must_not")
    )


def refused(decision: Decision, reason: Reason) -> Decision:
    """A message that is not possible, for this reason."""
    return replace(decision, state="refused", at=None, medium=None, reasons=(reason,))
