"""What a room tells other nodes: its effects as messages of the bus."""

from typing import assert_never

from crdt.ids import Epoch
from crdt.protocol.row import Row
from crdt.room.effects import AnnouncePresence, PublishBatch, PublishPresence
from crdt.room.room import Room
from server.bus.base import BatchHint, BusMessage, PresenceHint, PresenceWhole

LARGE_HINT = 256 * 2**10
"""A batch above this many bytes is not put on the bus: its seq travels alone, and other nodes read the log."""

KEY_BYTES = 24
"""What a client id and its key count for in that."""


def hint_of(effect: PublishBatch | PublishPresence | AnnouncePresence, room: Room) -> BusMessage:
    """Put into words what the room asks to be told."""
    match effect:
        case PublishBatch(row):
            return _of_row(room.epoch, row, len(room.people))
        case PublishPresence(changes):
            return PresenceHint(changes)
        case AnnouncePresence(people, asks):
            return PresenceWhole(people, asks)
        case _:
            assert_never(effect)


def _of_row(epoch: Epoch, row: Row, people: int) -> BatchHint:
    """Tell of a row, whole if it is small."""
    if len(row.batch) + KEY_BYTES * len(row.author_keys) > LARGE_HINT:
        return BatchHint(epoch, row.seq, None, people=people)
    return BatchHint(epoch, row.seq, row.batch, row.author_keys, people)
