"""Hints as bytes: every hint arrives as it was sent, and no bytes do harm."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.msgpack import encode

from crdt.errors import Code, ProtocolError
from crdt.ids import ClientId, Epoch, NodeId, PresenceId, Seq
from crdt.protocol.hints import (
    VERSION,
    AccessHint,
    AskedHint,
    BatchHint,
    Beat,
    BroadcastHint,
    ClosedHint,
    DocumentHint,
    Hint,
    PresenceHint,
    PresenceWhole,
    decode_hint,
    encode_hint,
    sender_prefix,
)
from crdt.protocol.messages import DocumentInfo, Json, PresenceChange, User

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
    st.builds(AskedHint),
    st.builds(BroadcastHint, st.binary(max_size=64), st.builds(User, st.text(), st.text(), st.text())),
)


@given(HINTS)
def test_what_one_node_says_another_hears(hint: Hint) -> None:
    data = encode_hint(PREFIX, hint)
    assert data.startswith(PREFIX)
    assert decode_hint(data) == (NODE, hint)


def test_a_batch_costs_little_more_than_its_bytes() -> None:
    prefix = sender_prefix(NodeId("0123456789abcdef"))
    assert len(encode_hint(prefix, BatchHint(Epoch(1), Seq(1000), b"x" * 100, people=50))) == 100 + 28


HEAD = bytes((VERSION, 1)) + b"n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEAD[:1],
        bytes((VERSION, 0)) + encode([4, "deleted", ""]),
        bytes((VERSION, 65)) + b"n" * 65 + encode([5]),  # a sender's name that is too long
        bytes((VERSION - 1, 1)) + b"n" + encode([5]),  # what a node of the version before says
        bytes((VERSION, 1)) + b"\xff" + encode([5]),  # a sender's name that is no text
        HEAD,
    ],
)
def test_what_has_no_sender_is_no_hint(data: bytes) -> None:
    refused(data)


@pytest.mark.parametrize(
    "body",
    [
        99,  # no array
        [],
        [99],  # another kind
        [5, False, "", 1],  # something more than a beat
        [5, 0, ""],
        [0, 1],  # ends inside a row
        [0, 1, 0, b"batch", [], 2],  # there is no row 0
        [0, 1, 1, b"", [], 2],  # a batch that is not there
        [0, 1, 1, "batch", [], 2],
        [0, -1, 1, b"batch", [], 2],
        [0, 1.0, 1, b"batch", [], 2],
        [0, 2**53, 1, b"batch", [], 2],
        [0, 1, 1, b"batch", [[7, b"k" * 15]], 2],
        [0, 1, 1, b"batch", [[7, b"k" * 17]], 2],
        [0, 1, 1, b"batch", [[2**53, b"k" * 16]], 2],  # no client id is as large
        [1, "[NaN]", False, False],
        [1, "[" * 100_000, False, False],
        [1, "[" + "9" * 5000 + "]", False, False],
        [1, "{}", False, False],
        [1, [], False, False],
        [1, '[{"presence_id":1,"client_id":2,"user":{"id":"u","name":"n"},"state":{}}]', False, False],
        [1, '[{"presence_id":true,"client_id":2,"user":{"id":"u","name":"n","color":"c"},"state":{}}]', False, False],
        [1, '[{"presence_id":1,"client_id":2,"user":{"id":"u","name":"n","color":"c"},"state":[]}]', False, False],
        [
            1,
            '[{"presence_id":1,"client_id":2,"user":{"id":"u","name":"n","color":"c"},"state":{"a":NaN}}]',
            False,
            False,
        ],
        [2, {"title": 1, "trashed_at": None}],
        [2, {"title": "t"}],
        [3, 2**53],
        [3, True],
        [4, "surprise", ""],
    ],
)
def test_what_is_no_hint_is_refused(body: object) -> None:
    refused(HEAD + encode(body))


def test_nothing_follows_the_end_of_a_hint() -> None:
    whole = encode_hint(HEAD, AccessHint(7))
    assert decode_hint(whole) == ("n", AccessHint(7))
    refused(whole + b"\x00")
    refused(whole[:-1])


def test_a_state_may_hold_what_only_json_can() -> None:
    state: dict[str, Json] = {"far": 10**30, "half a character": "\ud800"}
    change = PresenceChange(PresenceId(1), ClientId(2), User("u", "n", "#000000"), state)
    assert decode_hint(encode_hint(HEAD, PresenceHint((change,)))) == ("n", PresenceHint((change,)))


def refused(data: bytes) -> None:
    with pytest.raises(ProtocolError) as refusal:
        decode_hint(data)
    assert refusal.value.code is Code.MALFORMED


def hint_or_refusal(data: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        decode_hint(data)


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda tail: HEAD + tail))
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
