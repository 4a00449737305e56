"""What members of a document have seen of each other's edits, and how long it took.

An op-delivery is one edit that has reached one other member. Its delay is from the call that sent
it to the moment at which that member's socket gave it out. An edit that comes twice counts once;
the sender's own does not count.
"""

import time
from array import array
from collections.abc import Collection
from typing import Protocol

from tests.bench.edits import numbers_in

now = time.perf_counter


class Watcher(Protocol):
    """A member, as the meter sees it. `seen`: the numbers that it knows; `timed`: whether its delays are wanted, which cost time."""

    seen: set[int]
    timed: bool


class Meter:
    """Times in seconds. `begin` forgets what was measured so far, not who has seen what."""

    def __init__(self) -> None:
        self.sent_at = array("d")
        self.expected = self.delivered = 0
        self.acknowledged = 0
        self.begin()

    def begin(self) -> None:
        """Start to measure."""
        self.deliveries = 0
        self.first = len(self.sent_at)
        self.delays = array("d")
        self.acknowledgements = array("d")

    @property
    def outstanding(self) -> int:
        """Deliveries that have not happened yet."""
        return self.expected - self.delivered

    @property
    def edits(self) -> int:
        """Sent since the beginning."""
        return len(self.sent_at) - self.first

    def send(self, author: Watcher, others: int) -> int:
        """Somebody sends an edit to so many others now; its number."""
        number = len(self.sent_at)
        author.seen.add(number)
        self.expected += others
        self.sent_at.append(now())
        return number

    def arrive(self, member: Watcher, payload: bytes) -> None:
        """Somebody got bytes with edits in them, perhaps."""
        numbers = numbers_in(payload)
        if not numbers:
            return
        known = len(member.seen)
        if member.timed:
            moment = now()
            self.delays.extend([moment - self.sent_at[number] for number in numbers if number not in member.seen])
        member.seen.update(numbers)
        fresh = len(member.seen) - known
        self.deliveries += fresh
        self.delivered += fresh

    def acknowledge(self, number: int) -> None:
        """The server has confirmed an edit."""
        self.acknowledged += 1
        self.acknowledgements.append(now() - self.sent_at[number])


def percentile(values: Collection[float], share: float) -> float:
    """The value below which that share of the values lies; not a number where there is none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
