"""Every error that commsched raises. The docstring of an exception is the start of its message."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class CommschedError(Exception):
    """commsched could not go on."""

    def __init__(self, detail: str = "") -> None:
        sentence = (type(self).__doc__ or "").strip().splitlines()[0]
        super().__init__((sentence + detail if detail.startswith("\n") else f"{sentence} {detail}").strip())
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, where it is, and what would be right."""

    file: str
    line: int | None
    code: str
    message: str
    counterexample: str | None = None

    def __str__(self) -> str:
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{where}: {self.message}"


class ConfigurationError(CommschedError):
    """The deployment cannot be used as it is."""

    def __init__(self, problems: list[Problem] | tuple[Problem, ...]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n" + "\n".join(f"  {problem}" for problem in self.problems))

    @classmethod
    def one(
        cls, file: Path | str, message: str, *, line: int | None = None, code: str = "invalid"
    ) -> ConfigurationError:
        """The error of a single problem."""
        return cls([Problem(str(file), line, code, message)])


class FactRejected(CommschedError):
    """This fact was not taken in."""

    def __init__(self, field: str, detail: str) -> None:
        self.field = field
        super().__init__(f"{field}: {detail}" if field else detail)


class Erased(FactRejected):
    """This fact was not taken in."""

    def __init__(self, detail: str) -> None:
        super().__init__("customer", detail)


class ExpressionError(CommschedError):
    """This expression cannot be used."""


class TimeExpressionError(CommschedError):
    """This time expression cannot be read."""


class StoreError(CommschedError):
    """The store cannot be used."""


class StoreTooNew(StoreError):
    """The database was written by a newer commsched; upgrade this installation, nothing was changed."""


class StoreReadOnly(StoreError):
    """The database cannot be written; check the rights on its file and folder, or its role's. Nothing was changed."""


class StoreFull(StoreError):
    """The disk or database is full; make room and run the command again. Nothing was half-written."""


class StoreBusy(StoreError):
    """The database is locked by another process; try again when it has finished. Nothing was changed."""


class PartFailed(CommschedError):
    """A part of the work, in a process of its own, could not be finished."""


class SlotTaken(CommschedError):
    """That time is not free any more."""


class TemplateError(CommschedError):
    """A template could not be rendered."""


class TooLong(TemplateError):
    """A text is longer than a policy allows."""

    def __init__(self, policy: str, detail: str) -> None:
        self.policy = policy
        super().__init__(detail)


class UnsafeHeader(CommschedError):
    """This cannot stand in the head of a mail."""


class UnknownName(CommschedError):
    """There is nothing of that name."""


class Misuse(CommschedError):
    """The command was not given what it needs."""
