"""Hocuspocus' messages: what providers send is read as they mean it, and the rest is refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import ProtocolError
from crdt.protocol import hocuspocus as h
from crdt.protocol import yprotocols as y

HEAD = h.head("room")


def test_what_providers_send_on_opening() -> None:
    assert h.decode(HEAD + bytes([2, 0, 2, 111, 107])) == ("room", h.Token("ok", tells_version=False))
    assert h.decode(HEAD + bytes([2, 0, 0, 5]) + b"4.8.0") == ("room", h.Token("", tells_version=True))
    assert h.decode(HEAD + y.encode_step_1(b"\0")) == ("room", y.Step1(b"\0"))
    assert h.decode(HEAD + bytes([0, 1, 2, 0, 0])) == ("room", y.Update(y.EMPTY_UPDATE, is_answer=True))
    assert h.decode(HEAD + y.encode_awareness(b"\0")) == ("room", y.Awareness(()))
    assert h.decode(HEAD + bytes([3])) == ("room", y.QueryAwareness())
    assert h.decode(HEAD + bytes([5, 2, 104, 105])) == ("room", h.Stateless(b"hi"))
    assert h.decode(HEAD + bytes([7])) == ("room", h.Close())


def test_the_name_in_a_key() -> None:
    assert h.name_of("a room") == "a room"
    assert h.name_of("a room\0k3x9") == "a room"


@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_refused(content: bytes) -> None:
    for frame in (content, HEAD + content):
        with contextlib.suppress(ProtocolError):
            h.decode(frame)


@given(
    st.sampled_from(
        [
            bytes([2, 0, 5]) + b"token",
            bytes([0, 1, 5]) + b"abcde",
            y.encode_awareness(y.encode_states([])),
            bytes([5, 5]) + b"words",
        ]
    ),
    st.data(),
)
def test_what_is_cut_short_is_refused(message: bytes, data: st.DataObject) -> None:
    whole = HEAD + message
    with pytest.raises(ProtocolError):
        h.decode(whole[: data.draw(st.integers(0, len(whole) - 1))])
