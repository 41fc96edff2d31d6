"""The deployment's configuration: ``config/commsched.toml``, checked, with the line of every error.

A value written as ``env:NAME`` or ``file:PATH`` is read from there, so that no secret stands in the file.
"""

from __future__ import annotations

import os
import re
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator

from commsched.errors import ConfigurationError, Problem
from commsched.keeping import ErasureSettings, RetentionSettings
from commsched.plugin.view import Department
from commsched.plugin.web import web_address
from commsched.timing.civil import zone
from commsched.timing.durations import parse_exact
from commsched.timing.rates import Rate, parse_daily, parse_spacing

FILE = Path("config/commsched.toml")
# What must never stand in the file itself.
SECRETS = frozenset({"api_key", "auth_token", "password", "secret", "service_url", "token"})
# What `check` looks for in texts: the lists of commsched/check/words/*.toml.
WORD_LISTS = ("scores", "selling", "filler", "health", "stop", "common")
LEAST_SECRET = 16
# An environment variable that puts another database in the place of the configured one.
STORE = "COMMSCHED_STORE"


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DeploymentSettings(_Section):
    """Who sends, where, and by which clock."""

    name: str = Field(min_length=1, description="The organisation's name, as customers know it.")
    timezone: str = Field(description="IANA zone of the place, e.g. America/Chicago.")
    region: str = Field("", description="ISO 3166-2 region of the place, e.g. US-IL.")
    locale: str = Field("en", description="The language that is used when a customer's is not known.")
    locales: tuple[str, ...] = Field((), description="Languages in which every message must exist; default: locale.")
    currency: str = Field("", pattern="^([A-Z]{3})?$", description="In which costs are reckoned, e.g. USD or EUR.")
    units: str = Field("km", pattern="^(km|mi)$", description="What the meters of assets count in.")
    store: str = Field("sqlite:///var/commsched.db", description="The database: sqlite:///FILE or postgresql://…")
    horizon: str = Field("60d", description="How far ahead messages are planned.")
    hold_back: str = Field(
        "2m", description="How long a message caused by a person's action waits for a second thought."
    )
    sender: str = Field(description="The From line of e-mails: Name <address>.")
    unsubscribe: str = Field("", description="The address that takes e-mails asking to stop.")
    public_url: str = Field(
        "", description="Where customers reach the pages of their links, e.g. https://my.garage.example; default: none."
    )
    live_from: date | None = Field(
        None, description="What lay before this date yields nothing; default: the first start."
    )
    only_to: tuple[str, ...] = Field((), description="In a rehearsal: the only addresses that are written to.")
    first_day: int = Field(
        500,
        ge=0,
        description="So many customers a new or edited rule may write to on its first day without `--accept`.",
    )
    policy_seconds: float = Field(1.0, gt=0, le=60, description="How long a policy may think about one message.")
    engine: Literal["local", "distributed"] = Field(
        "local",
        description="`local`: every `commsched run` claims for itself. `distributed`: workers on any machine share a"
        " queue in PostgreSQL; see scale.md.",
    )
    lease: str = Field("60s", description="How long a worker may hold a customer before another takes over.")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            zone(name)
        except KeyError:
            message = f"{name!r} is not an IANA time zone; write e.g. America/Chicago or Europe/Berlin"
            raise ValueError(message) from None
        return name

    @field_validator("locale", "locales")
    @classmethod
    def _known_locale(cls, names: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for name in [names] if isinstance(names, str) else names:
            try:
                Locale.parse(name.replace("-", "_"))
            except (UnknownLocaleError, ValueError):
                message = f"{name!r} is not a language; write e.g. en_US, es or de"
                raise ValueError(message) from None
        return names

    @field_validator("horizon", "hold_back", "lease")
    @classmethod
    def _length(cls, text: str) -> str:
        parse_exact(text)
        return text

    @field_validator("public_url")
    @classmethod
    def _reachable(cls, text: str) -> str:
        return public_address(text)

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the place."""
        return zone(self.timezone)


class DepartmentSettings(_Section):
    """A department and how customers reach it."""

    title: str = Field(description="Its name, as customers know it.")
    calendar: str | None = Field(None, description="The calendar of its hours.")
    timezone: str | None = Field(None, description="Its IANA zone; default: the place's.")
    phone: str = Field("", description="How customers call it.")
    email: str = Field("", description="How customers write to it.")
    postal: str = Field("", description="Where it is.")
    lead: str = Field("", description="Who leads it: to whom tasks escalate that nobody did.")
    tasks_due: str = Field("1d", description="How soon a task is to be done, once it is there.")
    escalate_after: str = Field("2d", description="How long after it was due an open task escalates to the lead.")
    minimal_content: bool = Field(
        False,
        description="Its reminders give a name, a time and how to call back, and nothing else; `check` sees to it.",
    )

    def department(self, name: str, place: ZoneInfo) -> Department:
        """As plans see it; ``place`` is the zone of the deployment."""
        where = zone(self.timezone) if self.timezone else place
        return Department(name, self.title, where, self.calendar, self.phone, self.email, self.postal, self.lead)

    @field_validator("tasks_due", "escalate_after")
    @classmethod
    def _length(cls, text: str) -> str:
        parse_exact(text)
        return text


class PageSettings(_Section):
    """What customers' pages offer."""

    keeping: str = Field(
        "", description="The topic that is closed while somebody keeps a thing, e.g. `trade_in`; default: none."
    )


class CheckSettings(_Section):
    """What ``check`` holds against texts."""

    sms_segments: int = Field(3, ge=1, le=10, description="So many parts a text may take at most, filled in.")
    words: dict[str, dict[str, tuple[str, ...]]] = Field(
        {}, description="More words by language and list, `[check.words.en]` `selling = […]`; `*` is up to three words."
    )
    allow: tuple[str, ...] = Field((), description="Words that are held against nobody.")

    @field_validator("words")
    @classmethod
    def _known_lists(cls, words: dict[str, dict[str, tuple[str, ...]]]) -> dict[str, dict[str, tuple[str, ...]]]:
        for name in sorted({name for lists in words.values() for name in lists} - set(WORD_LISTS)):
            message = f"{name!r} is not a list of words; there is {', '.join(WORD_LISTS)}"
            raise ValueError(message)
        return words


class FeedbackSettings(_Section):
    """Where a source is told which of its values customers or staff have corrected; the table is named after it."""

    report_to: str = Field(
        description="The address that takes reports: `https://…`; `env:NAME` keeps it out of the file."
    )
    secret: SecretStr = Field(description="What reports are signed with, as `env:NAME` or `file:PATH`.")
    allow_private: bool = Field(False, description="Whether it may stand in a private network, and go without TLS.")
    timeout: float = Field(10.0, gt=0, le=120, description="How many seconds the server has for an answer.")

    @model_validator(mode="after")
    def _readable(self) -> FeedbackSettings:
        web_address(self.report_to, allow_private=self.allow_private)
        if len(self.secret.get_secret_value()) < LEAST_SECRET:
            message = f"the secret is shorter than {LEAST_SECRET} characters; make one with `openssl rand -hex 32`"
            raise ValueError(message)
        return self


class InstanceSettings(BaseModel):
    """A named instance of a plugin kind; every other key is a setting of the kind."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str = Field(description="One of the kinds below, or of a plugin.")
    name: str = Field("", description="What it is called; default: its kind.")
    purposes: tuple[str, ...] | None = Field(
        None, description="Of a policy: the purposes in which it has a say; default: its kind's."
    )
    topics: tuple[str, ...] | None = Field(
        None, description="Of a policy: the topics, with all below them; default: every topic."
    )
    departments: tuple[str, ...] | None = Field(None, description="Of a policy: whose messages; default: everybody's.")
    media: tuple[str, ...] | None = Field(None, description="Of a policy: the media it narrows; default: its kind's.")
    cost: float | None = Field(
        None, ge=0, description="Of a channel: what a message costs, a part of a text on `sms`; default: nothing."
    )
    rate: str | None = Field(
        None,
        description="Of a channel: how fast it may send, e.g. `10/s` or `75/min`; on `sms` the parts of texts count.",
    )
    daily: str | None = Field(
        None, description="Of a channel: how many on one day of the deployment's zone, e.g. `2000/day`; counted alike."
    )
    capacity: int | None = Field(
        None, ge=1, le=1000, description="Of a calendar: how many appointments it takes at once; default: 1."
    )

    fresh: str | None = Field(
        None,
        description="Of a source: how old its last word may be, from its first on, e.g. `2d`; default: of any age.",
    )

    @field_validator("fresh")
    @classmethod
    def _exact(cls, text: str | None) -> str | None:
        if text is not None and parse_exact(text) <= timedelta():
            message = "a source cannot be fresher than now; write a length of time such as 2d"
            raise ValueError(message)
        return text

    @field_validator("rate")
    @classmethod
    def _spacing(cls, text: str | None) -> str | None:
        if text is not None:
            parse_spacing(text)
        return text

    @field_validator("daily")
    @classmethod
    def _number_a_day(cls, text: str | None) -> str | None:
        if text is not None:
            parse_daily(text)
        return text

    @property
    def label(self) -> str:
        """The instance's name; the kind where none is given."""
        return self.name or self.kind

    @property
    def settings(self) -> dict[str, Any]:
        """The kind's own settings."""
        return dict(self.model_extra or {})


class Configuration(_Section):
    """The whole file."""

    deployment: DeploymentSettings
    departments: dict[str, DepartmentSettings] = Field(min_length=1)
    channels: tuple[InstanceSettings, ...] = ()
    policies: tuple[InstanceSettings, ...] = ()
    calendars: tuple[InstanceSettings, ...] = ()
    sources: tuple[InstanceSettings, ...] = ()
    check: CheckSettings = CheckSettings()
    pages: PageSettings = PageSettings()
    feedback: dict[str, FeedbackSettings] = {}
    erasure: ErasureSettings = ErasureSettings()
    retention: RetentionSettings = RetentionSettings()

    @property
    def capacity(self) -> dict[str, int]:
        """How many appointments each calendar takes at once."""
        return {calendar.label: calendar.capacity or 1 for calendar in self.calendars}

    @property
    def rates(self) -> dict[str, Rate]:
        """How fast the channels may go that say so."""
        return {
            one.label: Rate(
                parse_spacing(one.rate) if one.rate is not None else None,
                parse_daily(one.daily) if one.daily is not None else None,
            )
            for one in self.channels
            if one.rate is not None or one.daily is not None
        }

    @property
    def costs(self) -> dict[str, float]:
        """What a message costs on each channel; on one for texts, each part of one."""
        return {channel.label: channel.cost or 0.0 for channel in self.channels}


def load_configuration(folder: Path) -> Configuration:
    """Read ``config/commsched.toml`` of a deployment. Raises :class:`ConfigurationError` with every problem found."""
    path = folder / FILE
    try:
        text = path.read_text("utf-8")
        data = tomllib.loads(text)
    except FileNotFoundError:
        message = "there is no such file; run `commsched init DIR` for a deployment, or name one with --deployment"
        raise ConfigurationError.one(path, message, code="missing") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError.one(FILE, f"the file is not UTF-8 (byte {error.start})", code="encoding") from error
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        raise ConfigurationError.one(FILE, str(error), line=int(found[1]) if found else None, code="syntax") from error
    try:
        configuration = Configuration.model_validate(_with_store(_resolved(data, folder)))
    except ValidationError as error:
        raise ConfigurationError([_problem(one, text) for one in error.errors()]) from error
    _check_names(configuration, text)
    return configuration


def public_address(text: str) -> str:
    """A public address as it is used, without a slash at its end; ``ValueError`` says what would be right."""
    parts = urlsplit(text)
    if text and (parts.scheme not in {"https", "http"} or not parts.hostname or parts.path.strip("/") or parts.query):
        message = "write an address without a path, such as https://my.garage.example"
        raise ValueError(message)
    if parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        message = (
            "customers' links need https://; http:// is for trying things out on this machine (http://localhost:8000)"
        )
        raise ValueError(message)
    return text.rstrip("/")


def line_of(text: str, *words: str) -> int | None:
    """The line on which the words stand one after the other, each searched from where the last was found."""
    at = 0
    for word in words:
        found = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])").search(text, at)
        if found is None:
            return None
        at = found.start()
    return text.count("\n", 0, at) + 1


