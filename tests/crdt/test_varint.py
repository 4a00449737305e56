"""Integers (varUint): one form for each, and all other forms are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import Code, ProtocolError
from crdt.yjs.varint import MAX_SAFE, read_varuint, write_varuint

integers = st.integers(0, MAX_SAFE)


def written(value: int) -> bytes:
    out = bytearray()
    write_varuint(value, out)
    return bytes(out)


@given(integers, st.binary(), st.binary())
def test_what_is_written_is_read_back(value: int, before: bytes, behind: bytes) -> None:
    data = before + written(value) + behind
    assert read_varuint(data, len(before)) == (value, len(data) - len(behind))


@given(st.binary(max_size=12))
def test_bytes_are_an_integer_in_its_only_form_or_malformed(data: bytes) -> None:
    try:
        value, end = read_varuint(data, 0)
    except ProtocolError as refusal:
        code = refusal.code
    else:
        code = Code.MALFORMED
        assert written(value) == data[:end]
    assert code is Code.MALFORMED


@given(integers)
def test_every_part_of_an_integer_is_too_short(value: int) -> None:
    whole = written(value)
    for length in range(len(whole)):
        with pytest.raises(ProtocolError, match="ends inside"):
            read_varuint(whole[:length], 0)


@pytest.mark.parametrize(
    "data",
    ["8000", "808000", "ff00", "ffffffffffffff10", "ffffffffffffff1f", "ffffffffffffff8001", "ff" * 100_000 + "01"],
    ids=[
        "zero twice",
        "zero thrice",
        "127 in two bytes",
        "2^53",
        "2^53 and more",
        "nine bytes",
        "a hundred thousand bytes",
    ],
)
def test_other_forms_and_sizes_are_malformed(data: str) -> None:
    with pytest.raises(ProtocolError) as refusal:
        read_varuint(bytes.fromhex(data), 0)
    assert refusal.value.code is Code.MALFORMED
