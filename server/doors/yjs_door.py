"""Doors of other Yjs protocols: what such a door tells its clients, and when.

An *end* is one client in one document (yjs_end.py). A door says everything once for all ends that
are told it in the same bytes. Two rules:

1. **An update comes back to its sender when it is durable**, and reaches others only then.
2. **Silence is broken.** After 30 seconds without a message, clients give a connection up, and
   forget each other's cursors. So all cursors are told again every `RENEWAL_SECONDS`.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar, cast

from crdt.ids import DocumentId
from crdt.protocol.batch import decode_batch
from crdt.protocol.messages import BroadcastMessage, PresenceMessage, ServerMessage, UpdateMessage
from server.auth.base import Identity
from server.doors.awareness import AwarenessClocks
from server.doors.reception import Reception
from server.rooms import Circle, Seat

if TYPE_CHECKING:
    from server.doors.yjs_end import End

RENEWAL_SECONDS = 12.0
"""Seconds between two renewals of all cursors: clients forget a cursor after 30."""


class Updates(NamedTuple):
    """Changes of the document, each as its author made it."""

    updates: Sequence[bytes]


class Cursors(NamedTuple):
    """States of people, as an awareness update."""

    content: bytes


class Word(NamedTuple):
    """A text of somebody's application, which not every protocol can tell."""

    payload: bytes


News = Updates | Cursors | Word
Frames = TypeVar("Frames")
"""A protocol's messages, written once for everybody who is told them."""


class Names(Protocol):
    """Port to what finds the document of a name."""

    async def find(self, name: str, identity: Identity, address: str) -> DocumentId:
        """Return the document's id, and make the document if that is allowed.

        Raises ManyhandsError.
        """


class YjsDoor(ABC, Generic[Frames]):
    """All clients of one protocol on this node."""

    def __init__(self, reception: Reception, names: Names) -> None:
        self.reception = reception
        self.names = names
        self.draining = False
        self._awareness = AwarenessClocks(reception.now)
        self.ends: dict[int, End[Frames]] = {}
        """Those that are in a document, by arrival."""
        self._renewal: asyncio.TimerHandle | None = None

    @abstractmethod
    def write(self, key: str, news: News) -> Frames:
        """Write news for the ends that call their document by this key."""

    # What rooms ask of a door.

    def say(self, circle: Circle, document_id: DocumentId, message: ServerMessage, but: Seat | None) -> Sequence[Seat]:
        """Tell many. The one author of an update gets it back by the acknowledgement."""
        match message:
            case UpdateMessage(_, batch):
                news: News = Updates(decode_batch(batch, max_updates=2**31))
            case PresenceMessage(changes):
                news = Cursors(self._awareness.written(document_id, changes))
            case BroadcastMessage(payload):
                news = Word(payload)
            case _:
                for seat in circle.seats:
                    cast("End[Frames]", seat.ears).hear(message)
                return []
        ends = {seat: cast("End[Frames]", seat.ears) for seat in circle.seats if seat is not but}
        limit = self.reception.rooms.limits.backlog_bytes
        return [seat for seat, backlog in zip(ends, self._tell(ends.values(), news), strict=True) if backlog > limit]

    def _tell(self, ends: Iterable["End[Frames]"], news: News) -> list[int]:
        """Tell the ends of one document, and return the backlog of each."""
        frames: dict[str, Frames] = {}
        backlogs = []
        for end in ends:
            if end.key not in frames:
                frames[end.key] = self.write(end.key, news)
            backlogs.append(end.push(frames[end.key]))
        return backlogs

    # Cursors.

    def everybody(self, seat: Seat) -> Cursors:
        """Return where everybody in a seat's document is."""
        return Cursors(self._awareness.written(seat.document_id, seat.everybody()))

    def sits_down(self, end: "End[Frames]") -> None:
        """Note that an end is in a document from now on."""
        self.ends[end.arrival] = end
        if self._renewal is None:
            self._renewal = asyncio.get_running_loop().call_later(RENEWAL_SECONDS, self._renew)

    def gets_up(self, end: "End[Frames]") -> None:
        """Note that an end is in no document any more."""
        self.ends.pop(end.arrival, None)

    def _renew(self) -> None:
        """Tell everybody of all cursors again, and of nothing where there are none.

        Whoever takes nothing in has enough to take in, and is not told.
        """
        self._renewal = None
        limit = self.reception.rooms.limits.backlog_bytes
        together: dict[DocumentId, list[End[Frames]]] = {}
        for end in self.ends.values():
            told = together.setdefault(end.document_id, [])
            if end.seat_here is not None and end.seat_here.listens and end.backlog <= limit:
                told.append(end)
        for ends in together.values():
            if ends and (seat := ends[0].seat_here) is not None:
                self._tell(ends, self.everybody(seat))
        self._awareness.keep(together)
        if self.ends:
            self._renewal = asyncio.get_running_loop().call_later(RENEWAL_SECONDS, self._renew)

    # Lifetime.

    def close(self) -> None:
        """Stop telling."""
        if self._renewal is not None:
            self._renewal.cancel()