def _problem(error: Any, text: str) -> Problem:  # noqa: ANN401 - pydantic's ErrorDetails
    path = [str(part) for part in error["loc"] if not isinstance(part, int)]
    # What is missing has no line of its own, but the table has in which it belongs.
    line = line_of(text, *(path[:-1] if error["type"] == "missing" else path))
    name = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        return Problem(
            str(FILE), line, "unknown_key", f"{name} is not a setting; see docs/configuration.md for those there are"
        )
    message = str(error["msg"]).removeprefix("Value error, ")
    return Problem(str(FILE), line, "invalid", f"{name}: {message}")


def _check_names(configuration: Configuration, text: str) -> None:
    problems = []
    calendars = {calendar.label for calendar in configuration.calendars}
    for name, department in configuration.departments.items():
        if department.calendar is not None and department.calendar not in calendars:
            known = ", ".join(sorted(calendars)) or "none is declared"
            message = f"the department {name} uses the calendar {department.calendar!r}; there is {known}"
            problems.append(Problem(str(FILE), line_of(text, department.calendar), "unknown_calendar", message))
    for kind in ("channels", "policies", "calendars", "sources"):
        labels = [instance.label for instance in getattr(configuration, kind)]
        for label in sorted({label for label in labels if labels.count(label) > 1}):
            message = f"two {kind} are called {label!r}; give one of them another name"
            problems.append(Problem(str(FILE), line_of(text, label), "duplicate", message))
    if problems:
        raise ConfigurationError(problems)


