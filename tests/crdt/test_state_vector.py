"""State vectors from strangers: each is read, or refused at no cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycrdt import Doc, Text

from crdt.errors import Code, ProtocolError
from crdt.yjs.varint import MAX_CLOCK, MAX_SAFE, check_state_vector, encode_state_vector

vectors = st.dictionaries(st.integers(0, MAX_SAFE), st.integers(0, MAX_CLOCK), max_size=20)


@given(vectors)
def test_what_is_encoded_is_read_back(clocks: dict[int, int]) -> None:
    assert check_state_vector(encode_state_vector(clocks)) == clocks


@given(vectors)
def test_equal_mappings_give_equal_bytes(clocks: dict[int, int]) -> None:
    assert encode_state_vector(dict(reversed(clocks.items()))) == encode_state_vector(clocks)


@given(st.one_of(st.binary(max_size=40), vectors.map(encode_state_vector)), st.data())
def test_bytes_are_a_state_vector_or_a_protocol_error(data: bytes, choices: st.DataObject) -> None:
    if data:
        at = choices.draw(st.integers(0, len(data) - 1))
        data = data[:at] + choices.draw(st.binary(max_size=3)) + data[at + 1 :]
    try:
        clocks = check_state_vector(data)
    except ProtocolError as refusal:
        code = refusal.code
    else:
        code = Code.MALFORMED
        assert check_state_vector(encode_state_vector(clocks)) == clocks
    assert code is Code.MALFORMED


def test_pycrdt_and_we_write_the_same_format() -> None:
    doc: Doc[Text] = Doc(client_id=MAX_SAFE)
    text = doc.get("text", type=Text)
    text += "😀 and more"
    assert check_state_vector(doc.get_state()) == {MAX_SAFE: 11}
    assert doc.get_update(encode_state_vector({MAX_SAFE: 11})) == b"\0\0"


@pytest.mark.parametrize(
    "data",
    ["", "01", "0105", "8080808001", "ffffffffffffff0f", "020501", "0205010502", "00ff", "01058080808008"],
    ids=[
        "nothing", "a count alone", "half an entry", "2^28 entries", "2^53 entries", "an entry too few", "a client id twice",
        "something behind", "a clock of 2^31",
    ],
)  # fmt: skip
def test_lies_are_malformed(data: str) -> None:
    with pytest.raises(ProtocolError) as refusal:
        check_state_vector(bytes.fromhex(data))
    assert refusal.value.code is Code.MALFORMED


def test_more_clients_than_allowed_are_too_large() -> None:
    with pytest.raises(ProtocolError) as refusal:
        check_state_vector(encode_state_vector({1: 1, 2: 1, 3: 1}), max_clients=2)
    assert refusal.value.code is Code.TOO_LARGE
