"""The template environment that every message shares: its filters, and templates compiled in it.

Filters besides Jinja's harmless ones: ``date`` (``{{ x|date("full") }}``: long, full, short, day, month, weekday),
``time``, ``number`` (``{{ x|number(1) }}``), ``distance`` (of kilometres: ``{{ x|distance("mi") }}``), ``money``
(``{{ event.amount|money("USD") }}``), ``plain`` (no accents that an SMS would cost double for).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

from jinja2 import StrictUndefined, Template, pass_context, pass_eval_context
from jinja2.filters import FILTERS, do_join, make_attrgetter
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from commsched.errors import TemplateError
from commsched.render import formats
from commsched.render.context import Day, When
from commsched.render.sandbox import Fenced, TooMuch, measured, spend
from commsched.render.sms import without_accents

# Jinja's filters that neither blow text up nor reach for chance, files or markup.
_HARMLESS = frozenset(
    {"abs", "capitalize", "count", "d", "default", "e", "escape", "first", "float", "forceescape", "int", "items"}
    | {"last", "length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "reverse", "round", "select"}
    | {"selectattr", "sort", "string", "striptags", "sum", "title", "trim", "truncate", "unique", "upper"}
    | {"urlencode", "wordcount"}
)
_STYLES: Mapping[str, Callable[[Any, str], str]] = {
    "long": formats.long_date,
    "full": formats.full_date,
    "short": formats.short_day,
    "day": formats.day_of_year,
    "month": formats.month,
    "weekday": formats.weekday,
}


@dataclass(frozen=True, slots=True)
class Origin:
    """A line of a file that somebody wrote."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Origins:
    """Where the lines of a compiled text come from: ``origins[n]`` from the line ``lines[n]`` on (ascending)."""

    lines: tuple[int, ...]
    origins: tuple[Origin, ...]

    def of(self, line: int) -> Origin:
        """The origin of a line of the compiled text."""
        return self.origins[max(bisect_right(self.lines, line) - 1, 0)]


class Script:
    """A compiled template. ``most``: how many characters it may write."""

    __slots__ = ("_environment", "_most", "_origins", "_template", "name")

    def __init__(self, environment: Fenced, text: str, name: str, origins: Origins, most: int) -> None:
        self.name = name
        self._environment = environment
        self._origins = origins
        self._most = most
        self._template = Template.from_code(environment, environment.compile(text, name, name), environment.globals)

    def render(self, variables: Mapping[str, object]) -> str:
        """The text for these variables; :class:`TemplateError` names the file and line of what goes wrong."""
        written = self._template.root_render_func(self._template.new_context(dict(variables)))
        try:
            return self._environment.run(written, self._most)
        except Exception as error:
            origin = self._origins.of(self._line(error, written))
            raise TemplateError(f"{origin.file}:{origin.line}: {_said(error)}") from error

    def _line(self, error: BaseException, written: Iterator[str]) -> int:
        """The line of the compiled text in which an error arose: that of the innermost frame of this template.

        When it is the output that grew too long, that is where the template stopped writing.
        """
        paused: FrameType | None = getattr(written, "gi_frame", None)
        line = paused.f_lineno if paused else 0
        step = error.__traceback__
        while step is not None:
            if step.tb_frame.f_code.co_filename == self.name:
                line = step.tb_lineno
            step = step.tb_next
        return self._template.get_corresponding_lineno(line)


def _said(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "a macro calls itself too deeply."
    text = str(error) or type(error).__name__
    return text if text.endswith(".") else f"{text}."


def build(prepare: Callable[[SandboxedEnvironment], object] | None = None) -> Fenced:
    """A new environment; ``prepare`` may add filters and globals (the hook ``prepare_templates``)."""
    environment = Fenced(
        undefined=StrictUndefined,
        autoescape=lambda name: name is not None and name.endswith((".html", ".mjml")),
        cache_size=0,
    )
    environment.globals = {name: environment.globals[name] for name in ("range", "namespace")}
    environment.filters = {name: measured(function) for name, function in FILTERS.items() if name in _HARMLESS}
    environment.filters.update(_OURS)
    if prepare is not None:
        prepare(environment)
    return environment


def _locale(context: Context) -> str:
    return str(context.resolve("locale")).replace("-", "_")


@pass_context
def _date(context: Context, value: object, style: str = "long") -> str:
    if style not in _STYLES:
        raise ValueError(f"date knows the styles {', '.join(_STYLES)}, not {style!r}")
    day = value.local.date() if isinstance(value, When) else value.on if isinstance(value, Day) else value
    return _STYLES[style](day, _locale(context))


def _time(value: object) -> str:
    if not isinstance(value, When):
        raise TypeError("time needs an instant, such as start")
    return f"{value.time} {value.zone}"


@pass_context
def _number(context: Context, value: float, digits: int = 0) -> str:
    return formats.number(value, _locale(context), min(digits, 10))


@pass_context
def _distance(context: Context, kilometres: float, unit: str = "mi") -> str:
    return formats.distance(kilometres, unit, _locale(context))


@pass_context
def _money(context: Context, amount: float, currency: str) -> str:
    return formats.money(amount, currency, _locale(context))


@pass_eval_context
def _join(settings: EvalContext, value: Iterable[Any], separator: str = "", attribute: str | int | None = None) -> str:
    items = list(value)
    if attribute is not None:
        items = list(map(make_attrgetter(settings.environment, attribute), items))
    spend(sum(len(str(item)) for item in items) + len(separator) * len(items))
    joined: str = do_join(settings, items, separator)
    return joined


def _replace(text: object, old: str, new: str) -> str:
    kept = text if isinstance(text, Markup) else str(text)
    spend(len(kept) + kept.count(old) * len(new))
    return kept.replace(old, new)


_OURS: Mapping[str, Callable[..., Any]] = {
    "date": _date,
    "time": _time,
    "number": _number,
    "distance": _distance,
    "money": _money,
    "join": _join,
    "replace": _replace,
    "plain": without_accents,
}

__all__ = ["Fenced", "Origin", "Origins", "Script", "TooMuch", "build"]
