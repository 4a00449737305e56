"""What a scenario is: servers, settings, and what happens to one server in one setting."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.servers import Kind
from tests.bench.table import Figures


@dataclass(frozen=True)
class Pace:
    """How long to warm up and to measure, in seconds."""

    warm_up: float = 2.0
    seconds: float = 5.0


Play = Callable[[Kind, Path, Pace], Awaitable[Figures]]
"""Start a server over an empty directory and measure it."""


@dataclass(frozen=True)
class Scenario:
    """`settings` by what the table calls them; `headline`: the figures that servers are compared by.

    `in_one_table`: the settings of one server are the rows of one table, because nobody is compared
    with anybody.
    """

    summary: str
    servers: Sequence[Kind]
    settings: Mapping[str, Play]
    headline: Sequence[str] = ("µs/delivery", "p99 ms")
    in_one_table: bool = False
