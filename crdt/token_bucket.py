"""How much of something a peer may ask for in how short a time: a bucket that fills steadily and is emptied by what is asked."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """So much per second for ever, and `burst` at once after a quiet spell; both more than 0."""

    per_second: float
    burst: float


class TokenBucket:
    """One peer's share under a Rate; times are monotonic seconds and never go back."""

    __slots__ = ("_at", "_left", "_rate")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._left = rate.burst
        self._at = now

    def take(self, amount: float, now: float) -> float:
        """Take an amount, and return 0; or take nothing and return the seconds after which that much can be had.

        More than the burst can never be had at once: it is let through when the bucket is full, and
        leaves it in debt.
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
