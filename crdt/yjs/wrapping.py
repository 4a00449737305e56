"""Wrapped values: strings that carry a value through pycrdt if yrs would change the value.

An update has two forms. The *clients'* form is what clients send and get, and what the log holds.
The *engine's* form is what pycrdt gets: the same update, but each value that yrs would not keep to
the bit stands in a string or in bytes. yrs never changes these:

    J   "⟨mark⟩J…."     a JSON string, in place of the JSON text of an embed or a format
    A   ⟨mark⟩A….       an `Any` string, in place of one element of ContentAny
    B   ⟨mark⟩B….       bytes, in place of binary content that happens to hold the mark's character

Here … is the value's own bytes in base64. Only values that yrs would change are wrapped
(crdt/yjs/values.py), so the two forms are nearly always the same bytes.

`unwrap` searches for the marks, without parsing the update. The search is sound, because a mark can
stand nowhere else:

1. The gate refuses every text, key and name that holds the mark's character, and wraps every value
   that holds it. So two neighbouring texts make no mark when yrs joins them.
2. The mark is that character twice: eight bytes above 0x7F. A varUint of an update has at most
   seven bytes above 0x7F in a row.
3. The character's bytes are 0xF1, 0xBF and 0xBE. None of them is an info byte or the tag of a
   value. So no mark begins in one field and ends in another.
"""

import re
from binascii import a2b_base64, b2a_base64

from crdt.errors import Code, InvariantError
from crdt.yjs.varint import sized, varuint

MARK_CHARACTER = "\U0007fffe"
"""A noncharacter: Unicode promises never to assign it. No keyboard types it."""

MARK_BYTES = MARK_CHARACTER.encode()
MARK = MARK_BYTES * 2

_WRAPPED = re.compile(re.escape(MARK) + rb"([JAB])([A-Za-z0-9+/]*=*)\.")
_ANY_STRING = b"\x77"

WEIGHT = 2048
"""Bytes that a wrapped value adds to a document's size, beside its own bytes."""

_SNAPSHOT = b"\xff" * 10 + b"\1"
"""The prefix of a snapshot in the engine's form.

No update begins with these bytes, and no parser reads them as an update.
"""


def _wrapped(kind: bytes, value: bytes) -> bytes:
    return b"".join((MARK, kind, b2a_base64(value, newline=False), b"."))


def wrap_json(text: bytes) -> bytes:
    """Wrap a JSON text. The result begins with its length."""
    return sized(b'"%b"' % _wrapped(b"J", text))


def wrap_any(value: bytes) -> bytes:
    """Wrap a value in lib0's `Any` encoding. The result is an `Any` string."""
    return _ANY_STRING + sized(_wrapped(b"A", value))


def wrap_binary(value: bytes) -> bytes:
    """Wrap binary content. The result begins with its length."""
    return sized(_wrapped(b"B", value))


def unwrap(update: bytes) -> bytes:
    """Return the clients' form of an update that pycrdt has encoded.

    Returns the same object if the update holds no wrapped value. Takes about 1 µs for each wrapped
    value; `weight` and `GateLimits.any_values` bound their number. Raises InvariantError if a mark
    is not followed by a wrapped value.
    """
    if update.find(MARK) < 0:
        return update
    pieces: list[bytes] = []
    done = found = 0
    for match in _WRAPPED.finditer(update):
        start, end = match.span()
        kind, encoded = match.groups()
        value = a2b_base64(encoded)
        size = end - start
        # The bytes to replace begin in front of the mark, with the length of the wrapping string.
        # An `Any` string also has its tag there. JSON has a quote there, and another one behind.
        if kind == b"A":
            start -= 1 + len(varuint(size))
        elif kind == b"B":
            start -= len(varuint(size))
            value = sized(value)
        else:
            start -= 1 + len(varuint(size + 2))
            end += 1
            value = sized(value)
        pieces += update[done:start], value
        done = end
        found += 1
    if found != update.count(MARK):
        raise InvariantError("A value cannot be unwrapped.", Code.QUARANTINED)
    pieces.append(update[done:])
    return b"".join(pieces)


def weight(engine: bytes) -> int:
    """Return the bytes that an update adds to a document's size, beside its own length.

    They bound the wrapped values of a document, so that unwrapping all of them takes at most 0.2 s.
    """
    return WEIGHT * engine.count(MARK)


def seal_snapshot(engine: bytes) -> bytes:
    """Return the snapshot to store: an update that pycrdt has encoded, behind the prefix."""
    return _SNAPSHOT + engine


def clients_snapshot(snapshot: bytes) -> bytes:
    """Return the clients' form of a stored snapshot."""
    engine = open_snapshot(snapshot)
    return snapshot if engine is None else unwrap(engine)


def open_snapshot(snapshot: bytes) -> bytes | None:
    """Return the engine's form of a stored snapshot.

    Return None if an earlier version made the snapshot. It must be inspected like any update.
    """
    return snapshot[len(_SNAPSHOT) :] if snapshot.startswith(_SNAPSHOT) else None
