"""lib0's unsigned variable-length integers (varUint), and the state vectors made of them.

Each byte holds seven bits, the low bits first. The high bit of a byte says that more bytes follow.

A state vector is the clock that a replica has reached for each client id. Yjs writes it as
varUint(count), then count × (varUint(client id), varUint(clock)).
"""

from collections.abc import Mapping

from crdt.errors import Code, ProtocolError

MAX_SAFE = 2**53 - 1
"""The largest integer that JavaScript holds exactly. No message may hold a larger one."""


def write_varuint(value: int, out: bytearray) -> None:
    """Encode `value` (0 … 2**53 - 1), and append the bytes to `out`."""
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def varuint(value: int) -> bytes:
    """Encode `value` (0 … 2**53 - 1)."""
    if value < 0x80:  # one, two and three bytes without a loop: nearly all there are
        return bytes((value,))
    if value < 0x4000:
        return bytes((value & 0x7F | 0x80, value >> 7))
    if value < 0x200000:
        return bytes((value & 0x7F | 0x80, value >> 7 & 0x7F | 0x80, value >> 14))
    out = bytearray()
    write_varuint(value, out)
    return bytes(out)


def sized(raw: bytes) -> bytes:
    """Return bytes behind their length."""
    return varuint(len(raw)) + raw


def read_varuint(data: bytes, at: int) -> tuple[int, int]:
    """Read one integer at offset `at`; return the integer and the offset behind it.

    Raises ProtocolError(malformed) if the data ends inside of the integer. The same error is raised
    for an integer that is longer than 8 bytes, longer than it needs to be, or above 2**53 - 1.
    """
    try:
        byte = data[at]
        at += 1
        if byte < 0x80:
            return byte, at
        value = byte & 0x7F
        shift = 7
        while (byte := data[at]) > 0x7F:
            at += 1
            value += byte - 0x80 << shift
            shift += 7
            if shift > 49:
                raise ProtocolError(Code.MALFORMED, "An integer is longer than 8 bytes.")
    except IndexError:
        raise ProtocolError(Code.MALFORMED, "The data ends inside an integer.") from None
    if not byte:
        raise ProtocolError(Code.MALFORMED, "An integer is longer than it needs to be.")
    value += byte << shift
    if value > MAX_SAFE:
        raise ProtocolError(Code.MALFORMED, "An integer is above 2^53 - 1.")
    return value, at + 1


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
