"""Uploads: batches that come in parts, put together in order.

An upload is paid for from its sender's share of memory, and forgotten at the first mistake.
"""

from dataclasses import dataclass, field

from crdt.budget import Account, Lease
from crdt.errors import Code, GivenUp, ProtocolError
from crdt.ids import DocumentId
from crdt.protocol.requests import Upload

PART_SECONDS = 30.0
"""Seconds from one part to the next. A part of 256 KiB takes this long at 9 kB/s."""

BYTES_PER_SECOND = 16 * 2**10
"""Slowest pace of an upload. A slower one would hold its memory for too long."""


@dataclass(slots=True, eq=False)
class _Open:
    total: int
    lease: Lease
    received: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True, slots=True)
class Whole:
    """A batch that has come whole. Its receiver releases the lease after working with the batch."""

    batch: bytes
    lease: Lease


class Uploads:
    """One connection's uploads, at most one per document.

    `part_bytes` bounds one part. `most_bytes` bounds one upload, and also all that this connection
    holds open together. `account` pays.
    """

    def __init__(self, part_bytes: int, most_bytes: int, account: Account) -> None:
        self._part_bytes = part_bytes
        self._most_bytes = most_bytes
        self._account = account
        self._open: dict[DocumentId, _Open] = {}
        self._given_up: dict[DocumentId, str] = {}
        """Why an upload was given up, until it is begun again."""

    @property
    def held_bytes(self) -> int:
        """Bytes received of uploads that are not complete."""
        return sum(len(upload.received) for upload in self._open.values())

    def receive(self, upload: Upload) -> Whole | int:
        """Take the next part.

        Return the whole batch with the last part, else the bytes received so far. Offset 0 begins
        anew. Raises ManyhandsError, and then the document's upload is forgotten. GivenUp says that
        it was given up before.
        """
        document_id = upload.document_id
        begun = self._open.pop(document_id, None)
        if begun is not None and upload.offset == 0:
            begun.lease.release()
            begun = None
        try:
            if begun is None:
                begun = self._begin(upload)
            self._add(begun, upload)
        except BaseException:
            if begun is not None:
                begun.lease.release()
            raise
        if len(begun.received) == begun.total:
            begun.lease.keep()
            return Whole(bytes(begun.received), begun.lease)
        self._open[document_id] = begun
        return len(begun.received)

    def _begin(self, upload: Upload) -> _Open:
        why = self._given_up.pop(upload.document_id, None)
        if upload.offset > 0:
            raise GivenUp(why) if why is not None else _out_of_order()
        if upload.total > self._most_bytes:
            raise self._too_large()
        begun = _Open(upload.total, self._account.lease(lambda why: self._lose(upload.document_id, why)))
        begun.lease.last(PART_SECONDS, at_most=PART_SECONDS + upload.total / BYTES_PER_SECOND)
        return begun

    def _add(self, begun: _Open, upload: Upload) -> None:
        part = upload.part
        if begun.total != upload.total or len(begun.received) != upload.offset:
            raise _out_of_order()
        if len(part) > self._part_bytes:
            raise ProtocolError(Code.TOO_LARGE, f"A part has at most {self._part_bytes} bytes.")
        if self.held_bytes + upload.offset + len(part) > self._most_bytes:
            raise self._too_large()
        if not part or upload.offset + len(part) > upload.total:
            raise ProtocolError(Code.MALFORMED, "`part` is empty or reaches past `total`.")
        begun.lease.grow(len(part))
        begun.lease.last(PART_SECONDS)
        begun.received += part

    def _too_large(self) -> ProtocolError:
        return ProtocolError(
            Code.TOO_LARGE, f"Uploads have at most {self._most_bytes} bytes, all of a connection together."
        )

    def _lose(self, document_id: DocumentId, why: str) -> None:
        del self._open[document_id]
        self._given_up[document_id] = why

    def forget(self, document_id: DocumentId) -> None:
        """Drop what was received for a document."""
        self._given_up.pop(document_id, None)
        if (upload := self._open.pop(document_id, None)) is not None:
            upload.lease.release()

    def forget_all(self) -> None:
        """Drop everything, because the connection is gone."""
        for document_id in list(self._open):
            self.forget(document_id)


def _out_of_order() -> ProtocolError:
    return ProtocolError(Code.MALFORMED, "`offset` or `total` does not continue the upload; begin again at 0.")
