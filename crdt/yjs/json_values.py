"""JSON in embeds, formats and ContentJSON: which of it is plain, and what becomes of the rest (crdt/yjs/values.py).

Python's parser is as strict as JavaScript's, except for the names of NaN and Infinity, which are
refused here. What both read is not compared here: tests/crdt/test_values_alike.py has real Yjs and
pycrdt say so.
"""

import json
import math
from collections.abc import Iterable
from typing import NoReturn

from crdt.errors import Code, ProtocolError
from crdt.yjs.any_values import UNDEFINED, engine_of, write_any
from crdt.yjs.values import POISON, Reading, bad_update, poisoned, read_bytes, unsupported
from crdt.yjs.varint import MAX_SAFE, varuint
from crdt.yjs.wrapping import MARK_BYTES, MARK_CHARACTER, wrap_json

_COMMON_JSON = frozenset({b"true", b"false", b"null", b'""', b"{}"})
_LONGEST_PLAIN_INTEGER = 17
"""Digits and sign of -(2^53 - 1)."""


class _Repeating(dict[str, object]):
    """An object that names a key twice. JavaScript takes the last value, in the place of the first."""


def _refuse_constant(_: str) -> NoReturn:
    raise bad_update("JSON has no NaN and no Infinity.")


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise unsupported("A JSON number is larger than a double can be. Write it as a string.")
    return value


def _integer(digits: str) -> object:
    """Read a plain integer; any other as the double that JavaScript reads."""
    if len(digits) <= _LONGEST_PLAIN_INTEGER:
        value = int(digits)
        if -MAX_SAFE <= value <= MAX_SAFE and digits != "-0":
            return value
    return _float(digits)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if POISON in value:
        raise poisoned()
    return value if len(value) == len(pairs) else _Repeating(value)


def _without_poison(pairs: list[tuple[str, object]]) -> dict[str, object]:
    return {key: value for key, value in pairs if key != POISON}


_decode_quickly = json.JSONDecoder().decode
_decode_json = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_float=_float, parse_int=_integer, object_pairs_hook=_object
).decode
_decode_to_mend = json.JSONDecoder(
    parse_constant=_refuse_constant, parse_float=_float, parse_int=_integer, object_pairs_hook=_without_poison
).decode


def read_json(data: bytes, at: int, reading: Reading) -> int:
    """Check the JSON text of an embed or a format and note its wrapping, if it needs one; return the offset behind it."""
    raw, end = read_bytes(data, at)
    if (
        raw not in _COMMON_JSON
        and not _is_simple(raw, reading)
        and not _is_plain(_decoded(raw, (at, end), reading), raw, reading)
    ):
        reading.wrap(at, end, wrap_json(raw))
    return end


def _is_simple(raw: bytes, reading: Reading) -> bool:
    """Whether a JSON text is what marks and embeds mostly are, and plain: one level, read without a line of Python for each part.

    False says only that it must be looked at in another way.
    """
    if b"\\u" in raw or b"-0" in raw or reading.marked:
        return False
    try:
        value = _decode_quickly(raw.decode())
    except (ValueError, RecursionError):
        return False
    members: Iterable[object] = (value,)
    if type(value) is dict:
        # As many keys as colons, those of addresses aside: then no key came twice.
        if len(value) != raw.count(b":") - raw.count(b"://") or POISON in value:
            return False
        members = value.values()
    for each in members:
        kind = type(each)
        if kind is str or kind is bool or each is None:
            continue
        if kind is not int or not -MAX_SAFE <= each <= MAX_SAFE:  # type: ignore[operator]
            return False
    if type(value) is dict:
        reading.spend(len(value))
    return True


def read_json_as_any(data: bytes, at: int, reading: Reading) -> int:
    """Check one element of ContentJSON and note the `Any` value that pycrdt is given for it, because yrs miscounts ContentJSON.

    Old versions of Yjs wrote such content. Yjs reads either alike; "undefined" is its own addition
    to JSON.
    """
    raw, end = read_bytes(data, at)
    if raw == b"undefined":
        reading.wrap(at, end, UNDEFINED)
        return end
    value = _decoded(raw, (at, end), reading)
    _is_plain(value, raw, reading)
    try:
        written = write_any(value)
    except UnicodeEncodeError:
        raise unsupported("A text in ContentJSON holds half a surrogate pair. Use a newer version of Yjs.") from None
    reading.wrap(at, end, engine_of(written, reading))
    return end


def _decoded(raw: bytes, span: tuple[int, int], reading: Reading) -> object:
    """Return a JSON value whose floats are what is not plain among its numbers."""
    try:
        text = raw.decode()
        try:
            return _decode_json(text)
        except ProtocolError as refusal:
            if not reading.durable or refusal.code is not Code.UNSUPPORTED_CONTENT:
                raise
            mended = json.dumps(_decode_to_mend(text), separators=(",", ":")).encode()
            reading.mend(*span, varuint(len(mended)) + mended)
            return None
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError:
        raise bad_update("A JSON value cannot be read.") from None


def _is_plain(value: object, raw: bytes, reading: Reading) -> bool:
    """Whether yrs keeps this JSON value; refuses one that is nested too deeply, or holds too much."""
    plain = True
    level: list[object] = [value]
    for _ in range(reading.any_depth):
        below: list[object] = []
        for each in level:
            kind = type(each)
            if isinstance(each, dict):
                below.extend(each.values())
                plain = plain and kind is dict
            elif kind is list:
                below.extend(each)  # type: ignore[arg-type]
            elif kind is float:
                plain = False
        reading.spend(len(below))
        if not below:
            return plain and not (reading.marked and MARK_BYTES in raw) and not (b"\\u" in raw and _is_odd_text(value))
        level = below
    raise _too_deep()


def _is_odd_text(value: object) -> bool:
    """Whether the escapes of a JSON value, once they are read, make half a surrogate pair or the mark's character."""
    text = json.dumps(value, ensure_ascii=False)
    return MARK_CHARACTER in text or (not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text))


def _too_deep() -> ProtocolError:
    return bad_update("A JSON value is nested too deeply.")
