"""How long a text may be: what policies say of it that can only be told once it is written."""

from __future__ import annotations

from collections.abc import Iterable

from commsched.errors import TemplateError, TooLong
from commsched.model.decisions import Proposal
from commsched.planning.world import Applied
from commsched.plugin.view import View


def check_length(policies: Iterable[Applied], proposal: Proposal, medium: str, text: str, view: View) -> None:
    """Raise :class:`TooLong` if a policy allows fewer characters; ``policies`` are those with a say in the message.

    A policy that cannot be asked refuses the text: :class:`TemplateError`.
    """
    for applied in policies:
        if applied.media is not None and medium not in applied.media:
            continue
        try:
            limits = [one for one in applied.policy.longest(proposal, view) if one.medium == medium]
        except Exception as error:  # a plugin may raise anything
            raise TemplateError(f"the policy {applied.name} could not be asked how long it may be: {error}") from error
        for one in limits:
            if len(text) > one.characters:
                words = f"it has {len(text)} characters, and may have {one.characters}: {one.detail}"
                raise TooLong(applied.name, words)