def _resolved(value: Any, folder: Path) -> Any:  # noqa: ANN401 - TOML is any
    """The value with ``env:`` and ``file:`` references read."""
    if isinstance(value, dict):
        for name in sorted(SECRETS & value.keys()):
            if isinstance(value[name], str) and value[name] and not value[name].startswith(("env:", "file:")):
                message = f"{name} must not stand in the file; write env:NAME or file:PATH, and put it there"
                raise ConfigurationError.one(FILE, message, code="secret")
        return {name: _resolved(one, folder) for name, one in value.items()}
    if isinstance(value, list):
        return [_resolved(one, folder) for one in value]
    if isinstance(value, str) and value.startswith("env:"):
        return _required(os.environ.get(value[4:]), f"the environment variable {value[4:]} is not set")
    if isinstance(value, str) and value.startswith("file:"):
        path = folder / value[5:]
        return _required(path.read_text("utf-8").strip() if path.is_file() else None, f"there is no file {value[5:]}")
    return value


def _with_store(data: Any) -> Any:  # noqa: ANN401 - TOML is any
    store, deployment = os.environ.get(STORE), data.get("deployment")
    if not store or not isinstance(deployment, dict):
        return data
    return {**data, "deployment": {**deployment, "store": store}}


def _required(value: str | None, message: str) -> str:
    if value is None:
        raise ConfigurationError.one(FILE, message, code="missing_secret")
    return value
