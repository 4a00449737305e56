"""Hints: what nodes tell each other about a document or about themselves, also as bytes.

A hint holds nothing of value. A node that misses one finds out from the log. How hints travel is
the bus' affair (server/bus/base.py).

On the wire a hint is `version • length of the node id • node id • MessagePack array`. A node knows
its own hints by their first bytes. The array begins with the kind of hint. Presence is the one
exception: its JSON text was written already for clients, and travels as that text.

Decoding is strict. Bytes become a hint or raise ProtocolError, nothing else. A node of another
version says things that this node does not understand. They raise as well, and this node reads the
log instead.
"""

import json
from typing import Annotated, Any, NoReturn

from msgspec import DecodeError, Meta, Struct, convert
from msgspec.msgpack import Decoder, Encoder

from crdt.errors import Code, ProtocolError
from crdt.ids import MAX_CLIENT_ID, ClientId, Epoch, NodeId, PresenceId, Seq
from crdt.protocol.messages import BROADCAST_BYTES, DocumentInfo, PresenceChange, User, write_changes
from crdt.yjs.varint import MAX_SAFE

VERSION = 4
_MAX_NODE_ID = 64
_COUNT = Meta(ge=0, le=MAX_SAFE)
_CLIENT_ID = Meta(ge=0, le=MAX_CLIENT_ID)
_KEY_HASH = Meta(min_length=16, max_length=16)


class BatchHint(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=0):
    """A row was appended in this epoch of the document.

    Attributes:
        batch: None if it is too large to travel. The receiver reads it from the log.
        author_keys: client ids that the row bound (crdt/protocol/row.py).
        people: how many have the document open on the sender's node, because a row costs a frame
            for each of them too.
    """

    epoch: Annotated[Epoch, _COUNT]
    seq: Annotated[Seq, Meta(ge=1, le=MAX_SAFE)]
    batch: Annotated[bytes, Meta(min_length=1)] | None
    author_keys: tuple[tuple[Annotated[ClientId, _CLIENT_ID], Annotated[bytes, _KEY_HASH]], ...] = ()
    people: Annotated[int, _COUNT] = 0


class PresenceHint(Struct, frozen=True):
    """Presence changed on the sender's node."""

    changes: tuple[PresenceChange, ...]


class PresenceWhole(Struct, frozen=True):
    """Everybody with a cursor on the sender's node. Its other people, if it had any, are gone.

    `asks`: the sender has just opened the document, or may have missed something. It wants to hear
    the same from the others.
    """

    people: tuple[PresenceChange, ...]
    asks: bool = False


class DocumentHint(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=2):
    """The catalogue's entry changed."""

    info: DocumentInfo


class AccessHint(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=3):
    """Who has access was changed. `version` is the access list's own, as the store counts it."""

    version: Annotated[int, _COUNT]


class AskedHint(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=6):
    """Who asks for access was changed."""


class DiscussionHint(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=7):
    """The document's discussion was changed. `version` is its own, as the store counts it."""

    version: Annotated[int, _COUNT]


class InboxHint(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=8):
    """The inboxes of these people have changed."""

    user_ids: tuple[str, ...]


class BroadcastHint(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=9):
    """Somebody's application tells everybody something. `payload` is UTF-8."""

    payload: Annotated[bytes, Meta(max_length=BROADCAST_BYTES)]
    user: User


class ClosedHint(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=4):
    """The document was deleted, or began another epoch. Close its room."""

    code: Code
    message: str


class Beat(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=5):
    """The sender lives.

    Attributes:
        leaving: this is the sender's last word.
        called: its name in the settings, which it says now and then.
    """

    leaving: bool = False
    called: str = ""


Notice = DocumentHint | AccessHint | AskedHint | DiscussionHint | BroadcastHint | ClosedHint
"""News for the people of an open document on each node: of a deed, or from somebody."""

Hint = BatchHint | PresenceHint | PresenceWhole | Notice | Beat | InboxHint


class _Presence(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=1):
    """PresenceHint or PresenceWhole on the wire."""

    # JSON, because MessagePack holds neither integers beyond 64 bits nor lone surrogates. A
    # client's state may have both.
    text: str
    whole: bool
    asks: bool


class _Change(Struct):
    presence_id: Annotated[PresenceId, _COUNT]
    client_id: Annotated[ClientId, _CLIENT_ID]
    user: User
    state: dict[str, Any] | None


_encode = Encoder().encode
_decode = Decoder(BatchHint | _Presence | Notice | Beat | InboxHint).decode


def sender_prefix(node: NodeId) -> bytes:
    """Return the bytes that everything this node says begins with."""
    name = node.encode()
    if not 0 < len(name) <= _MAX_NODE_ID:
        raise ValueError(f"A node id has 1 to {_MAX_NODE_ID} bytes.")
    return bytes((VERSION, len(name))) + name


def encode_hint(prefix: bytes, hint: Hint) -> bytes:
    """Write a hint behind its sender's prefix."""
    match hint:
        case PresenceHint(changes):
            return prefix + _encode(_Presence(write_changes(changes), whole=False, asks=False))
        case PresenceWhole(people, asks):
            return prefix + _encode(_Presence(write_changes(people), whole=True, asks=asks))
        case _:
            return prefix + _encode(hint)


def decode_hint(data: bytes) -> tuple[NodeId, Hint]:
    """Take a hint apart into its sender and what it says; raises ProtocolError(malformed)."""
    length = data[1] if len(data) > 1 and data[0] == VERSION else 0
    if not 0 < length <= _MAX_NODE_ID or len(data) < length + 3:
        raise ProtocolError(Code.MALFORMED, "A hint begins with its version and its sender.")
    try:
        node, said = NodeId(data[2 : length + 2].decode()), _decode(memoryview(data)[length + 2 :])
        return node, _heard(said) if isinstance(said, _Presence) else said
    except (ValueError, RecursionError) as error:  # msgspec's errors are ValueErrors
        raise ProtocolError(Code.MALFORMED, f"The hint cannot be decoded: {str(error)[:200]}") from None


def _heard(said: _Presence) -> PresenceHint | PresenceWhole:
    found = convert(json.loads(said.text, parse_constant=_no_number), tuple[_Change, ...])
    people = tuple([PresenceChange(each.presence_id, each.client_id, each.user, each.state) for each in found])
    return PresenceWhole(people, said.asks) if said.whole else PresenceHint(people)


def _no_number(name: str) -> NoReturn:
    raise DecodeError(f"{name} is no number")
