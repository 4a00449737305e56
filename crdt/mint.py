"""Where a room's new names come from: random on a server, counted in a simulation."""

from collections.abc import Callable
from dataclasses import dataclass

from crdt.ids import PresenceId, UpdateId


@dataclass(frozen=True, slots=True)
class Mint:
    """Makes a new name each time it is asked."""

    update_id: Callable[[], UpdateId]
    presence_id: Callable[[], PresenceId]
