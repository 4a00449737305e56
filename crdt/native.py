"""The server's side of the native protocol: messages and answers as an event's name and its arguments.

Pure: arguments are JSON values in which bytes may stand (Socket.IO attachments); how they travel is the gateway's affair. The
client's side is crdt/requests.py; server/PROTOCOL.md is the reference for both.
"""

from typing import assert_never, cast

from crdt.errors import EpochChanged, ManyhandsError
from crdt.ids import DocumentId
from crdt.protocol import (
    Acknowledged,
    ClosedMessage,
    DocumentInfo,
    DocumentMessage,
    DurabilityMessage,
    JoinAnswer,
    Limits,
    PresenceChange,
    PresenceMessage,
    Refused,
    ResyncMessage,
    RoleMessage,
    ServerMessage,
    UpdateMessage,
    User,
)

Value = None | bool | int | float | str | bytes | list["Value"] | dict[str, "Value"]
"""One argument of an event or an ack."""


def encode_message(document_id: DocumentId, message: ServerMessage) -> tuple[str, list[Value]]:
    """Put what a room says into an event's name and arguments."""
    match message:
        case UpdateMessage(seq, batch):
            return "update", [document_id, seq, batch]
        case PresenceMessage(changes):
            return "presence", [document_id, [encode_change(change) for change in changes]]
        case ResyncMessage():
            return "resync", [document_id]
        case RoleMessage(role):
            return "role", [document_id, role.value]
        case DurabilityMessage(durability):
            return "durability", [document_id, durability]
        case DocumentMessage(info):
            return "document", [document_id, encode_info(info)]
        case ClosedMessage(code, sentence):
            return "closed", [document_id, {"code": code.value, "message": sentence}]
        case _:
            assert_never(message)


def encode_draining(after_ms: int) -> tuple[str, list[Value]]:
    """Put the gateway's own event into name and arguments."""
    return "draining", [{"after_ms": after_ms}]


def encode_join_answer(answer: JoinAnswer, info: DocumentInfo, limits: Limits) -> dict[str, Value]:
    """Put the answer to a join into the one value of its ack."""
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
        "presence": [encode_change(change) for change in answer.presence],
        "presence_id": answer.presence_id,
        "document": encode_info(info),
        "durability": answer.durability,
        "quarantined": answer.quarantined,
        "limits": {
            "update_bytes": limits.update_bytes,
            "part_bytes": limits.part_bytes,
            "presence_bytes": limits.presence_bytes,
        },
    }


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


def encode_user(user: User) -> dict[str, Value]:
    """Put a person into JSON."""
    return {"id": user.user_id, "name": user.name, "color": user.color}


def encode_change(change: PresenceChange) -> dict[str, Value]:
    """Put one session's presence into JSON."""
    return {
        "presence_id": change.presence_id,
        "client_id": change.client_id,
        "user": encode_user(change.user),
        "state": cast("dict[str, Value] | None", change.state),
    }


def encode_info(info: DocumentInfo) -> dict[str, Value]:
    """Put the page's part of the catalogue into JSON."""
    return {"title": info.title, "trashed_at": info.trashed_at}
