"""Batches: several updates framed as one message, each with its length in front.

Decoding is strict. Bytes become updates or raise ProtocolError, nothing else, in time linear in
their length.
"""

from collections.abc import Sequence

from crdt.errors import Code, ProtocolError
from crdt.yjs.varint import read_varuint, write_varuint


def encode_batch(updates: Sequence[bytes]) -> bytes:
    """Frame updates as one batch."""
    out = bytearray()
    for update in updates:
        write_varuint(len(update), out)
        out += update
    return bytes(out)


def decode_batch(batch: bytes, *, max_updates: int = 10_000) -> list[bytes]:
    """Take a batch apart; raises ProtocolError(malformed) unless it is one whole update or more."""
    updates: list[bytes] = []
    at, end = 0, len(batch)
    while at < end:
        length, at = read_varuint(batch, at)
        if length > end - at:
            raise ProtocolError(Code.MALFORMED, "The batch ends inside an update.")
        if len(updates) == max_updates:
            raise ProtocolError(Code.MALFORMED, f"A batch holds at most {max_updates} updates.")
        updates.append(batch[at : at + length])
        at += length
    if not updates:
        raise ProtocolError(Code.MALFORMED, "A batch holds at least one update.")
    return updates
