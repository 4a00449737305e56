"""Keys of marks in a Yjs text, as y-tiptap names them.

A mark that may stand beside others of its kind has a key of its own: its name, two hyphens and
eight characters of a hash of the mark (client_web/binding/src/marks.ts). The documents in
tests/vectors/contents.json have such keys as the editor writes them.
"""

import struct
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from crdt.content.schema import ANNOTATIONS
from crdt.content.tree import Mark

_HASH_BYTES = 6
_MOST_INTEGER = 2**31 - 1
"""The largest number that lib0 encodes as a whole one."""


def key_of(mark: Mark) -> str:
    """Return the key under which a text holds a mark."""
    if mark.type not in ANNOTATIONS:
        return mark.type
    return f"{mark.type}--{_hash_of(mark.to_json())}"


def _hash_of(value: Any) -> str:
    digest = bytearray(sha256(_encoded(value)).digest())
    for at in range(_HASH_BYTES, len(digest)):
        digest[at % _HASH_BYTES] ^= digest[at]
    return b64encode(digest[:_HASH_BYTES]).decode()


def _encoded(value: Any) -> bytes:
    """Encode a value as lib0's `encodeAny` does."""
    match value:
        case None:
            return b"\x7e"
        case bool():
            return b"\x78" if value else b"\x79"
        case str():
            return b"\x77" + _words(value)
        case int() | float():
            return _number(value)
        case list() | tuple():
            return b"\x75" + _natural(len(value)) + b"".join(map(_encoded, value))
        case Mapping():
            pairs = (_words(key) + _encoded(each) for key, each in value.items())
            return b"\x76" + _natural(len(value)) + b"".join(pairs)
        case _:
            return b"\x7f"


def _number(value: float) -> bytes:
    if abs(value) <= _MOST_INTEGER and value == int(value):
        return b"\x7d" + _whole(int(value))
    try:
        single = struct.pack(">f", value)
    except OverflowError:
        return b"\x7b" + struct.pack(">d", value)
    is_exact = struct.unpack(">f", single)[0] == value
    return b"\x7c" + single if is_exact else b"\x7b" + struct.pack(">d", value)


def _whole(value: int) -> bytes:
    """Encode with a sign: six bits in the first byte, seven in each further one."""
    rest = abs(value)
    first = (rest & 0x3F) | (0x40 if value < 0 else 0)
    rest >>= 6
    return bytes([first | 0x80]) + _natural(rest) if rest else bytes([first])


def _natural(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _words(words: str) -> bytes:
    encoded = words.encode("utf-8", "replace")
    return _natural(len(encoded)) + encoded
