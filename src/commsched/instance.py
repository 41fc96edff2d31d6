"""What the configuration says of a named instance of a plugin kind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from commsched.timing.durations import parse_exact
from commsched.timing.rates import parse_daily, parse_spacing


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
