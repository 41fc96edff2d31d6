"""How often somebody may ask, by address, and press, by link; counted in the memory of this process."""

from __future__ import annotations

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

# What leads nowhere, from one address; and presses by one link: nobody presses so often by hand.
BY_ADDRESS = RateLimitItemPerMinute(600)
BY_LINK = RateLimitItemPerMinute(60)


class Limits:
    """Counts who asked. Only links that lead somewhere are counted by link, so that nobody can fill our memory."""

    def __init__(self) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def address(self, host: str) -> bool:
        """Whether this address may ask for nothing once more."""
        return self._limiter.hit(BY_ADDRESS, "address", host)

    def link(self, token: str) -> bool:
        """Whether something may be pressed once more by this link."""
        return self._limiter.hit(BY_LINK, "link", token)
