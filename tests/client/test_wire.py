"""Bytes of the Python client: the server's own reading of batches, and Socket.IO's of packets."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from socketio.packet import Packet as SocketioPacket

from crdt.errors import Code
from crdt.ids import ID_PATTERN, DocumentId, Seq
from crdt.protocol import batch as servers
from crdt.protocol.frames import read_update, write_update
from manyhands.errors import REMEDIES, Refused, refused
from manyhands.wire import Packet, Packets, WireError, decode_batch, encode_batch, event_frames, update_frame

UPDATES = st.lists(st.binary(min_size=1, max_size=300), min_size=1, max_size=5)
DOCUMENT_IDS = st.from_regex(ID_PATTERN, fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(UPDATES)
def test_client_and_server_read_each_others_batches(updates: list[bytes]) -> None:
    assert encode_batch(updates) == servers.encode_batch(updates)
    assert decode_batch(servers.encode_batch(updates)) == updates


@given(st.binary(max_size=40))
def test_any_bytes_are_a_batch_or_an_error(data: bytes) -> None:
    try:
        updates = decode_batch(data)
    except WireError:
        return
    assert updates
    assert decode_batch(encode_batch(updates)) == updates


def test_a_length_has_at_most_eight_bytes() -> None:
    with pytest.raises(WireError, match="too large"):
        decode_batch(b"\x80" * 8 + b"\x00")


@given(st.none() | st.integers(0, 10**6), st.lists(JSON, max_size=3))
def test_socketio_reads_an_event(number: int | None, arguments: list[Any]) -> None:
    first, *attachments = event_frames(number, "update", arguments)
    assert isinstance(first, str)
    packet = SocketioPacket(encoded_packet=first[1:])
    for attachment in attachments:
        packet.add_attachment(attachment)
    assert packet.data == ["update", *arguments]
    assert packet.id == number


@given(st.integers(0, 10**6), JSON)
def test_an_answer_of_socketio_is_read(number: int, answer: Any) -> None:
    encoded = SocketioPacket(packet_type=3, data=[answer], id=number).encode()
    packets, packet = Packets(), None
    for frame in encoded if isinstance(encoded, list) else [encoded]:
        assert packet is None
        packet = packets.take(frame)
    assert packet == Packet("answer", number, [answer])


@given(st.integers(0, 2**53 - 1), DOCUMENT_IDS, st.none() | st.integers(0, 2**53 - 2), st.binary(max_size=40))
def test_the_server_reads_an_update_in_one_frame(
    number: int, document_id: str, after: int | None, batch: bytes
) -> None:
    assert read_update(update_frame(number, document_id, after, batch)) == (number, document_id, after, batch)


@given(DOCUMENT_IDS, st.integers(0, 2**53 - 1), st.binary(max_size=40))
def test_an_update_of_the_server_in_one_frame_is_read(document_id: str, seq: int, batch: bytes) -> None:
    frame = write_update(DocumentId(document_id), Seq(seq), batch)
    assert Packets().take(frame) == Packet("event", None, ["update", document_id, seq, batch])


@given(st.lists(st.text(max_size=20) | st.binary(max_size=5), max_size=4))
def test_any_frames_are_packets_or_an_error(frames: list[str | bytes]) -> None:
    packets = Packets()
    for frame in frames:
        try:
            packets.take(frame)
        except WireError:
            return


@pytest.mark.parametrize(
    "frame",
    ["", "9", "2[", "5x-[]", "51-" + "9" * 20 + "[]", "2" + "[" * 200_000, b"alone", b"", b"\1\2a", b"\1\1\xff\0"],
    ids=["empty", "kind", "json", "count", "number", "depth", "attachment", "no kind", "short", "characters"],
)
def test_what_is_no_packet_is_an_error(frame: str | bytes) -> None:
    with pytest.raises(WireError):
        Packets().take(frame)


@pytest.mark.parametrize("number", ["7", '"a"', "null", "-1"])
def test_a_placeholder_names_an_attachment(number: str) -> None:
    packets = Packets()
    assert packets.take('51-["update",{"_placeholder":true,"num":' + number + "}]") is None
    with pytest.raises(WireError, match="placeholder"):
        packets.take(b"")


def test_there_is_a_remedy_for_every_code() -> None:
    assert set(REMEDIES) == set(Code)


@pytest.mark.parametrize("error", [None, 7, {}, {"code": 7}, {"code": "a_newer_one", "message": "No."}])
def test_every_error_of_a_server_is_a_refusal(error: Any) -> None:
    assert isinstance(refused(error), Refused)
