"""Token buckets: a limit on how much a peer may ask for in a given time.

A bucket fills steadily, and each request takes tokens out.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """An amount per second, and an amount at once after a quiet spell. Both are more than 0."""

    per_second: float
    burst: float


class TokenBucket:
    """One peer's bucket under a Rate. Times are monotonic seconds and never go back."""

    __slots__ = ("_at", "_left", "_rate")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._left = rate.burst
        self._at = now

    def take(self, amount: float, now: float) -> float:
        """Take an amount and return 0, or take nothing and return the seconds until it is there.

        An amount above the burst is let through when the bucket is full. It leaves the bucket in
        debt, because the bucket can never hold that much.
        """
        rate = self._rate
        left = self._left + (now - self._at) * rate.per_second
        if left > rate.burst:
            left = rate.burst
        self._at = now
        if amount <= left or left == rate.burst:
            self._left = left - amount
            return 0.0
        self._left = left
        return (min(amount, rate.burst) - left) / rate.per_second
