"""The gateway's pure parts: frames under fuzzing, guests, the entrance, the log of complaints, packets shared by two transports."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import ProtocolError
from crdt.ids import DocumentId, Seq
from crdt.protocol.links import Links, encode_links
from crdt.protocol.messages import UpdateMessage, User
from crdt.protocol.requests import Guest
from server.auth.appearance import NAME_CHARACTERS, new_guest, renamed_guest
from server.doors.entrance import Complaints, Entrance
from server.doors.limits import GatewayLimits
from server.doors.native.connection import frames_of
from server.doors.native.engine.packets import BadFrame, StrictPacket, check_frame, message_packets, split_payload
from tests.harness.log_lines import log_lines

LIKELY = st.text(alphabet='0123456b-/,?[]{}":ax_placeholdernum', max_size=60)


@given(st.text(max_size=60) | LIKELY | LIKELY.map(lambda text: "42" + text), st.binary(max_size=9))
def test_any_text_is_a_packet_or_a_bad_frame(text: str, attachment: bytes) -> None:
    try:
        check_frame(text, 1000)
        packet = StrictPacket(encoded_packet=text[1:] or "x")
        if packet.attachment_count:
            assert packet.add_attachment(attachment)
    except BadFrame:
        return
    assert packet.packet_type in (0, 1, 2, 5)
    if packet.packet_type in (2, 5):
        assert isinstance(packet.data[0], str)


@given(st.binary(max_size=100))
def test_any_payload_is_frames_or_a_bad_frame(body: bytes) -> None:
    with suppress(BadFrame):
        assert "\x1e".join(split_payload(body)).encode() == body


@pytest.mark.parametrize("protocol", [1, 2])
@pytest.mark.parametrize("heirs", [b"", encode_links([Links(heirs=((7, 0, 4, 1, 12, 0),))])], ids=["", "heirs"])
def test_the_hot_message_is_encoded_like_any_other(protocol: int, heirs: bytes) -> None:
    document_id, message = DocumentId("Zm9vYmFyYmF6"), UpdateMessage(Seq(5), b"\x02\x00\x00", heirs)
    packets = message_packets(document_id, message, protocol)
    assert frames_of(document_id, message, protocol) == packets.frames
    assert len(packets) == (1 if protocol == 2 and not heirs else 2)


def test_a_packet_shared_by_both_transports_has_each_ones_form() -> None:
    _, attachment = message_packets(DocumentId("Zm9vYmFyYmF6"), UpdateMessage(Seq(5), b"\x01\x02"))
    for _ in range(2):
        assert attachment.encode() == b"\x01\x02"
        assert attachment.encode(b64=True) == "b" + base64.b64encode(b"\x01\x02").decode()


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("Alice", "Alice"),
        ("  Alice \n B\x00ob ", "Alice B ob"),
        ("a\u202eb", "ab"),
        ("\ud800x", "x"),
        ("x" * 200, "x" * NAME_CHARACTERS),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
        ("مریم\u200cها", "مریم\u200cها"),
        ("<script>", "<script>"),
    ],
)
def test_a_guests_name_is_fit_to_be_shown(asked: str, shown: str) -> None:
    assert new_guest(Guest(asked)).name == shown


@pytest.mark.parametrize("asked", [None, "", "   ", "\x00", "\u202e"])
def test_a_guest_without_a_name_is_a_guest(asked: str | None) -> None:
    assert new_guest(Guest(asked)).name == "Guest"


@given(st.text())
def test_any_name_is_shown_short_and_can_be_written(asked: str) -> None:
    name = new_guest(Guest(asked)).name
    assert 1 <= len(name) <= NAME_CHARACTERS
    assert name.isprintable() or any(joiner in name for joiner in "\u200c\u200d")
    name.encode()


def test_colours_are_colours_and_ids_are_ours() -> None:
    assert new_guest(Guest(color="#A1B2C3")).color == "#a1b2c3"
    kept = User("guest-1", "Bob", "#123456")
    for wrong in ("red", "#fff", "#12345", "#1234567", "#12345g", "#123456\n", "url(x)"):
        assert renamed_guest(kept, Guest(color=wrong)) == kept
    assert new_guest(Guest()).user_id != new_guest(Guest()).user_id


def test_the_door_counts_who_waits_and_who_is_inside() -> None:
    entrance = Entrance(GatewayLimits(connections=3, connections_per_address=2, handshakes_per_address=2))
    assert entrance.knock("10.0.0.1")
    assert entrance.knock("10.0.0.1")
    assert not entrance.knock("10.0.0.1")
    assert entrance.knock("10.0.0.2")
    assert not entrance.knock("10.0.0.3")
    for _ in range(2):
        entrance.enter("10.0.0.1")
    assert entrance.knock("10.0.0.1")
    with pytest.raises(ProtocolError):
        entrance.enter("10.0.0.1")
    entrance.step_out("10.0.0.1")
    entrance.enter("10.0.0.1")
    entrance.enter("10.0.0.2")
    with pytest.raises(ProtocolError):
        entrance.enter("10.0.0.1")
    entrance.leave("10.0.0.1", was_inside=False)
    for address in ("10.0.0.1", "10.0.0.1", "10.0.0.2"):
        entrance.leave(address, was_inside=True)
    assert (entrance.waiting, entrance.inside) == (0, 0)


def test_a_group_of_ipv6_addresses_counts_as_one() -> None:
    entrance = Entrance(GatewayLimits(handshakes_per_address=2))
    assert entrance.knock("2001:db8::1")
    assert entrance.knock("2001:db8::ffff:1")
    assert not entrance.knock("2001:db8:0:0:8::2")
    assert entrance.knock("2001:db8:0:1::1")
    assert entrance.knock("::ffff:10.0.0.1")
    assert entrance.knock("10.0.0.1")
    assert not entrance.knock("10.0.0.1")


def test_complaints_are_all_counted_and_written_once_for_each_connection() -> None:
    complaints = Complaints()
    with log_lines() as lines:
        for _ in range(3):
            told: set[str] = set()
            for _ in range(100):
                complaints.note("a frame is too long", "10.0.0.1", told)
    assert complaints.counts == {"a frame is too long": 300}
    assert [(line["event"], line["left_out"]) for line in lines] == [
        ("protocol_error", 0),
        ("protocol_error", 99),
        ("protocol_error", 99),
    ]
