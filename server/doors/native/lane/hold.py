"""Postponed reading of a document's sockets, until its flush window ends.

All edits of a window are then parsed together. An edit that is parsed alone finds the processor's
caches cold, and costs three times as much. No edit leaves before the window ends, so the wait
delays nobody. To everybody else the network seems a moment slower: each connection's order is
kept, and the bytes of a connection that closes are read first.
"""

from collections.abc import Collection
from typing import Protocol
from weakref import WeakValueDictionary

from crdt.ids import DocumentId
from server.observe import log

MOST_BYTES = 4 * 2**10
"""Most bytes that wait: some thirty edits.

More edits in a row get no cheaper, and a busy server cannot afford to put them off.
"""


class Reader(Protocol):
    """The end of a connection that reads."""

    hold: "Hold | None"

    def read(self, data: bytes) -> None:
        """Act on bytes."""

    def fail(self) -> None:
        """End, because of a mistake of ours in reading."""


class Hold:
    """The bytes that wait for one room."""

    def __init__(self) -> None:
        self._chunks: list[tuple[Reader, bytes]] = []
        self._bytes = 0
        self.on = False

    def begin(self) -> None:
        """Keep what comes from now on."""
        self.on = True

    def keep(self, reader: Reader, data: bytes) -> bool:
        """Keep bytes to be read behind all others. Return False if they are to be read now."""
        if not self.on:
            return False
        self._chunks.append((reader, data))
        self._bytes += len(data)
        if self._bytes >= MOST_BYTES:
            self.read_now()
        return True

    def end(self) -> None:
        """Keep nothing more, and read what was kept."""
        self.on = False
        self.read_now()

    def read_now(self) -> None:
        """Read all that was kept, in the order in which it came."""
        chunks, self._chunks, self._bytes = self._chunks, [], 0
        for reader, data in chunks:
            try:
                reader.read(data)
            except Exception:  # noqa: BLE001 - as event loops do: a mistake of ours costs this connection, not the others
                log.exception("event_failed", kind="read")
                reader.fail()


class Holds:
    """The holds of all documents that have people.

    Only connections that are in one document and nowhere else take part.
    """

    def __init__(self) -> None:
        self._of: WeakValueDictionary[DocumentId, Hold] = WeakValueDictionary()

    def of(self, document_id: DocumentId) -> Hold | None:
        """Return a document's hold; None if no bytes may wait for it."""
        return self._of.get(document_id)

    def assign(self, reader: Reader | None, documents: Collection[DocumentId]) -> None:
        """Use the hold that fits a connection which is in these documents from now on."""
        if reader is None:
            return
        hold = None
        if len(documents) == 1:
            (document_id,) = documents
            hold = self._of.get(document_id)
            if hold is None:
                hold = self._of[document_id] = Hold()
        if reader.hold is not None and reader.hold is not hold:
            reader.hold.read_now()
        reader.hold = hold
