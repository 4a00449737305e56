"""State vectors: which clock a replica has reached for each client id, as Yjs v1 bytes and as a mapping.

Format: varUint(count), then count × (varUint(client id), varUint(clock)).
"""

from collections.abc import Mapping

from crdt.errors import Code, ProtocolError
from crdt.yjs.varint import read_varuint, write_varuint

MAX_CLOCK = 2**31 - 1
"""yrs counts in 32 bits, and panics at its end; half of that is far from any honest document."""


def check_state_vector(data: bytes, *, max_clients: int = 1_000_000) -> dict[int, int]:
    """Read a stranger's state vector.

    Takes time and memory linear in the bytes that are there, whatever they announce. Raises
    ProtocolError: `malformed` for anything else than a state vector, `too_large` above
    `max_clients`.
    """
    count, at = read_varuint(data, 0)
    if count * 2 > len(data) - at:
        raise ProtocolError(Code.MALFORMED, "The state vector announces more clients than it has bytes for.")
    if count > max_clients:
        raise ProtocolError(Code.TOO_LARGE, f"A state vector holds at most {max_clients} client ids.")
    clocks: dict[int, int] = {}
    for _ in range(count):
        client, at = read_varuint(data, at)
        clock, at = read_varuint(data, at)
        if clock > MAX_CLOCK:
            raise ProtocolError(Code.MALFORMED, "The state vector has a clock above 2^31 - 1.")
        clocks[client] = clock
    if len(clocks) != count:
        raise ProtocolError(Code.MALFORMED, "The state vector names a client id twice.")
    if at != len(data):
        raise ProtocolError(Code.MALFORMED, "Something follows the state vector.")
    return clocks


def encode_state_vector(clocks: Mapping[int, int]) -> bytes:
    """Write a state vector, highest client id first as Yjs does; equal mappings give equal bytes."""
    out = bytearray()
    write_varuint(len(clocks), out)
    for client in sorted(clocks, reverse=True):
        write_varuint(client, out)
        write_varuint(clocks[client], out)
    return bytes(out)
