"""Answers of the native protocol: what the server says, as an event's name and its arguments.

Pure. Arguments are JSON values in which bytes may stand (Socket.IO attachments). What is told to
many people is `Written` text. How arguments travel is the gateway's affair. The client's side is
crdt/protocol/requests.py. server/PROTOCOL.md is the reference for both.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import assert_never

import orjson
from msgspec import to_builtins

from crdt.errors import EpochChanged, ManyhandsError
from crdt.ids import DocumentId
from crdt.protocol.messages import (
    Acknowledged,
    ClosedMessage,
    DocumentInfo,
    DocumentMessage,
    DurabilityMessage,
    JoinAnswer,
    Limits,
    PresenceMessage,
    Refused,
    ResyncMessage,
    RoleMessage,
    ServerMessage,
    UpdateMessage,
    User,
    write_changes,
)


@dataclass(frozen=True, slots=True)
class Written:
    """A value that is JSON text already."""

    text: str


Value = None | bool | int | float | str | bytes | Written | User | list["Value"] | dict[str, "Value"]
"""One argument of an event or an ack. Bytes and `Written` stand alone or in objects, not in lists.
"""

_write_json = json.JSONEncoder(separators=(",", ":")).encode
_FOREIGN = re.compile("[^\x00-\x7f]+")


def write_arguments(arguments: Sequence[Value]) -> tuple[str, list[bytes]]:
    """Write an event's name and arguments, or an ack's value, as Socket.IO's JSON text.

    Return the text and the attachments that it refers to. The text is ASCII. No string may hold a
    lone surrogate, so strangers' texts come as `Written`.
    """
    attachments: list[bytes] = []

    def write(value: object) -> object:
        if isinstance(value, Written):
            return orjson.Fragment(value.text)
        if isinstance(value, User):
            return to_builtins(value)
        if not isinstance(value, bytes):
            raise TypeError
        attachments.append(value)
        return {"_placeholder": True, "num": len(attachments) - 1}

    # A dataclass is passed to `write`, which makes a Fragment of it.
    text = orjson.dumps(arguments, write, orjson.OPT_PASSTHROUGH_DATACLASS).decode()
    # orjson leaves characters as they are. A transport counts and masks ASCII at least cost.
    return text if text.isascii() else _FOREIGN.sub(_escaped, text), attachments


def _escaped(foreign: re.Match[str]) -> str:
    return _write_json(foreign[0])[1:-1]


def encode_message(document_id: DocumentId, message: ServerMessage) -> tuple[str, list[Value]]:
    """Put what a room says into an event's name and arguments."""
    match message:
        case UpdateMessage(seq, batch):
            return "update", [document_id, seq, batch]
        case PresenceMessage(changes):
            return "presence", [document_id, Written(write_changes(changes))]
        case ResyncMessage():
            return "resync", [document_id]
        case RoleMessage(role):
            return "role", [document_id, role.value]
        case DurabilityMessage(durability):
            return "durability", [document_id, durability]
        case DocumentMessage(info):
            return "document", [document_id, _written_info(info)]
        case ClosedMessage(code, sentence):
            return "closed", [document_id, {"code": code.value, "message": sentence}]
        case _:
            assert_never(message)


def encode_draining(after_ms: int) -> tuple[str, list[Value]]:
    """Put the gateway's own event into its name and arguments."""
    return "draining", [{"after_ms": after_ms}]


def encode_join_answer(answer: JoinAnswer, info: DocumentInfo, limits: Limits) -> dict[str, Value]:
    """Put the answer to a join into the one value of its ack.

    A client that lacks nothing is told only what it may not know.
    """
    if answer.missing == b"":
        return _brief_answer(answer, info)
    announced: Value = (
        None if answer.missing is not None else {"count": answer.chunk_count, "bytes": answer.chunk_bytes}
    )
    return {
        "role": answer.role.value,
        "missing": answer.missing,
        "chunks": announced,
        "state_vector": answer.state_vector,
        "seq": answer.seq,
        "epoch": answer.epoch,
        "presence": Written(write_changes(answer.presence)),
        "presence_id": answer.presence_id,
        "document": _written_info(info),
        "durability": answer.durability,
        "quarantined": answer.quarantined,
        "set_aside": answer.set_aside,
        "limits": _written_limits(limits),
    }


def _brief_answer(answer: JoinAnswer, info: DocumentInfo) -> dict[str, Value]:
    brief: dict[str, Value] = {
        "role": answer.role.value,
        "missing": None,
        "seq": answer.seq,
        "epoch": answer.epoch,
        "presence": Written(write_changes(answer.presence)),
        "presence_id": answer.presence_id,
        "document": _written_info(info),
    }
    if answer.state_vector:
        brief["state_vector"] = answer.state_vector
    if answer.durability != "ok":
        brief["durability"] = answer.durability
    if answer.quarantined:
        brief["quarantined"] = True
    if answer.set_aside:
        brief["set_aside"] = answer.set_aside
    return brief


@lru_cache(maxsize=64)  # when everybody comes back, they come to few documents
def _written_info(info: DocumentInfo) -> Written:
    return Written(_write_json(encode_info(info)))


@lru_cache(maxsize=4)
def _written_limits(limits: Limits) -> Written:
    names = ("update_bytes", "part_bytes", "presence_bytes")
    return Written(_write_json({name: getattr(limits, name) for name in names}))


def encode_answer(answer: Acknowledged | Refused) -> dict[str, Value]:
    """Put the outcome of an update into the one value of its ack."""
    match answer:
        case Acknowledged(seq):
            return {"seq": seq}
        case Refused(code, message):
            return {"error": {"code": code.value, "message": message}}


def encode_error(error: ManyhandsError) -> dict[str, Value]:
    """Put a refusal into the one value of an ack."""
    refusal: dict[str, Value] = {"error": {"code": error.code.value, "message": error.outward}}
    if isinstance(error, EpochChanged):
        refusal["epoch"] = error.epoch
    return refusal


def encode_info(info: DocumentInfo) -> dict[str, Value]:
    """Put the page's part of the catalogue into JSON."""
    return {"title": info.title, "trashed_at": info.trashed_at}
