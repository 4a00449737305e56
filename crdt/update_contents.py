"""The rarer contents of an update: everything a struct may hold but plain text.

Each reader takes the bytes, the offset and the budget, checks what is there as strictly as the strictest of the two implementations that
will read it (yjs in browsers, yrs under pycrdt), and returns the kind, how many clocks it takes, and the offset behind it.
"""

import json
import math
from collections.abc import Callable
from typing import NoReturn

from crdt.errors import Code, ProtocolError
from crdt.gate_limits import GateLimits
from crdt.varint import read_varuint

GC, DELETED, JSON, BINARY, STRING, EMBED, FORMAT, TYPE, ANY, DOCUMENT, SKIP = range(11)
"""Content references of the wire format. `SKIP` stands for a clock gap."""

FIRST_TYPE = 16
"""Kind of a shared type: this plus its type reference."""

ARRAY, MAP, TEXT, XML_ELEMENT, XML_FRAGMENT, XML_HOOK, XML_TEXT = range(7)
"""Type references of the wire format."""

_COMMON_JSON = frozenset({b"true", b"false", b"null", b'""', b"{}"})
_MAX_INTEGER_DIGITS = 300
"""JSON integers above about 10^308 are infinite in JavaScript, and yrs refuses the whole update."""

Content = tuple[int, int, int]


def bad_update(message: str) -> ProtocolError:
    """The refusal of bytes that are no update."""
    return ProtocolError(Code.BAD_UPDATE, message)


class Budget:
    """How much nested content one update may still bring."""

    __slots__ = ("any_depth", "any_values")

    def __init__(self, limits: GateLimits) -> None:
        self.any_depth = limits.any_depth
        self.any_values = limits.any_values

    def spend(self, values: int) -> None:
        """Take `values` nested values off; raises ProtocolError(too_large)."""
        self.any_values -= values
        if self.any_values < 0:
            raise ProtocolError(Code.TOO_LARGE, "The update holds too many nested values.")


def read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """Read a length and as many bytes."""
    length, at = read_varuint(data, at)
    stop = at + length
    if stop > len(data):
        raise bad_update("The update ends inside a text.")
    return data[at:stop], stop


def read_text(data: bytes, at: int) -> tuple[str, int]:
    """Read a length and as many bytes of UTF-8; raises UnicodeDecodeError when they are not."""
    raw, at = read_bytes(data, at)
    return raw.decode(), at


def _read_count(data: bytes, at: int, least: int) -> tuple[int, int]:
    """Read how many things of `least` bytes or more follow; refuses more than there are bytes for."""
    count, at = read_varuint(data, at)
    if count * least > len(data) - at:
        raise bad_update("The update announces more than it has bytes for.")
    return count, at


def _read_deleted(data: bytes, at: int, _: Budget) -> Content:
    length, at = read_varuint(data, at)
    return DELETED, length, at


def _read_binary(data: bytes, at: int, _: Budget) -> Content:
    return BINARY, 1, read_bytes(data, at)[1]


def _refuse_constant(_: str) -> NoReturn:
    raise bad_update("JSON has no NaN and no Infinity.")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise bad_update("A JSON number is out of range.")
    return value


def _bounded(digits: str) -> int:
    if len(digits) > _MAX_INTEGER_DIGITS:
        raise bad_update("A JSON number is out of range.")
    return 0


_decode_json = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite, parse_int=_bounded).decode


def check_json(raw: bytes, budget: Budget) -> None:
    """Refuse what one of the two JSON parsers would not read, or read into something bottomless."""
    if raw in _COMMON_JSON:
        return
    try:
        value = _decode_json(raw.decode())
        if b"\\u" in raw:  # JavaScript writes half an emoji as an escape; yrs cannot read it back
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise bad_update("A JSON string holds half a surrogate pair.") from None
    except RecursionError:
        raise bad_update("A JSON value is nested too deeply.") from None
    except json.JSONDecodeError:
        raise bad_update("A JSON value cannot be read.") from None
    level = [value]
    for _ in range(budget.any_depth):
        level = _children(level)
        budget.spend(len(level))
        if not level:
            return
    raise bad_update("A JSON value is nested too deeply.")


