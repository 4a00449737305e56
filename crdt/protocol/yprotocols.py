"""Messages of y-protocols: sync and awareness, as y-websocket frames them.

Pure. Decoding is strict: bytes become messages or raise ProtocolError, nothing else, in time linear
in their length. Awareness states are read one by one (`state_of`), because clients repeat to the
server what it has told them of others.
"""

import json
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import NamedTuple

from msgspec import Struct

from crdt.errors import Code, ProtocolError
from crdt.ids import ClientId, DocumentId
from crdt.protocol import requests
from crdt.protocol.messages import Json
from crdt.yjs.varint import read_varuint, sized, varuint


class Kind(IntEnum):
    """The first number of a message."""

    SYNC = 0
    AWARENESS = 1
    AUTH = 2
    QUERY_AWARENESS = 3


STEP_1, STEP_2, UPDATE = range(3)
DENIED = 0

EMPTY_UPDATE = b"\0\0"
"""The update without structs and deletions."""


class Step1(Struct, frozen=True):
    """A client's state vector, which asks for what is missing."""

    state_vector: bytes


class Update(Struct, frozen=True):
    """Changes: the answer to our state vector, or what was just written."""

    update: bytes
    is_answer: bool


class Entry(NamedTuple):
    """One client's state in an awareness update. `text` is JSON."""

    client_id: ClientId
    clock: int
    text: bytes


class Awareness(Struct, frozen=True):
    """States of clients."""

    entries: tuple[Entry, ...]


class QueryAwareness(Struct, frozen=True):
    """Asks for the states of everybody."""


Message = Step1 | Update | Awareness | QueryAwareness


def decode_messages(frame: bytes) -> list[Message]:
    """Take a frame apart; raises ProtocolError (malformed, unknown_event)."""
    messages: list[Message] = []
    at, end = 0, len(frame)
    while at < end:
        kind, at = read_varuint(frame, at)
        message, at = read_message(kind, frame, at)
        messages.append(message)
    return messages


def read_message(kind: int, data: bytes, at: int) -> tuple[Message, int]:
    """Read a message whose kind has been read; return the message and the offset behind it.

    Raises ProtocolError (malformed, unknown_event).
    """
    match kind:
        case Kind.SYNC:
            step, at = read_varuint(data, at)
            content, at = read_sized(data, at)
            if step > UPDATE:
                raise ProtocolError(Code.UNKNOWN_EVENT, "There is no such step of the sync protocol.")
            return Step1(content) if step == STEP_1 else Update(content, step == STEP_2), at
        case Kind.AWARENESS:
            content, at = read_sized(data, at)
            return Awareness(read_states(content)), at
        case Kind.QUERY_AWARENESS:
            return QueryAwareness(), at
        case _:
            raise ProtocolError(Code.UNKNOWN_EVENT, WRONG_DOOR)


WRONG_DOOR = "This is no message of y-websocket. Hocuspocus' providers connect to /hocuspocus."


def read_sized(data: bytes, at: int) -> tuple[bytes, int]:
    """Read bytes behind their length; return the bytes and the offset behind them."""
    length, at = read_varuint(data, at)
    if length > len(data) - at:
        raise ProtocolError(Code.MALFORMED, "The message is shorter than it says.")
    return data[at : at + length], at + length


def read_states(data: bytes) -> tuple[Entry, ...]:
    """Read an awareness update; raises ProtocolError(malformed)."""
    count, at = read_varuint(data, 0)
    entries = []
    for _ in range(min(count, len(data))):
        client_id, at = read_varuint(data, at)
        clock, at = read_varuint(data, at)
        text, at = read_sized(data, at)
        entries.append(Entry(ClientId(client_id), clock, text))
    if len(entries) != count or at != len(data):
        raise ProtocolError(Code.MALFORMED, "The awareness update has another length than it says.")
    return tuple(entries)


def state_of(document_id: DocumentId, text: bytes, most_bytes: int) -> dict[str, Json] | None:
    """Read a state, under the rules of the native protocol. None is nowhere.

    Raises ProtocolError (malformed, too_large).
    """
    if len(text) > 2 * most_bytes:
        raise ProtocolError(Code.TOO_LARGE, f"A presence state has at most {most_bytes} bytes as JSON.")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise ProtocolError(Code.MALFORMED, "An awareness state is not JSON.") from None
    request = requests.decode_request("presence", [document_id, {"state": said}])
    return request.state if isinstance(request, requests.Presence) else None


def encode_step_1(state_vector: bytes) -> bytes:
    return bytes((Kind.SYNC, STEP_1)) + sized(state_vector)


def step_2_head(size: int) -> bytes:
    """Return what stands before the missing update, which has so many bytes."""
    return bytes((Kind.SYNC, STEP_2)) + varuint(size)


def encode_update(update: bytes) -> bytes:
    return bytes((Kind.SYNC, UPDATE)) + sized(update)


def encode_denied(reason: str) -> bytes:
    """Encode a refusal, which clients show in their console and nowhere else."""
    return bytes((Kind.AUTH, DENIED)) + sized(reason.encode())


def encode_states(states: Iterable[tuple[ClientId, int, Mapping[str, Json] | None]]) -> bytes:
    """Encode states, each with its client id and clock, as an awareness update."""
    entries = [
        varuint(client_id) + varuint(clock) + sized(json.dumps(state, separators=(",", ":")).encode())
        for client_id, clock, state in states
    ]
    return varuint(len(entries)) + b"".join(entries)


def encode_awareness(states: bytes) -> bytes:
    """Encode an awareness update as a message."""
    return bytes((Kind.AWARENESS,)) + sized(states)
