"""Frozen values: facts, the state they fold to, proposals, verdicts, plans, messages."""
