"""State vectors: the clock that a replica has reached for each client id.

Format (Yjs v1): varUint(count), then count × (varUint(client id), varUint(clock)).
"""

from collections.abc import Mapping

from crdt.errors import Code, ProtocolError
from crdt.yjs.varint import read_varuint, write_varuint

MAX_CLOCK = 2**31 - 1
"""yrs counts in 32 bits and panics at the end. No honest document comes near half of that."""


def check_state_vector(data: bytes, *, max_clients: int = 1_000_000) -> dict[int, int]:
    """Read a stranger's state vector.

    Time and memory are linear in the length of `data`, whatever count the bytes announce.

    Raises ProtocolError: `malformed` for anything but a state vector, `too_large` for more than
    `max_clients` client ids.
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
    """Encode a state vector. Equal mappings give equal bytes.

    The highest client id comes first, as in Yjs.
    """
    out = bytearray()
    write_varuint(len(clocks), out)
    for client in sorted(clocks, reverse=True):
        write_varuint(client, out)
        write_varuint(clocks[client], out)
    return bytes(out)
