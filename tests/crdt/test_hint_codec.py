"""What nodes tell each other, as bytes: everything arrives as it was said, and no bytes whatever do harm."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import Code, ProtocolError
from crdt.ids import ClientId, Epoch, NodeId, PresenceId, Seq
from crdt.protocol.hint_codec import decode_hint, encode_hint, sender_prefix
from crdt.protocol.hints import AccessHint, BatchHint, Beat, ClosedHint, DocumentHint, Hint, PresenceHint, PresenceWhole
from crdt.protocol.messages import DocumentInfo, PresenceChange, User

NODE = NodeId("node-ä")
PREFIX = sender_prefix(NODE)
SAFE = st.integers(0, 2**53 - 1)
STATES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
CHANGES = st.lists(
    st.builds(
        PresenceChange,
        SAFE.map(PresenceId),
        SAFE.map(ClientId),
        st.builds(User, st.text(), st.text(), st.text()),
        st.none() | st.dictionaries(st.text(), STATES, max_size=3),
    ),
    max_size=3,
).map(tuple)
SEQS = st.integers(1, 2**53 - 1).map(Seq)
KEYS = st.lists(st.tuples(SAFE.map(ClientId), st.binary(min_size=16, max_size=16)), max_size=3).map(tuple)
HINTS: st.SearchStrategy[Hint] = st.one_of(
    st.builds(BatchHint, SAFE.map(Epoch), SEQS, st.none() | st.binary(min_size=1), people=SAFE),
    st.builds(BatchHint, SAFE.map(Epoch), SEQS, st.binary(min_size=1), KEYS, SAFE),
    st.builds(PresenceHint, CHANGES),
    st.builds(PresenceWhole, CHANGES, st.booleans()),
    st.builds(DocumentHint, st.builds(DocumentInfo, st.text(), st.none() | st.text())),
    st.builds(ClosedHint, st.sampled_from(Code), st.text()),
    st.builds(Beat, st.booleans()),
    st.builds(Beat, called=st.text(max_size=100)),
    st.builds(AccessHint, SAFE),
)


@given(HINTS)
def test_what_one_node_says_another_hears(hint: Hint) -> None:
    data = encode_hint(PREFIX, hint)
    assert data.startswith(PREFIX)
    assert decode_hint(data) == (NODE, hint)


def test_a_batch_costs_little_more_than_its_bytes() -> None:
    prefix = sender_prefix(NodeId("0123456789abcdef"))
    assert len(encode_hint(prefix, BatchHint(Epoch(1), Seq(1000), b"x" * 100, people=50))) == 100 + 24


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x03",
        b"\x03\x00\x07",
        b"\x03\x41" + b"n" * 65 + b"\x07",  # a sender's name that is too long
        b"\x02\x01n\x07",  # what a node of the version before says
        b"\x03\x01\xff\x07",  # a sender's name that is no text
        b"\x03\x01n",
        b"\x03\x01n\x63",  # another kind
        b"\x03\x01n\x07!",
        b"\x03\x01n\x00\x01",  # ends inside a row
        b"\x03\x01n\x00\x01\x01",  # ends before the people
        b"\x03\x01n\x00\x01\x00\x02\x00batch",  # there is no row 0
        b"\x03\x01n\x00\x01\x01\x02",  # ends before the keys
        b"\x03\x01n\x00\x01\x01\x02\x00",  # a batch that is not there
        b"\x03\x01n\x00\x01\x01\x02\x01\x07" + b"k" * 15,  # ends inside a key
        b"\x03\x01n\x00\x01\x01\x02\xff\xff\xff\xff\x0f" + b"k" * 40,  # more keys than there are bytes
        b"\x03\x01n\x00\x01\x01\x02\x01\xff\xff\xff\xff\xff\xff\xff\x1f" + b"k" * 40,  # no client id is as large
        b"\x03\x01n\x01\x01\x01\x02batch",  # a batch that was said to be too large
        b"\x03\x01n\x02[NaN]",
        b"\x03\x01n\x02" + b"[" * 100_000,
        b"\x03\x01n\x02[" + b"9" * 5000 + b"]",
        b"\x03\x01n\x02{}",
        b'\x03\x01n\x05{"title":1,"trashed_at":null}',
        b'\x03\x01n\x06{"code":"surprise","message":""}',
    ],
)
def test_what_is_no_hint_is_refused(data: bytes) -> None:
    with pytest.raises(ProtocolError) as refusal:
        decode_hint(data)
    assert refusal.value.code is Code.MALFORMED


def hint_or_refusal(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        decode_hint(data)


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda tail: b"\x03\x01n" + tail))
def test_any_bytes_are_a_hint_or_refused(data: bytes) -> None:
    hint_or_refusal(data)


@given(HINTS, st.data())
def test_a_damaged_hint_is_a_hint_or_refused(hint: Hint, data: st.DataObject) -> None:
    damaged = bytearray(encode_hint(PREFIX, hint))
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    hint_or_refusal(bytes(damaged))


def test_a_node_needs_a_name_of_sensible_length() -> None:
    for name in ("", "n" * 65):
        with pytest.raises(ValueError, match="1 to 64"):
            sender_prefix(NodeId(name))
