"""Jinja2, fenced in: whatever a template says, it costs no more than so much time, looping and text.

Jinja's own sandbox keeps a template from reaching Python. This one also keeps it from running on: every turn of a loop
and every call is counted, text is measured wherever it is joined, methods of plain values (``"x".ljust(10 ** 9)``) are
not reachable, and what could load another file is refused when the template is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter
from typing import ParamSpec, TypeVar, cast

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context, markup_join, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment

from commsched.render.context import Day, Group, When

TURNS = 10_000
SECONDS = 1.0
WORK = 4_000_000
_BITS = 128
_PLAIN_MODULES = frozenset({"builtins", "datetime", "markupsafe"})
_SEQUENCES = (str, list, tuple)
_P = ParamSpec("_P")
_R = TypeVar("_R")


class TooMuch(Exception):
    """A template went past one of its limits."""


@dataclass(slots=True)
class Budget:
    """What one rendering may still spend: characters of output, turns, characters joined on the way, time."""

    output: int
    until: float
    turns: int = TURNS
    work: int = WORK


# Rendering never awaits, but channels' threads may render at once: each has its own.
_budget: ContextVar[Budget] = ContextVar("budget")


def spend(characters: int) -> None:
    """Count text that was made on the way to the output."""
    budget = _budget.get()
    budget.work -= characters
    if characters > budget.output or budget.work < 0:
        raise TooMuch(f"it makes more text than the {budget.output:,} characters that a message may have")


class Counting(CodeGenerator):
    """Compiles loops so that their turns are counted and ``~`` so that its result is measured."""

    def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802 - named by Jinja
        """The whole of it: what could load another file, or count past the fence, is refused."""
        for statement in node.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
            message = "include, import and extends are not available in messages; the folder _layout wraps them"
            self.fail(message, statement.lineno)
        for loop in node.find_all(nodes.For):
            if loop.recursive:
                self.fail("a recursive loop is not available in messages", loop.lineno)
        super().visit_Template(node, frame)

    def visit_For(self, node: nodes.For, frame: Frame) -> None:  # noqa: N802 - named by Jinja
        """A loop."""
        node.iter = _call("counted", node.iter)
        super().visit_For(node, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - named by Jinja
        """``a ~ b``."""
        self.visit(_call("joined", nodes.List(node.nodes, lineno=node.lineno)), frame)


def _call(method: str, argument: nodes.Node) -> nodes.Call:
    line = argument.lineno
    return nodes.Call(nodes.EnvironmentAttribute(method, lineno=line), [argument], [], None, None, lineno=line)


class Fenced(ImmutableSandboxedEnvironment):
    """The environment of all messages."""

    code_generator_class = Counting
    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def turn(self) -> None:
        """Count one turn of a loop, or one call."""
        budget = _budget.get()
        budget.turns -= 1
        if budget.turns < 0:
            raise TooMuch(f"it loops and calls more than {TURNS:,} times")
        if perf_counter() > budget.until:
            raise TooMuch(f"it takes longer than {SECONDS:g} s")

    def counted(self, items: Iterable[object]) -> Iterator[object]:
        """The items of a loop, each turn counted."""
        for item in items:
            self.turn()
            yield item

    def joined(self, values: list[object]) -> str:
        """What ``~`` makes of its operands."""
        spend(sum(len(value) for value in values if isinstance(value, str)))
        return (markup_join if any(hasattr(value, "__html__") for value in values) else str_join)(values)

    def concat(self, chunks: Iterable[str]) -> str:
        """The chunks that a template, a macro or a ``set`` block has written, as one text."""
        most = _budget.get().output
        size, parts = 0, []
        for chunk in chunks:
            size += len(chunk)
            if size > most:
                raise TooMuch(f"it writes more than {most:,} characters")
            parts.append(chunk)
        spend(size)
        return "".join(parts)

    def run(self, chunks: Iterable[str], most: int) -> str:
        """What a template writes when it is iterated, as one text; past a limit it raises :class:`TooMuch`."""
        token = _budget.set(Budget(most, perf_counter() + SECONDS))
        try:
            return self.concat(chunks)
        finally:
            _budget.reset(token)

    def call(__self, __context: Context, __obj: object, *args: object, **kwargs: object) -> object:  # noqa: N805, PYI063 - as in Jinja
        """Call a macro or a global."""
        __self.turn()
        return super().call(__context, __obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        """An operator whose result can be far larger than its operands."""
        if operator == "%" and isinstance(left, str):
            raise TooMuch("% does not format text here; write ~ or a filter")
        if operator in ("*", "**"):
            _measure_product(operator, left, right)
        elif isinstance(left, _SEQUENCES) and isinstance(right, _SEQUENCES):
            spend(len(left) + len(right))
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: object, attribute: str) -> object:
        """``obj.attribute``; the members of our own values, and nothing of plain ones."""
        if isinstance(obj, Group):
            return self._member(obj, attribute)
        if isinstance(obj, Day | When):
            return getattr(obj, attribute) if attribute in obj.SHOWN else self.undefined(obj=obj, name=attribute)
        if type(obj).__module__ in _PLAIN_MODULES:
            return self.getitem(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: object, argument: object) -> object:
        """``obj[argument]``, which is also how filters such as ``map(attribute=…)`` reach a member."""
        if isinstance(argument, str) and isinstance(obj, Group | Day | When):
            return self.getattr(obj, argument)
        if type(obj).__module__ not in _PLAIN_MODULES:
            return super().getitem(obj, argument)
        try:
            return cast("Mapping[object, object]", obj)[argument]
        except (TypeError, LookupError):
            kind = type(obj).__name__
            return self.undefined(f"a {kind} has no {argument!r} here; use a filter, such as {{{{ name|upper }}}}")

    def _member(self, group: Group, name: str) -> object:
        try:
            return group.get(name)
        except KeyError as error:
            return self.undefined(str(error.args[0]), obj=group, name=name)


def _measure_product(operator: str, left: object, right: object) -> None:
    """Refuse a product or power that would be huge: sequences by their length, whole numbers by their bits."""
    for many, times in ((left, right), (right, left)):
        if isinstance(many, _SEQUENCES) and isinstance(times, int):
            spend(len(many) * max(times, 0))
    if isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() * abs(right) if operator == "**" else left.bit_length() + right.bit_length()
        if bits > _BITS:
            raise TooMuch(f"{operator} makes a number that is too large")


def measured(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """A filter, the length of whose text is counted."""

    def filtered(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        result = function(*args, **kwargs)
        if isinstance(result, str):
            spend(len(result))
        return result

    # Jinja keeps what a filter wants to be passed (the context, the environment) in its attributes.
    filtered.__dict__.update(getattr(function, "__dict__", {}))
    return filtered
