"""Wrapped values: how a value that yrs would change is given to pycrdt, and how it comes out of what pycrdt encodes.

An update has two forms. The *clients'* form is what people send and are sent, and what the log
holds. The *engine's* form is what pycrdt is given: the same update, with each value that yrs would
not keep to the bit in a string (or in bytes), which yrs keeps to the letter:

    J   "⟨mark⟩J…."     a JSON string, in place of the JSON text of an embed or a format
    A   ⟨mark⟩A….       an `Any` string, in place of one element of ContentAny
    B   ⟨mark⟩B….       bytes, in place of binary content that happens to hold the mark's character

where … is the value's own bytes in base64. Only values that need it are wrapped
(crdt/yjs/values.py), so the two forms are nearly always the same bytes.

`unwrap` finds the marks by a search, without taking the update apart. That is sound because the
mark can stand nowhere else:

1. The gate takes no text, key or name that holds the mark's character, and wraps every value that
   does. So no two neighbouring texts make a mark when yrs joins them.
2. The mark is twice that character: eight bytes above 0x7F. A varUint of an update has at most
   seven of those.
3. The character begins with 0xF1 and goes on with 0xBF and 0xBE. None of them is an info byte or
   the tag of a value, so that no mark begins in one field and ends in another.
"""

import re
from binascii import a2b_base64, b2a_base64

from crdt.errors import Code, InvariantError
from crdt.yjs.varint import varuint

MARK_CHARACTER = "\U0007fffe"
"""Unicode's promise: never a character, in a plane that has none. No keyboard makes it."""

MARK_BYTES = MARK_CHARACTER.encode()
MARK = MARK_BYTES * 2

_WRAPPED = re.compile(re.escape(MARK) + rb"([JAB])([A-Za-z0-9+/]*=*)\.")
_ANY_STRING = b"\x77"

WEIGHT = 2048
"""Bytes that a wrapped value counts as beside its own, in what a document may grow to."""

_SNAPSHOT = b"\xff" * 10 + b"\1"
"""What stands before a snapshot in the engine's form. No update begins like this, and no parser takes it for one."""


def _wrapped(kind: bytes, value: bytes) -> bytes:
    return b"".join((MARK, kind, b2a_base64(value, newline=False), b"."))


def wrap_json(text: bytes) -> bytes:
    """Return the JSON text that pycrdt is given for this one, its length in front."""
    quoted = b'"%b"' % _wrapped(b"J", text)
    return varuint(len(quoted)) + quoted


def wrap_any(value: bytes) -> bytes:
    """Return the `Any` value that pycrdt is given for this one."""
    string = _wrapped(b"A", value)
    return _ANY_STRING + varuint(len(string)) + string


def wrap_binary(value: bytes) -> bytes:
    """Return the bytes that pycrdt is given for these, their length in front."""
    wrapped = _wrapped(b"B", value)
    return varuint(len(wrapped)) + wrapped


def unwrap(update: bytes) -> bytes:
    """Bring what pycrdt has encoded into the clients' form; the same object when it holds nothing wrapped.

    About 1 µs for each wrapped value. `weight` and `GateLimits.any_values` bound how many there
    are.
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
        if kind == b"A":
            start -= 1 + len(varuint(size))
        elif kind == b"B":
            start -= len(varuint(size))
            value = varuint(len(value)) + value
        else:
            start -= 1 + len(varuint(size + 2))
            end += 1
            value = varuint(len(value)) + value
        pieces += update[done:start], value
        done = end
        found += 1
    if found != update.count(MARK):
        raise InvariantError("A value cannot be unwrapped.", Code.QUARANTINED)
    pieces.append(update[done:])
    return b"".join(pieces)


def weight(engine: bytes) -> int:
    """By how much more than by its bytes an update fills a document: so that to unwrap a whole document takes 0.2 s at most."""
    return WEIGHT * engine.count(MARK)


def seal_snapshot(engine: bytes) -> bytes:
    """Return the snapshot to be stored: what pycrdt encoded, said to be in the engine's form."""
    return _SNAPSHOT + engine


def open_snapshot(snapshot: bytes) -> bytes | None:
    """Return the engine's form of a stored snapshot; None: a former version made it, and it must be inspected like any update."""
    return snapshot[len(_SNAPSHOT) :] if snapshot.startswith(_SNAPSHOT) else None