def _children(values: list[object]) -> list[object]:
    below: list[object] = []
    for value in values:
        if isinstance(value, dict):
            below.extend(value.values())
        elif isinstance(value, list):
            below.extend(value)
    return below


def _read_json(data: bytes, at: int, budget: Budget) -> Content:
    count, at = _read_count(data, at, 1)
    budget.spend(count)
    for _ in range(count):
        raw, at = read_bytes(data, at)
        if raw != b"undefined":
            check_json(raw, budget)
    return JSON, count, at


def _read_embed(data: bytes, at: int, budget: Budget) -> Content:
    raw, at = read_bytes(data, at)
    check_json(raw, budget)
    return EMBED, 1, at


def _read_format(data: bytes, at: int, budget: Budget) -> Content:
    _, at = read_text(data, at)
    raw, at = read_bytes(data, at)
    check_json(raw, budget)
    return FORMAT, 1, at


def _read_type(data: bytes, at: int, _: Budget) -> Content:
    reference, at = read_varuint(data, at)
    if reference == XML_HOOK:
        raise ProtocolError(Code.UNSUPPORTED_CONTENT, "XmlHook cannot be kept unharmed.")
    if reference > XML_TEXT:
        raise bad_update("There is no such shared type.")
    if reference == XML_ELEMENT:
        at = read_text(data, at)[1]
    return FIRST_TYPE + reference, 1, at


def _read_any(data: bytes, at: int, budget: Budget) -> Content:
    count, at = _read_count(data, at, 1)
    budget.spend(count)
    for _ in range(count):
        at = _skip_any(data, at, budget, 0)
    return ANY, count, at


def _refuse_document(_data: bytes, _at: int, _: Budget) -> Content:
    raise ProtocolError(Code.UNSUPPORTED_CONTENT, "Subdocuments cannot be kept unharmed.")


CONTENT_READERS: dict[int, Callable[[bytes, int, Budget], Content]] = {
    DELETED: _read_deleted,
    JSON: _read_json,
    BINARY: _read_binary,
    EMBED: _read_embed,
    FORMAT: _read_format,
    TYPE: _read_type,
    ANY: _read_any,
    DOCUMENT: _refuse_document,
}
"""By content reference. `GC`, `STRING` and `SKIP` are read where structs are."""

_FIXED_SIZE = {127: 0, 126: 0, 124: 4, 123: 8, 121: 0, 120: 0}
"""Bytes behind the tags of undefined, null, float32, float64, false, true."""


def _skip_any(data: bytes, at: int, budget: Budget, depth: int) -> int:
    """Check one `Any` value, and return the offset behind it."""
    tag = data[at]
    at += 1
    size = _FIXED_SIZE.get(tag)
    if size is not None:
        return at + size  # beyond the end: the next read finds out
    if tag == 125:
        return _skip_varint(data, at)
    if tag == 119:
        return read_text(data, at)[1]
    if tag == 116:
        return read_bytes(data, at)[1]
    if tag == 122:
        raise ProtocolError(Code.UNSUPPORTED_CONTENT, "BigInt cannot be kept unharmed.")
    if tag not in (117, 118):
        raise bad_update("There is no such kind of value.")
    if depth >= budget.any_depth:
        raise bad_update("A value is nested too deeply.")
    keyed = tag == 118
    count, at = _read_count(data, at, 2 if keyed else 1)
    budget.spend(count)
    for _ in range(count):
        if keyed:
            _, at = read_text(data, at)
        at = _skip_any(data, at, budget, depth + 1)
    return at


def _skip_varint(data: bytes, at: int) -> int:
    """Check one signed integer: six bits and the sign in the first byte, then seven bits a byte."""
    start = at
    while data[at] > 0x7F:
        at += 1
    if at - start > 7 or (at > start and data[at] == 0):
        raise bad_update("An integer is longer than it may be.")
    return at + 1
