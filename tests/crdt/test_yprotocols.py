"""y-protocols' messages: what clients send is read as they mean it, and the rest is refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import ProtocolError
from crdt.ids import ClientId, DocumentId
from crdt.protocol import yprotocols as y

DOCUMENT = DocumentId("a-document")


def test_what_version_3_sends_on_opening() -> None:
    assert y.decode_messages(bytes([0, 0, 1, 0])) == [y.Step1(b"\0")]
    assert y.decode_messages(bytes([0, 1, 2, 0, 0])) == [y.Update(y.EMPTY_UPDATE, is_answer=True)]
    assert y.decode_messages(bytes([0, 2, 2, 0, 0])) == [y.Update(y.EMPTY_UPDATE, is_answer=False)]
    assert y.decode_messages(bytes([1, 6, 1, 7, 3, 2, 123, 125])) == [y.Awareness((y.Entry(ClientId(7), 3, b"{}"),))]
    assert y.decode_messages(bytes([3, 0, 0, 1, 0])) == [y.QueryAwareness(), y.Step1(b"\0")]


@given(st.lists(st.tuples(st.integers(0, 2**53 - 1), st.integers(0, 2**53 - 1), st.none() | st.just({"a": "ü"}))))
def test_awareness_comes_back_as_it_was_written(states: list[tuple[int, int, dict[str, str] | None]]) -> None:
    written = y.encode_awareness(
        y.encode_states([(ClientId(client_id), clock, state) for client_id, clock, state in states])
    )
    (read,) = y.decode_messages(written)
    assert isinstance(read, y.Awareness)
    found = [(each.client_id, each.clock, y.state_of(DOCUMENT, each.text, 100)) for each in read.entries]
    assert found == states


@given(st.binary(max_size=60))
def test_any_bytes_are_messages_or_refused(frame: bytes) -> None:
    with contextlib.suppress(ProtocolError):
        for message in y.decode_messages(frame):
            if isinstance(message, y.Awareness):
                for entry in message.entries:
                    y.state_of(DOCUMENT, entry.text, 100)


@pytest.mark.parametrize(
    "text", [b"NaN", b"[1]", b'"words"', b"{", b'{"a":NaN}', b"\xff", b"9" * 150, b'{"a":' * 30 + b"1" + b"}" * 30]
)
def test_a_state_that_others_could_not_read_is_refused(text: bytes) -> None:
    with pytest.raises(ProtocolError):
        y.state_of(DOCUMENT, text, 100)
