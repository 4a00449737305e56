"""Values inside of updates: those that yjs and yrs read alike are let in, others are refused."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrdt import Doc

from crdt.errors import Code, ProtocolError
from crdt.yjs.contents import JSON
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from crdt.yjs.values import POISON
from crdt.yjs.wrapping import MARK_CHARACTER
from tests.harness.update_writer import embed, item, mark, number, string, text, update, values

LIMITS = GateLimits()


def code_of(struct: bytes, limits: GateLimits = LIMITS) -> Code | None:
    try:
        inspect(update({7: (0, [struct])}), limits)
    except ProtocolError as refusal:
        return refusal.code
    return None


keys = st.text().filter(lambda key: key != POISON)

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


@given(json_values, st.booleans())
def test_json_that_javascript_writes_is_let_in(value: object, escaped: bool) -> None:
    try:
        written = json.dumps(value, ensure_ascii=escaped)
        written.encode()
    except UnicodeEncodeError:
        return
    for struct in (embed(written, parent="t"), mark("link", written, parent="t")):
        assert code_of(struct) is None
        Doc().apply_update(inspect(update({7: (0, [struct])}), LIMITS).engine)


@pytest.mark.parametrize(
    "written",
    [
        "", "{", "nul", "NaN", "Infinity", "-Infinity", '{"a": NaN}', "'a'",
        "[1,]", "01", '"\n"', "[" * 33 + "]" * 33, "[" * 100_000, '{"a":' * 50_000 + "1" + "}" * 50_000, "\ufeff1",
    ],
)  # fmt: skip
def test_json_that_one_of_the_parsers_would_not_read_is_refused(written: str) -> None:
    assert code_of(embed(written, parent="t")) is Code.BAD_UPDATE
    assert code_of(mark("link", written, parent="t")) is Code.BAD_UPDATE


@pytest.mark.parametrize(
    "written",
    [
        "1e999",
        "-1e999",
        "1" * 400,
        '{"__proto__": 1}',
        '[{"a": {"\\u005f_proto__": null}}]',
        '{"__proto__": 1, "__proto__": 2}',
    ],
)
def test_json_that_the_parsers_read_as_different_things_is_refused_by_name(written: str) -> None:
    assert code_of(embed(written, parent="t")) is Code.UNSUPPORTED_CONTENT
    assert code_of(mark("link", written, parent="t")) is Code.UNSUPPORTED_CONTENT
    assert code_of(item(JSON, number(1) + string(written), parent="t")) is Code.UNSUPPORTED_CONTENT


def any_value(value: object) -> bytes:
    """Return one value in lib0's `Any` encoding."""
    match value:
        case None:
            return b"\x7e"
        case bool():
            return b"\x78" if value else b"\x79"
        case int():
            low = abs(value) & 0x3F
            rest = abs(value) >> 6
            return (
                b"\x7d"
                + bytes([low | (0x40 if value < 0 else 0) | (0x80 if rest else 0)])
                + (number(rest) if rest else b"")
            )
        case str():
            return b"\x77" + string(value)
        case bytes():
            return b"\x74" + string(value)
        case list():
            return b"\x75" + number(len(value)) + b"".join(map(any_value, value))
        case dict():
            return b"\x76" + number(len(value)) + b"".join(string(key) + any_value(each) for key, each in value.items())
    raise AssertionError(value)


any_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=10,
)


@given(st.lists(any_values, min_size=1, max_size=4))
def test_any_value_is_read_to_its_last_byte(several: list[object]) -> None:
    encoded = [any_value(value).hex() for value in several]
    inspected = inspect(update({7: (3, [values(*encoded, parent="l"), text("x", left=(7, 3))])}), LIMITS)
    assert inspected.clients == [(7, 3, 3 + len(several) + 1)]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("7a" + "00" * 7, Code.BAD_UPDATE),
        ("7d8080808080808020", Code.UNSUPPORTED_CONTENT),
        ("76010a" + b"__proto__".hex() + "7e", Code.BAD_UPDATE),
        ("760109" + b"__proto__".hex() + "7e", Code.UNSUPPORTED_CONTENT),
        ("7501760109" + b"__proto__".hex() + "7e", Code.UNSUPPORTED_CONTENT),
        ("73", Code.BAD_UPDATE),
        ("00", Code.BAD_UPDATE),
        ("7b00", Code.BAD_UPDATE),
        ("7d80", Code.BAD_UPDATE),
        ("7d8000", Code.BAD_UPDATE),
        ("7d" + "ff" * 8 + "01", Code.BAD_UPDATE),
        ("7705", Code.BAD_UPDATE),
        ("7702c328", Code.BAD_UPDATE),
        ("7580808020", Code.BAD_UPDATE),
        ("7680808020", Code.BAD_UPDATE),
        ("760102c3287e", Code.BAD_UPDATE),
        ("7501" * 33 + "7e", Code.BAD_UPDATE),
    ],
    ids=[
        "half a BigInt", "the integer 2^53", "half an entry", "a key that is none", "a key that is none, further in",
        "no such tag", "tag zero", "half a float", "half an integer", "an integer longer than it needs to be",
        "an integer of nine bytes", "half a string", "a string that is not UTF-8", "a list that announces 2^26",
        "an object that announces 2^26", "a key that is not UTF-8", "33 levels",
    ],
)  # fmt: skip
def test_values_that_are_none_are_refused(value: str, code: Code) -> None:
    assert code_of(values(value, parent="l")) is code


def test_thirty_two_levels_are_enough() -> None:
    assert code_of(values("7501" * 32 + "7e", parent="l")) is None
    assert code_of(embed("[" * 32 + "]" * 32, parent="t")) is None


def test_nested_values_of_one_update_are_counted_together() -> None:
    ten = "750a" + "7e" * 10
    assert code_of(values(ten, ten, parent="l"), GateLimits(any_values=22)) is None
    assert code_of(values(ten, ten, parent="l"), GateLimits(any_values=21)) is Code.TOO_LARGE
    assert code_of(embed(json.dumps([[0] * 10] * 2), parent="t"), GateLimits(any_values=21)) is Code.TOO_LARGE


def test_updates_over_a_limit_are_too_large() -> None:
    two = update({7: (0, [text("a", parent="t"), text("b", left=(7, 0))])}, {7: [(0, 1), (1, 1)]})
    inspect(two, GateLimits(update_bytes=len(two), structs=4))
    for limits in (GateLimits(update_bytes=len(two) - 1), GateLimits(structs=3), GateLimits(structs=1)):
        with pytest.raises(ProtocolError) as refusal:
            inspect(two, limits)
        assert refusal.value.code is Code.TOO_LARGE


@given(st.text())
def test_text_is_counted_in_utf_16_units(written: str) -> None:
    try:
        units = len(written.encode("utf-16-le")) // 2
    except UnicodeEncodeError:
        return
    if not units:
        assert code_of(text(written, parent="t")) is Code.BAD_UPDATE
        return
    if MARK_CHARACTER in written:
        assert code_of(text(written, parent="t")) is Code.UNSUPPORTED_CONTENT
        return
    inspected = inspect(update({7: (5, [text(written, parent="t")])}), LIMITS)
    (struct,) = inspected.structs[0]
    halves = written.encode("utf-16-be")
    lows = tuple(5 + i for i in range(units) if 0xDC <= halves[2 * i] <= 0xDF)
    assert (struct[0], struct[1], struct[-1]) == (5, 5 + units, lows)
