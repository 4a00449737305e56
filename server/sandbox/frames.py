"""Messages between the serving process and a worker: lists of byte strings.

    u32 count • count x u64 length • the byte strings        (big-endian)

A worker that has decoded hostile bytes cannot be trusted. So its answers are counted and measured
before they are read, and never unpickled.
"""

import struct
from collections.abc import Sequence

from crdt.errors import InvariantError

COUNT = struct.Struct(">I")
LENGTH_BYTES = 8
MAX_PARTS = 2**22
"""Most parts of a message. No log has as many rows between two compactions.

The lengths of so many parts take 32 MiB.
"""


def head(parts: Sequence[bytes]) -> bytes:
    """Return the count and the lengths, which precede the parts."""
    return COUNT.pack(len(parts)) + struct.pack(f">{len(parts)}Q", *map(len, parts))


def read_count(data: bytes) -> int:
    """Read the number of parts. Raises InvariantError above MAX_PARTS."""
    (count,) = COUNT.unpack(data)
    if count > MAX_PARTS:
        raise InvariantError("A sandbox message has too many parts.")
    return int(count)


def read_lengths(data: bytes, *, max_bytes: int) -> tuple[int, ...]:
    """Read the length of each part. Raises InvariantError if their sum is above `max_bytes`."""
    lengths: tuple[int, ...] = struct.unpack(f">{len(data) // LENGTH_BYTES}Q", data)
    if sum(lengths) > max_bytes:
        raise InvariantError("A sandbox message is too large.")
    return lengths
