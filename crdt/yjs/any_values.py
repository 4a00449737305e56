"""Values in lib0's `Any` encoding, as ContentAny holds them: checked, wrapped, mended, written.

An encoded value is a tag byte and its data. The tags: 127 undefined, 126 null, 125 integer, 124
float32, 123 float64, 122 BigInt, 121 false, 120 true, 119 string, 118 object, 117 array, 116 bytes.
crdt/yjs/values.py says which values are plain, and what happens to the others.
"""

import math
import struct

from crdt.yjs.values import POISON, Reading, bad_update, poisoned, read_bytes, read_count, read_text, unsupported
from crdt.yjs.varint import MAX_SAFE, sized, varuint
from crdt.yjs.wrapping import MARK_BYTES, wrap_any

_MAX_INT31 = 2**31
"""lib0 writes larger numbers as floats."""

UNDEFINED = b"\x7f"
_NULL, _INTEGER, _FLOAT32, _FLOAT64, _FALSE, _TRUE, _STRING, _OBJECT, _ARRAY = (
    bytes((tag,)) for tag in (126, 125, 124, 123, 121, 120, 119, 118, 117)
)
_FIXED_SIZE = {127: 0, 126: 0, 124: 4, 123: 8, 121: 0, 120: 0}
"""Size in bytes of the data behind each of these tags."""

_MINUS_ZERO = 0x40
"""The only byte of the integer -0, which yrs does not keep."""


def read_any(data: bytes, at: int, reading: Reading) -> int:
    """Check one element of ContentAny, and return the offset behind it.

    A value that is not plain is noted in `reading.wraps`.
    """
    reading.plain = True
    end = _skip_any(data, at, reading, 0)
    if not reading.plain or (reading.marked and data.find(MARK_BYTES, at, end) >= 0):
        reading.wrap(at, end, wrap_any(data[at:end]))
    return end


def engine_of(value: bytes, reading: Reading) -> bytes:
    """Return the engine's form of a value that `write_any` has written."""
    reading.plain = True
    _skip_any(value, 0, reading, 0)
    return value if reading.plain and MARK_BYTES not in value else wrap_any(value)


def _skip_any(data: bytes, at: int, reading: Reading, depth: int) -> int:
    """Check one value, and return the offset behind it.

    Sets `reading.plain` to False if the value is not plain.
    """
    tag = data[at]
    at += 1
    size = _FIXED_SIZE.get(tag)
    if size is not None:
        return at + size  # may lie beyond the end of the data: the next read finds out
    if tag == 125:
        return _skip_integer(data, at, reading)
    if tag == 119:
        return read_text(data, at)[1]
    if tag == 116:
        return read_bytes(data, at)[1]
    if tag == 122:
        reading.plain = False
        return at + 8
    if tag not in (117, 118):
        raise bad_update("There is no such kind of value.")
    if depth >= reading.any_depth:
        raise bad_update("A value is nested too deeply.")
    if tag == 118:
        return _skip_object(data, at, reading, depth)
    count, at = read_count(data, at, 1)
    reading.spend(count)
    for _ in range(count):
        at = _skip_any(data, at, reading, depth + 1)
    return at


def _skip_object(data: bytes, at: int, reading: Reading, depth: int) -> int:
    counted = at
    count, at = read_count(data, at, 2)
    reading.spend(count)
    behind_count = at
    keys: set[str] = set()
    dropped = 0
    for _ in range(count):
        start = at
        key, at = read_text(data, at)
        keys.add(key)
        at = _skip_any(data, at, reading, depth + 1)
        if key == POISON:
            if not reading.durable:
                raise poisoned()
            reading.drop(start, at)
            dropped += 1
    if dropped:
        reading.mend(counted, behind_count, varuint(count - dropped))
    if len(keys) < count:  # a key came twice
        reading.plain = False
    return at


def _skip_integer(data: bytes, at: int, reading: Reading) -> int:
    """Check one signed integer, and return the offset behind it.

    The first byte holds six bits and the sign, each later byte seven bits.
    """
    start = at
    while data[at] > 0x7F:
        at += 1
    if at == start:
        if data[at] == _MINUS_ZERO:
            reading.plain = False
        return at + 1
    if at - start > 7 or data[at] == 0:
        raise bad_update("An integer is longer than it may be.")
    if at - start == 7:  # eight bytes hold 55 bits: the only length that can exceed 2^53 - 1
        size = data[start] & 0x3F | sum(
            (byte & 0x7F) << 6 + 7 * place for place, byte in enumerate(data[start + 1 : at + 1])
        )
        if size > MAX_SAFE:
            if not reading.durable:
                raise unsupported("An integer is above 2^53 - 1. Write it as a float or a BigInt.")
            # lib0 reads such an integer as a double, so a double is what everybody has seen.
            value = float(-size if data[start] & 0x40 else size)
            reading.mend(start - 1, at + 1, _FLOAT64 + struct.pack(">d", value))
    return at + 1


def write_any(value: object) -> bytes:
    """Encode a JSON value as lib0 would. Raises UnicodeEncodeError for half a surrogate pair."""
    match value:
        case None:
            return _NULL
        case bool():
            return _TRUE if value else _FALSE
        case int() | float():
            return _number(value)
        case str():
            return _STRING + sized(value.encode())
        case list():
            return _ARRAY + varuint(len(value)) + b"".join(map(write_any, value))
        case dict():
            entries = [sized(key.encode()) + write_any(each) for key, each in value.items()]
            return _OBJECT + varuint(len(entries)) + b"".join(entries)
        case _:
            raise TypeError(value)


def _number(value: float) -> bytes:
    if value == 0 and math.copysign(1, value) < 0:
        return _INTEGER + bytes((_MINUS_ZERO,))
    if value == int(value) and abs(value) <= _MAX_INT31:
        size = abs(int(value))
        first = size & 0x3F | (0x40 if value < 0 else 0)
        return _INTEGER + (bytes((first,)) if size < 0x40 else bytes((first | 0x80,)) + varuint(size >> 6))
    return _FLOAT64 + struct.pack(">d", value)
