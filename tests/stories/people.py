"""The people that stories are about: facts that many of them begin with."""

from __future__ import annotations

from commsched.testing.stories import Story


def driver(story: Story, name: str = "Ana Ortiz", *, customer: str = "C1", email: str = "ana@example.com") -> Story:
    """A customer in Evanston who can be reached by mail."""
    long_ago = "2023-11-01 10:00"
    story.given("customer", id=customer, name=name, kind="person", region="US-IL", at=long_ago, recorded_at=long_ago)
    return story.given(
        "contact_point", customer=customer, kind="email", address=email, at=long_ago, recorded_at=long_ago
    )


def car(
    story: Story, *, customer: str = "C1", asset: str = "V1", bought: str = "2023-11-01", **fields: object
) -> Story:
    """A Ford that they bought here and drive."""
    at = f"{bought} 10:00"
    attributes = {"make": "Ford", "year": 2023, "fuel": "gasoline", "drive": "fwd", "transmission": "automatic"}
    story.given(
        "asset", customer=customer, id=asset, kind="car", model="Ford Escape", acquired_on=bought, in_use=True,
        attributes=attributes, at=at, recorded_at=at, **fields,
    )  # fmt: skip
    return story.given(
        "event",
        customer=customer,
        kind="purchase",
        item="new-vehicle",
        asset=asset,
        at=at,
        recorded_at=at,
        id=f"buy-{asset}",
    )


def odometer(
    story: Story, *readings: tuple[str, float], customer: str = "C1", asset: str = "V1", **fields: object
) -> Story:
    """Readings in miles, each with its date."""
    for day, miles in readings:
        story.given(
            "reading", customer=customer, asset=asset, value=miles, unit="mi", stated_by="staff",
            at=f"{day} 12:00", recorded_at=f"{day} 12:00", **fields,
        )  # fmt: skip
    return story


def serviced(story: Story, service: str, day: str, miles: float | None = None, **fields: object) -> Story:
    """Work that was done on the car."""
    values = {"customer": "C1", "asset": "V1", "outcome": "done", "unit": "mi", **fields}
    if miles is not None:
        values["reading"] = miles
    return story.given("service_record", service=service, at=f"{day} 15:00", recorded_at=f"{day} 15:00", **values)


def colleague(
    story: Story, customer: str, name: str, *roles: str, organisation: str = "O1", status: str = "active"
) -> Story:
    """Somebody at an organisation who can be reached by mail."""
    long_ago = "2023-11-01 10:00"
    story.given(
        "customer", id=customer, name=name, kind="person", organisation=organisation, roles=list(roles), status=status,
        region="US-IL", at=long_ago, recorded_at=long_ago,
    )  # fmt: skip
    return story.given(
        "contact_point", customer=customer, kind="email", address=f"{customer.lower()}@example.com",
        at=long_ago, recorded_at=long_ago,
    )  # fmt: skip


def snowy(story: Story, customer: str = "C1") -> Story:
    """They told us about their winters, so that an offer of winter tires has a reason."""
    return story.given(
        "custom", customer=customer, facts={"winter_driving": "up the hill every morning"}, stated_by="customer"
    )
