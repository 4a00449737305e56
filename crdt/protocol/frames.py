"""Frames of protocol 2: a hot message as one binary frame, instead of a text and its attachment.

Pure. Decoding is strict: bytes become a message or raise ProtocolError, nothing else, in time
linear in their length. Numbers are varUint, and the batch is the rest of the frame:

- from the server: `1 • length • document id • seq • batch`
- from a client: `1 • length • document id • ack id • after + 1, or 0 • batch`
"""

from typing import NamedTuple

from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId, Seq
from crdt.yjs.varint import read_varuint, sized, varuint

UPDATE = 1
"""The first byte of an update. Other kinds may come."""


class UpdateFrame(NamedTuple):
    """A client's update. `after`: the last row that the author had applied, if named."""

    ack_id: int
    document_id: DocumentId
    after: Seq | None
    batch: bytes


def write_update(document_id: DocumentId, seq: Seq, batch: bytes) -> bytes:
    """Write durable changes as the server sends them."""
    return b"\1" + sized(document_id.encode()) + varuint(seq) + batch


def read_update(frame: bytes) -> UpdateFrame:
    """Read what a client sends. The document's id and the batch are unchecked."""
    if frame[:1] != b"\1":
        raise ProtocolError(Code.MALFORMED, "There is no frame of this kind.")
    length, at = read_varuint(frame, 1)
    behind = at + length
    ack_id, after_at = read_varuint(frame, behind)
    after, batch_at = read_varuint(frame, after_at)
    try:
        document_id = DocumentId(frame[at:behind].decode())
    except UnicodeDecodeError:
        raise ProtocolError(Code.MALFORMED, "A document's id is not UTF-8.") from None
    return UpdateFrame(ack_id, document_id, Seq(after - 1) if after else None, frame[batch_at:])
