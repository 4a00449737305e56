"""Edits that came for a room that gathers: they are judged together, when the row that they wait for may leave.

An edit that comes by itself finds nothing of what judges it in the processor's cache: it takes three times as long as one behind another.
While a room gathers nothing comes of an edit before the window ends, so that nobody waits for its judgement either.

Everything else that happens to the room finds them judged, in the order in which they came (`OpenRoom.room`).
"""

from crdt.effects import Effect
from crdt.errors import ManyhandsError
from crdt.gate_limits import GateLimits
from crdt.ids import ConnectionId
from crdt.protocol import Refused, Request, decode_batch
from crdt.room import Room
from crdt.update_reader import inspect

LONGEST_WAIT = 0.05
"""Seconds until a batch is judged, and a bad one refused, also when the row before it does not come to the store."""

MOST_BYTES = 64 * 2**10
"""Of what waits: judging it takes some milliseconds, in which nothing else is done."""


class Inbox:
    """What waits to be judged for one room."""

    def __init__(self, room: Room, limits: GateLimits) -> None:
        self._room = room
        self._limits = limits
        self._batches: list[tuple[ConnectionId, bytes, Request | None]] = []
        self._bytes = 0
        self.deadline: float | None = None
        """When it must be judged; None: there is nothing."""

    def __bool__(self) -> bool:
        return bool(self._batches)

    def put(self, connection: ConnectionId, batch: bytes, request: Request | None, now: float) -> None:
        """Let a batch wait behind the others."""
        if self.deadline is None:
            self.deadline = now + LONGEST_WAIT
        self._batches.append((connection, batch, request))
        self._bytes += len(batch)

    @property
    def full(self) -> bool:
        """Whether no more may wait."""
        return self._bytes >= MOST_BYTES

    def judge(self) -> list[Effect]:
        """Have the room judge all of it in the order in which it came."""
        batches, self._batches, self._bytes, self.deadline = self._batches, [], 0, None
        return [effect for each in batches for effect in self.judge_one(*each)]

    def judge_one(self, connection: ConnectionId, batch: bytes, request: Request | None) -> list[Effect]:
        """Have the room judge a batch, before which nothing waits."""
        limits = self._limits
        try:
            updates = [inspect(update, limits) for update in decode_batch(batch)]
        except ManyhandsError as refusal:
            return self._room.refuse(connection, request, Refused(refusal.code, refusal.outward))
        return self._room.receive(connection, updates, request)
