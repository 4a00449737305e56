"""The native protocol against its vectors (native_protocol.json), which the TypeScript tests share.

In the file, `{"hex": …}` stands for binary.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import to_builtins
from msgspec.structs import replace

from crdt.errors import Code, EpochChanged, ProtocolError
from crdt.ids import ClientId, DocumentId, Epoch, PresenceId, Seq
from crdt.protocol.batch import decode_batch, encode_batch
from crdt.protocol.frames import UpdateFrame, read_update, write_update
from crdt.protocol.links import Links, encode_links
from crdt.protocol.messages import (
    AccessMessage,
    Acknowledged,
    BroadcastMessage,
    ClosedMessage,
    DiscussionMessage,
    DocumentInfo,
    DocumentMessage,
    DurabilityMessage,
    Format,
    JoinAnswer,
    Limits,
    PresenceChange,
    PresenceMessage,
    Refused,
    ResyncMessage,
    Role,
    RoleMessage,
    ServerMessage,
    UpdateMessage,
    User,
    Written,
    encode_answer,
    encode_draining,
    encode_error,
    encode_inbox,
    encode_join_answer,
    encode_message,
    write_arguments,
)
from crdt.protocol.requests import decode_request
from crdt.room.members import PresenceTable
from crdt.yjs.varint import sized, varuint

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent.parent / "vectors" / "native_protocol.json").read_text())

DOCUMENT = DocumentId("Zm9vYmFyYmF6cXV4MTIzNA")
ALICE = PresenceChange(
    PresenceId(7), ClientId(2**53 - 1), User("guest-1", "Alice ☂", "#00695c"), {"cursor": {"anchor": [1, None]}}
)
GONE = PresenceChange(PresenceId(8), ClientId(0), User("guest-2", "Bob", "#b3261e"), None)
UPDATE = bytes.fromhex("01010100040105")

HEIRS = encode_links([Links(heirs=((7, 0, 4, 1, 12, 0), (2**53 - 1, 9, 1, 1, 16, 1)))])

MESSAGES: dict[str, ServerMessage] = {
    "durable changes": UpdateMessage(Seq(12), encode_batch([b"\x00\x00", UPDATE])),
    "durable changes that moved words": UpdateMessage(Seq(13), encode_batch([UPDATE]), HEIRS),
    "somebody came or moved, somebody went": PresenceMessage((ALICE, GONE)),
    "nobody changed": PresenceMessage(()),
    "missed updates": ResyncMessage(),
    "another role": RoleMessage(Role.VIEWER),
    "the store takes nothing": DurabilityMessage("waiting"),
    "the store takes appends again": DurabilityMessage("ok"),
    "renamed": DocumentMessage(DocumentInfo('A "title"', None)),
    "trashed": DocumentMessage(DocumentInfo("", "2026-11-20T16:04:33+00:00")),
    "a format": DocumentMessage(DocumentInfo("Story", None, Format("@somebody/editor", 3))),
    "any format": DocumentMessage(DocumentInfo("Story", None, Format("stock", 1), any_format=True)),
    "others have access or ask for it": AccessMessage(),
    "somebody said something": DiscussionMessage(12),
    "somebody's application says something": BroadcastMessage("☂".encode(), ALICE.user),
    "closed": ClosedMessage(Code.DELETED, "The document was deleted."),
}


def _answer(missing: bytes | None) -> JoinAnswer:
    whole = missing is not None
    return JoinAnswer(
        role=Role.EDITOR,
        missing=missing,
        chunk_count=0 if whole else 3,
        chunk_bytes=0 if whole else 700_000,
        state_vector=b"\x01\x01\x05",
        seq=Seq(2**53 - 1),
        epoch=Epoch(3),
        presence=(ALICE,) if whole else (),
        presence_id=PresenceId(9),
        durability="ok",
        quarantined=not whole,
        set_aside=0 if whole else 2,
    )


INFO = DocumentInfo("Story", None)
NOTHING_MISSING = replace(_answer(UPDATE), missing=b"", state_vector=b"", seq=Seq(12), presence=())
ANSWERS: dict[str, Any] = {
    "a join, whole": encode_join_answer(_answer(UPDATE), INFO, Limits()),
    "a join of somebody whose words have moved": encode_join_answer(
        replace(_answer(UPDATE), heirs=HEIRS), INFO, Limits()
    ),
    "a join of a large document": encode_join_answer(_answer(None), INFO, Limits()),
    "a join of somebody who lacks nothing": encode_join_answer(NOTHING_MISSING, INFO, Limits()),
    "a join of somebody who has more": encode_join_answer(
        replace(
            NOTHING_MISSING,
            state_vector=b"\x01\x01\x05",
            durability="waiting",
            quarantined=True,
            set_aside=1,
            discussion=12,
        ),
        INFO,
        Limits(),
    ),
    "durable": encode_answer(Acknowledged(Seq(12))),
    "refused": encode_answer(Refused(Code.MISSING_PAST, "Join again.")),
    "another epoch": encode_error(EpochChanged(Epoch(4))),
    "an error": encode_error(ProtocolError(Code.NOT_FOUND, "There is no such document.")),
    "authenticated": {"user": ALICE.user},
}


def to_file(value: Any) -> Any:
    match value:
        case bytes():
            return {"hex": value.hex()}
        case Written(text):
            return json.loads(text)
        case User():
            return to_builtins(value)
        case list():
            return [to_file(item) for item in value]
        case dict():
            return {key: to_file(item) for key, item in value.items()}
        case _:
            return value


def from_file(value: Any) -> Any:
    match value:
        case {"hex": str(digits)} if len(value) == 1:
            return bytes.fromhex(digits)
        case list():
            return [from_file(item) for item in value]
        case dict():
            return {key: from_file(item) for key, item in value.items()}
        case _:
            return value


def test_every_message_is_in_the_vectors_as_it_travels() -> None:
    encoded = []
    for story, message in MESSAGES.items():
        event, arguments = encode_message(DOCUMENT, message)
        encoded.append({"story": story, "event": event, "arguments": to_file(arguments)})
    gateways_own = {"an inbox has changed": encode_inbox(), "the server goes": encode_draining(250)}
    for story, (event, arguments) in gateways_own.items():
        encoded.append({"story": story, "event": event, "arguments": to_file(arguments)})
    assert encoded == VECTORS["messages"]


def test_every_answer_is_in_the_vectors_as_it_travels() -> None:
    assert [{"story": story, "value": to_file(value)} for story, value in ANSWERS.items()] == VECTORS["answers"]


def test_arguments_are_written_as_socketio_writes_them() -> None:
    _, arguments = encode_message(DOCUMENT, PresenceMessage((ALICE, GONE)))
    answer = ANSWERS["a join, whole"]
    text, attachments = write_arguments(
        ["event", *arguments, answer, b"last", None, 1.5, True, [1, {"a": 'quoted "é"'}]]
    )
    event, document_id, changes, written, *rest = json.loads(text)
    assert (event, document_id) == ("event", DOCUMENT)
    assert [change["user"]["name"] for change in changes] == ["Alice ☂", "Bob"]
    assert written["presence"] == [changes[0]]
    assert written["missing"] == {"_placeholder": True, "num": 0}
    assert written["state_vector"] == {"_placeholder": True, "num": 1}
    assert rest == [{"_placeholder": True, "num": 2}, None, 1.5, True, [1, {"a": 'quoted "é"'}]]
    assert attachments == [UPDATE, answer["state_vector"], b"last"]
    assert text.isascii()
    assert " " not in text.replace("Alice ", "").replace("quoted ", "")


def test_arguments_are_written_as_json_writes_them() -> None:
    for value in [*ANSWERS.values(), {"name": "Zoë 😀\x1f\b</\u2028"}, [2**53 - 1, -1, True, None, 0.5]]:
        text, attachments = write_arguments([value])
        placeholders = iter(range(len(attachments)))

        def default(each: Any, placeholders: Iterator[int] = placeholders) -> Any:
            if isinstance(each, Written | User):
                return to_file(each)
            return {"_placeholder": True, "num": next(placeholders)}

        assert text == json.dumps([value], separators=(",", ":"), default=default)


def test_whoever_lacks_nothing_is_told_so_in_few_bytes() -> None:
    answer = replace(NOTHING_MISSING, epoch=Epoch(2**53 - 1), presence_id=PresenceId(2**52 - 1))
    text, attachments = write_arguments([encode_join_answer(answer, INFO, Limits())])
    assert attachments == []
    assert len(text) < 200


def test_batches_are_framed_and_taken_apart_alike() -> None:
    for vector in VECTORS["batches"]:
        updates, batch = from_file(vector["updates"]), from_file(vector["batch"])
        assert encode_batch(updates) == batch
        assert decode_batch(batch) == updates


def test_frames_of_protocol_2_are_in_the_vectors_as_they_travel() -> None:
    for vector in VECTORS["updates_in_one_frame"]["from_server"]:
        document_id, seq, batch = from_file(vector["arguments"])
        assert write_update(document_id, seq, batch) == from_file(vector["frame"])
    for vector in VECTORS["updates_in_one_frame"]["from_client"]:
        document_id, *after, batch = from_file(vector["arguments"])
        update = UpdateFrame(vector["ack_id"], document_id, after[0] if after else None, batch)
        assert read_update(from_file(vector["frame"])) == update


@pytest.mark.parametrize("vector", VECTORS["updates_in_one_frame"]["none"], ids=lambda vector: str(vector["story"]))
def test_frames_that_are_no_update_are_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError) as refused:
        read_update(from_file(vector["frame"]))
    assert refused.value.code is Code.MALFORMED


@given(st.binary(max_size=40))
def test_any_bytes_are_an_update_in_one_frame_or_refused(frame: bytes) -> None:
    with suppress(ProtocolError):
        ack_id, document_id, after, batch = read_update(frame)
        name = document_id.encode()
        row = 0 if after is None else after + 1
        assert frame == b"\1" + sized(name) + varuint(ack_id) + varuint(row) + batch


def test_who_somebody_is_is_told_once_in_protocol_2() -> None:
    _, (_, told) = encode_message(DOCUMENT, PresenceMessage((ALICE, GONE), frozenset({PresenceId(8)})), 2)
    assert to_file(told) == [json.loads(ALICE.text), {"presence_id": 8, "state": None}]
    _, (_, of_old) = encode_message(DOCUMENT, PresenceMessage((ALICE, GONE), frozenset({PresenceId(8)})))
    assert to_file(of_old) == [json.loads(ALICE.text), json.loads(GONE.text)]


@pytest.mark.parametrize("vector", VECTORS["cursors"], ids=lambda vector: str(vector["story"]))
def test_cursors_move_in_few_bytes_in_protocol_3(vector: dict[str, Any]) -> None:
    table = PresenceTable()
    for state in (vector["before"], vector["state"]):
        if state is None:
            table.remove(ALICE.presence_id)
        else:
            table.put(ALICE.presence_id, ALICE.client_id, ALICE.user, state)
        message = table.message(table.take_changes())
    assert json.loads(message.write(3)) == [vector["change"]]
    assert json.loads(message.write(2)) == [{"presence_id": 7, "state": vector["state"]}]


@pytest.mark.parametrize("vector", VECTORS["invalid_batches"], ids=lambda vector: str(vector["story"]))
def test_batches_that_are_none_are_refused(vector: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError) as refused:
        decode_batch(from_file(vector["batch"]))
    assert refused.value.code is Code.MALFORMED


@pytest.mark.parametrize("vector", VECTORS["requests"], ids=lambda vector: str(vector["story"]))
def test_requests_in_the_vectors_are_understood(vector: dict[str, Any]) -> None:
    assert decode_request(vector["event"], from_file(vector["arguments"])) is not None


@pytest.mark.parametrize("vector", VECTORS["invalid_requests"], ids=lambda vector: str(vector["story"]))
def test_requests_that_are_none_are_refused_by_name(vector: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError) as refused:
        decode_request(vector["event"], from_file(vector["arguments"]))
    assert refused.value.code.value == vector["code"]
    assert vector["names"] in refused.value.message


def test_every_event_from_the_server_is_in_the_reference_and_in_the_vectors() -> None:
    reference = (Path(__file__).parents[2] / "server" / "PROTOCOL.md").read_text()
    section = reference.split("## From the server")[1].split("\n## ")[0]
    documented = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    assert documented == {message["event"] for message in VECTORS["messages"]}
