"""What of the configuration says how long facts are kept, and with what the names of erased customers are hashed."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from commsched.timing.durations import Duration, parse_duration

LEAST_SECRET = 16
# No shipped rule or policy looks back further.
LEAST = timedelta(days=365)


class ErasureSettings(BaseModel):
    """What is left of customers who were erased."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret: SecretStr | None = Field(
        None,
        description="Mixed into the hashes of erased names, as `env:NAME` or `file:PATH`; once anybody was erased it "
        "must stay as it is. Default: the store's own key alone.",
    )

    @property
    def key(self) -> str:
        """The secret; empty where there is none."""
        return self.secret.get_secret_value() if self.secret is not None else ""

    @model_validator(mode="after")
    def _long(self) -> ErasureSettings:
        if self.secret is not None and len(self.key) < LEAST_SECRET:
            message = f"the secret is shorter than {LEAST_SECRET} characters; make one with `openssl rand -hex 32`"
            raise ValueError(message)
        return self


class RetentionSettings(BaseModel):
    """How long facts are kept, by type, from when they were true; all other types are kept for ever."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reading: str | None = Field(None, description="E.g. `5y`; the last of each asset stays. Default: for ever.")
    service_record: str | None = Field(None, description="The last of each service, asset and outcome stays.")
    event: str | None = Field(None, description="The last of each kind, item and asset stays.")
    interaction: str | None = Field(None, description="The last of each direction, purpose and topic stays.")
    feedback: str | None = Field(None, description="The last of each department and matter stays.")

    @property
    def lengths(self) -> dict[str, Duration]:
        """How long each type is kept that is not kept for ever."""
        return {name: parse_duration(text) for name, text in self.model_dump().items() if text is not None}

    @field_validator("*")
    @classmethod
    def _long_enough(cls, text: str | None) -> str | None:
        if text is not None and parse_duration(text).rough() < LEAST:
            message = "facts are kept for a year at least, since rules look back that far; write 1y or more"
            raise ValueError(message)
        return text
