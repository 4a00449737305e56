"""JSON in embeds, formats and ContentJSON: checked, wrapped, mended.

crdt/yjs/values.py says which values are plain, and what happens to the others. Python's parser is
as strict as JavaScript's, except that Python accepts NaN and Infinity. These are refused here.
tests/crdt/test_values_alike.py compares with real Yjs and pycrdt what each of them reads.
"""

import json
import math
from collections.abc import Iterable
from typing import NoReturn

from crdt.errors import Code, ProtocolError
from crdt.yjs.any_values import UNDEFINED, engine_of, write_any
from crdt.yjs.values import POISON, Reading, bad_update, poisoned, read_bytes, unsupported
from crdt.yjs.varint import MAX_SAFE, sized
from crdt.yjs.wrapping import MARK_BYTES, MARK_CHARACTER, wrap_json

_COMMON_JSON = frozenset({b"true", b"false", b"null", b'""', b"{}"})
_LONGEST_PLAIN_INTEGER = 17
"""Characters of -(2^53 - 1): the sign and 16 digits."""


class _Repeating(dict[str, object]):
    """An object that names a key twice. JavaScript keeps the first place and the last value."""


def _refuse_constant(_: str) -> NoReturn:
    raise bad_update("JSON has no NaN and no Infinity.")


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise unsupported("A JSON number is larger than a double can be. Write it as a string.")
    return value


def _integer(digits: str) -> object:
    """Return a plain integer as int, and any other integer as the double that JavaScript reads."""
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
    """Check the JSON text of an embed or a format, and return the offset behind the text.

    A value that is not plain is noted in `reading.wraps`.
    """
    raw, end = read_bytes(data, at)
    if (
        raw not in _COMMON_JSON
        and not _is_simple(raw, reading)
        and not _is_plain(_decoded(raw, (at, end), reading), raw, reading)
    ):
        reading.wrap(at, end, wrap_json(raw))
    return end


def _is_simple(raw: bytes, reading: Reading) -> bool:
    """Whether a JSON text is one plain value, or an object of plain values. Most texts are.

    False means only that `_is_plain` must decide. This check is fast, because the parser runs no
    Python code for the parts of the text.
    """
    # Half a surrogate, -0, or a mark is possible.
    if b"\\u" in raw or b"-0" in raw or reading.marked:
        return False
    try:
        value = _decode_quickly(raw.decode())
    except (ValueError, RecursionError):
        return False
    members: Iterable[object] = (value,)
    if type(value) is dict:
        # No key came twice if there are as many keys as colons, apart from those of "https://".
        # A colon inside of a text only makes this check fail, and `_is_plain` decides.
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
    """Check one element of ContentJSON, and return the offset behind the element.

    pycrdt is given an `Any` value instead, because yrs miscounts ContentJSON. Yjs reads both forms
    alike. Only old versions of Yjs write ContentJSON; "undefined" is their addition to JSON.
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
    """Parse a JSON text. Numbers that are not plain become floats, all others become ints.

    Notes a mend and returns None if a durable update holds what is refused today.
    """
    try:
        text = raw.decode()
        try:
            return _decode_json(text)
        except ProtocolError as refusal:
            if not reading.durable or refusal.code is not Code.UNSUPPORTED_CONTENT:
                raise
            mended = json.dumps(_decode_to_mend(text), separators=(",", ":")).encode()
            reading.mend(*span, sized(mended))
            return None
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError:
        raise bad_update("A JSON value cannot be read.") from None


def _is_plain(value: object, raw: bytes, reading: Reading) -> bool:
    """Whether yrs keeps this JSON value unchanged.

    Raises ProtocolError(bad_update) if the value is nested too deeply, and ProtocolError(too_large)
    if the update holds too many values.
    """
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
    """Whether a parsed JSON value holds half a surrogate pair, or the mark's character."""
    text = json.dumps(value, ensure_ascii=False)
    return MARK_CHARACTER in text or (not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text))


def _too_deep() -> ProtocolError:
    return bad_update("A JSON value is nested too deeply.")
