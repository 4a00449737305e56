"""Batches that come in parts: put together in order, bounded, and forgotten at the first mistake."""

from dataclasses import dataclass, field

from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId
from crdt.requests import Upload


@dataclass(slots=True)
class _Open:
    total: int
    received: bytearray = field(default_factory=bytearray)


class Uploads:
    """One connection's uploads, at most one per document.

    `part_bytes` bounds one part, `most_bytes` one upload and also all that this connection holds open together.
    """

    def __init__(self, part_bytes: int, most_bytes: int) -> None:
        self._part_bytes = part_bytes
        self._most_bytes = most_bytes
        self._open: dict[DocumentId, _Open] = {}

    @property
    def held_bytes(self) -> int:
        """Bytes received of uploads that are not complete."""
        return sum(len(upload.received) for upload in self._open.values())

    def receive(self, upload: Upload) -> bytes | int:
        """Take the next part; return the whole batch when it was the last, else the bytes received so far.

        Offset 0 begins anew. Raises ProtocolError, and then the document's upload is forgotten.
        """
        begun = self._open.pop(upload.document_id, None)
        if upload.offset == 0:
            begun = _Open(upload.total)
        if begun is None or begun.total != upload.total or len(begun.received) != upload.offset:
            raise ProtocolError(Code.MALFORMED, "`offset` or `total` does not continue the upload; begin again at 0.")
        if len(upload.part) > self._part_bytes:
            raise ProtocolError(Code.TOO_LARGE, f"A part has at most {self._part_bytes} bytes.")
        if upload.total > self._most_bytes or self.held_bytes + upload.offset + len(upload.part) > self._most_bytes:
            raise ProtocolError(
                Code.TOO_LARGE, f"Uploads have at most {self._most_bytes} bytes, all of a connection together."
            )
        if not upload.part or upload.offset + len(upload.part) > upload.total:
            raise ProtocolError(Code.MALFORMED, "`part` is empty or reaches past `total`.")
        begun.received += upload.part
        if len(begun.received) == upload.total:
            return bytes(begun.received)
        self._open[upload.document_id] = begun
        return len(begun.received)

    def forget(self, document_id: DocumentId) -> None:
        """Drop what was received for a document."""
        self._open.pop(document_id, None)
