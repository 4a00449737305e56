"""How the serving process and its worker talk: messages that are lists of byte strings.

    u32 count • count x u64 length • the byte strings        (big-endian)

Nothing is ever unpickled: a worker that has decoded hostile bytes is not to be trusted, so what it
answers is counted and measured before it is read.
"""

import struct
from collections.abc import Sequence

from crdt.errors import InvariantError

COUNT = struct.Struct(">I")
LENGTH_BYTES = 8
MAX_PARTS = 2**22
"""More than any log has rows between two compactions; its lengths alone are 32 MiB."""


def head(parts: Sequence[bytes]) -> bytes:
    """Return what precedes the parts themselves."""
    return COUNT.pack(len(parts)) + struct.pack(f">{len(parts)}Q", *map(len, parts))


def read_count(data: bytes) -> int:
    """Read how many parts follow; raises InvariantError above MAX_PARTS."""
    (count,) = COUNT.unpack(data)
    if count > MAX_PARTS:
        raise InvariantError("A sandbox message has too many parts.")
    return int(count)


def read_lengths(data: bytes, *, max_bytes: int) -> tuple[int, ...]:
    """Read how long each part is; raises InvariantError when they are more than `max_bytes` together."""
    lengths: tuple[int, ...] = struct.unpack(f">{len(data) // LENGTH_BYTES}Q", data)
    if sum(lengths) > max_bytes:
        raise InvariantError("A sandbox message is too large.")
    return lengths
