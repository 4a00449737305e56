"""Messages of the native protocol: what the server says, the values in it, and both as JSON.

Pure. A message becomes an event's name and its arguments, which are JSON values in which bytes may
stand (Socket.IO attachments). What is told to many people is `Written` text. How all of this
travels is the gateway's affair. The client's side is crdt/protocol/requests.py. server/PROTOCOL.md
is the reference for both.
"""

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Annotated, Literal, NewType, assert_never

import orjson
from msgspec import Meta, Struct, to_builtins
from msgspec.structs import replace

from crdt.errors import Code, EpochChanged, ManyhandsError, ProtocolError
from crdt.ids import MAX_CLIENT_ID, ClientId, DocumentId, Epoch, PresenceId, Seq
from crdt.permissions import Role as Role
from crdt.permissions import share_of
from crdt.protocol.cursors import Place, shorten
from crdt.protocol.links import heirs_as_json
from crdt.yjs.varint import MAX_SAFE

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

Request = NewType("Request", object)
"""A door's mark for one awaited answer; opaque to everybody else.

None stands for a request without an awaited answer.
"""


class User(Struct, frozen=True, rename={"user_id": "id"}):
    """A person, as the server vouches for them. `color` is `#rrggbb`."""

    user_id: str
    name: str
    color: str


_write_json = json.JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True)
class PresenceChange:
    """One session's presence as others see it. With `state` None, the session is gone."""

    presence_id: PresenceId
    client_id: ClientId
    user: User
    state: dict[str, Json] | None

    @cached_property
    def text(self) -> str:
        """The change as JSON, in ASCII.

        Written once for everybody who is told of the change: now, on joining later, or by another
        node.
        """
        who = f'"client_id":{self.client_id},"user":{_write_json(to_builtins(self.user))}'
        return f'{{"presence_id":{self.presence_id},{who},"state":{self._state_text}}}'

    @cached_property
    def move_text(self) -> str:
        """The change for those who know already whose session this is."""
        return f'{{"presence_id":{self.presence_id},"state":{self._state_text}}}'

    def short_text(self, *, rest: bool) -> str:
        """The same in short, from protocol 3 on.

        `rest`: with what the state has beside the cursor.
        """
        if self._cursor is None:
            return self.move_text
        return f"[{self.presence_id},{_write_json(self._cursor)}{',' + self.rest if rest else ''}]"

    @cached_property
    def rest(self) -> str:
        """What the state has beside its cursor, as JSON; empty if the cursor is not shortened."""
        if self.state is None or self._cursor is None:
            return ""
        return _write_json({key: value for key, value in self.state.items() if key != "cursor"})

    @cached_property
    def _cursor(self) -> list[Place] | None:
        return None if self.state is None else shorten(self.state)

    @cached_property
    def _state_text(self) -> str:
        return _write_json(self.state)


def write_changes(changes: Sequence[PresenceChange]) -> str:
    """Write a list of changes as JSON."""
    return f"[{','.join([change.text for change in changes])}]"


Durability = Literal["ok", "waiting"]

MAX_FORMAT_VERSION = 1_000_000
"""Greatest version of a format."""


class Limits(Struct, frozen=True):
    """Limits of what a room accepts, in bytes unless said otherwise. Every join announces some.

    Attributes:
        update_bytes: one batch, however it arrives.
        part_bytes: one message with document content in it, either way; larger things travel in
            parts.
        presence_bytes: one presence state as JSON. A cursor, a selection and a name fit many times
            over.
        document_bytes: content a document may grow to (sum of accepted batches since its snapshot,
            and the snapshot).
        waiting_bytes: batches of one room that wait for the store; past it updates are refused as
            `unavailable`.
        backlog_bytes: unsent data of one connection; past it the session falls behind.
        members: sessions in one room.
    """

    update_bytes: int = 16 * 2**20
    part_bytes: int = 256 * 2**10
    presence_bytes: int = 4096
    document_bytes: int = 20 * 2**20
    waiting_bytes: int = 20 * 2**20
    backlog_bytes: int = 2 * 2**20
    members: int = 2000

    def for_suggestions(self) -> "Limits":
        """Return the limits for people who only suggest: the rest is kept for those who write."""
        suggests = Role.COMMENTER
        return replace(
            self,
            document_bytes=share_of(self.document_bytes, suggests),
            waiting_bytes=share_of(self.waiting_bytes, suggests),
        )


class Format(Struct, frozen=True):
    """A format of rich text: which nodes, marks and attributes it may hold.

    Each version knows everything that the versions of the same name before it know.
    """

    name: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9@/_.-]{1,64}\Z")]
    version: Annotated[int, Meta(ge=1, le=MAX_FORMAT_VERSION)]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Directional marks, which are taken out of titles.

A mark that is left open turns the text after it on the page, so one title could pass for another.
"""


def clean_text(text: str) -> str:
    """Normalise to NFC on one line, and trim the spaces.

    Control characters become spaces. Directional marks and lone surrogates are dropped.
    """
    kept = "".join(map(_kept, text))
    return " ".join(unicodedata.normalize("NFC", kept).split())


def _kept(character: str) -> str:
    match unicodedata.category(character):
        case "Cc" | "Zl" | "Zp":
            return " "
        case "Cs":
            return ""
        case _:
            return "" if character in _TURNING else character


class DocumentInfo(Struct, frozen=True):
    """The part of the catalogue that an open page shows.

    Attributes:
        trashed_at: ISO 8601.
        format: the format of the rich text; None until a writer has declared one.
        any_format: whether the owner lets sessions of other formats write the rich text.
    """

    title: str
    trashed_at: str | None
    format: Format | None = None
    any_format: bool = False

    def is_known_to(self, declared: Format | None) -> bool:
        """Whether a session that declares this format, or none, may write the rich text."""
        present = self.format
        if present is None or self.any_format:
            return True
        return declared is not None and declared.name == present.name and declared.version >= present.version

    def is_raised_by(self, declared: Format | None) -> bool:
        """Whether the next edit of a session that declares this, or nothing, sets or raises it."""
        if declared is None:
            return False
        present = self.format
        return present is None or (declared.name == present.name and declared.version > present.version)

    def check_change(self) -> None:
        """Raise ProtocolError(forbidden) if nobody may change the document now."""
        if self.trashed_at is not None:
            raise ProtocolError(Code.FORBIDDEN, "The document is in the trash. Restore it to change it.")


class JoinRequest(Struct, frozen=True):
    """A client's words on joining.

    Attributes:
        state_vector: Yjs v1 bytes, unchecked.
        key: see "Client ids" in PROTOCOL.md.
        seq: the client has everything of this epoch's log up to this row.
        after: the last row that the client has applied.
        format: the format that the client's editor knows; None if it does not say.
    """

    state_vector: bytes
    client_id: Annotated[ClientId, Meta(ge=0, le=MAX_CLIENT_ID)]
    key: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]{16,64}\Z")] | None = None
    epoch: Annotated[Epoch, Meta(ge=0, le=MAX_SAFE)] | None = None
    seq: Annotated[Seq, Meta(ge=0, le=MAX_SAFE)] | None = None
    after: Annotated[Seq, Meta(ge=0, le=MAX_SAFE)] | None = None
    format: Format | None = None


class JoinAnswer(Struct, frozen=True):
    """Everything that a session needs to begin.

    Attributes:
        missing: the missing update. Empty for a client that lacks nothing. None if it comes in
            `chunk_count` parts of together `chunk_bytes`.
        state_vector: empty if the client lacks nothing and has nothing more either.
        set_aside: how many changes are kept out of the document, because the document engine does
            not take them.
        heirs: which characters live on where since the row that the client has applied
            (crdt/protocol/links.py); empty if none, or if the client named no row.
        discussion: the version of the document's discussion.
    """

    role: Role
    missing: bytes | None
    chunk_count: int
    chunk_bytes: int
    state_vector: bytes
    seq: Seq
    epoch: Epoch
    presence: tuple[PresenceChange, ...]
    presence_id: PresenceId
    durability: Durability
    quarantined: bool
    set_aside: int = 0
    heirs: bytes = b""
    discussion: int = 0


class UpdateMessage(Struct, frozen=True):
    """Durable changes. All receivers share one object, so that it is encoded once.

    `heirs`: which characters live on where since this row (crdt/protocol/links.py).
    """

    seq: Seq
    batch: bytes
    heirs: bytes = b""


class PresenceMessage(Struct, frozen=True):
    """Sessions that came, moved or went.

    Attributes:
        moves: those of them that everybody who is told knows already.
        cursors: those of `moves` of which nothing but the cursor has changed.
    """

    changes: tuple[PresenceChange, ...]
    moves: frozenset[PresenceId] = frozenset()
    cursors: frozenset[PresenceId] = frozenset()

    def write(self, protocol: int) -> str:
        """Write the list of changes as JSON."""
        if protocol == 1:
            return write_changes(self.changes)
        return f"[{','.join([self._written(change, protocol) for change in self.changes])}]"

    def _written(self, change: PresenceChange, protocol: int) -> str:
        presence_id = change.presence_id
        if presence_id not in self.moves:
            return change.text
        return change.move_text if protocol == 2 else change.short_text(rest=presence_id not in self.cursors)


class ResyncMessage(Struct, frozen=True):
    """The session has missed updates and must join again."""


class RoleMessage(Struct, frozen=True):
    """The role of this person from now on."""

    role: Role


class DurabilityMessage(Struct, frozen=True):
    """Whether the store takes appends."""

    durability: Durability


class DocumentMessage(Struct, frozen=True):
    """The catalogue's entry changed."""

    info: DocumentInfo


class AccessMessage(Struct, frozen=True):
    """Who has access, or asks for it, was changed."""


class DiscussionMessage(Struct, frozen=True):
    """The document's discussion was changed, and has this version now."""

    version: int


BROADCAST_BYTES = 64 * 2**10
"""Most bytes of a broadcast: applications tell each other what has happened, and send no files."""


class BroadcastMessage(Struct, frozen=True):
    """A text of somebody's application to everybody else who has the document open now.

    Nobody keeps it. `payload` is UTF-8.
    """

    payload: bytes
    user: User


class ClosedMessage(Struct, frozen=True):
    """This session is over; the connection stays."""

    code: Code
    message: str


ServerMessage = (
    UpdateMessage
    | PresenceMessage
    | ResyncMessage
    | RoleMessage
    | DurabilityMessage
    | DocumentMessage
    | AccessMessage
    | DiscussionMessage
    | BroadcastMessage
    | ClosedMessage
)
"""A message from a room to its sessions.

`draining` and `inbox` are the gateway's own events, because they concern connections.
"""


class Acknowledged(Struct, frozen=True):
    """A batch is durable at `seq`."""

    seq: Seq


class Refused(Struct, frozen=True):
    """A batch was not taken; `code` and `message` say why."""

    code: Code
    message: str


class Written(Struct, frozen=True):
    """A value that is JSON text already."""

    text: str


Value = None | bool | int | float | str | bytes | Written | User | list["Value"] | dict[str, "Value"]
"""One argument of an event or an ack. Bytes and `Written` stand alone or in objects, not in lists.
"""

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


def encode_message(  # noqa: PLR0911 - one for each message
    document_id: DocumentId, message: ServerMessage, protocol: int = 1
) -> tuple[str, list[Value]]:
    """Put what a room says into an event's name and arguments."""
    match message:
        case UpdateMessage(seq, batch, heirs):
            return "update", [document_id, seq, batch, *([Written(heirs_as_json(heirs))] if heirs else [])]
        case PresenceMessage():
            return "presence", [document_id, Written(message.write(protocol))]
        case ResyncMessage():
            return "resync", [document_id]
        case RoleMessage(role):
            return "role", [document_id, role.value]
        case DurabilityMessage(durability):
            return "durability", [document_id, durability]
        case DocumentMessage(info):
            return "document", [document_id, _written_info(info)]
        case AccessMessage():
            return "access", [document_id]
        case DiscussionMessage(version):
            return "discussion", [document_id, version]
        case BroadcastMessage(payload, user):
            return "broadcast", [document_id, payload, user]
        case ClosedMessage(code, sentence):
            return "closed", [document_id, {"code": code.value, "message": sentence}]
        case _:
            assert_never(message)


def encode_draining(after_ms: int) -> tuple[str, list[Value]]:
    """Put the gateway's own event into its name and arguments."""
    return "draining", [{"after_ms": after_ms}]


def encode_inbox() -> tuple[str, list[Value]]:
    """Put the news that a person's inbox has changed into an event's name and arguments."""
    return "inbox", []


def encode_join_answer(answer: JoinAnswer, info: DocumentInfo, limits: Limits) -> dict[str, Value]:
    """Put the answer to a join into the one value of its ack.

    A client that lacks nothing is told only what it may not know.
    """
    lacks_nothing = answer.missing == b""
    value: dict[str, Value] = {
        "role": answer.role.value,
        "missing": None if lacks_nothing else answer.missing,
        "seq": answer.seq,
        "epoch": answer.epoch,
        "presence": Written(write_changes(answer.presence)),
        "presence_id": answer.presence_id,
        "document": _written_info(info),
    }
    if answer.discussion:
        value["discussion"] = answer.discussion
    if answer.heirs:
        value["heirs"] = Written(heirs_as_json(answer.heirs))
    told: dict[str, Value] = {
        "state_vector": answer.state_vector,
        "durability": answer.durability,
        "quarantined": answer.quarantined,
        "set_aside": answer.set_aside,
    }
    if lacks_nothing:
        return value | {name: each for name, each in told.items() if each and each != "ok"}
    chunks: Value = None if answer.missing is not None else {"count": answer.chunk_count, "bytes": answer.chunk_bytes}
    return value | told | {"chunks": chunks, "limits": _written_limits(limits)}


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
    """Put the page's part of the catalogue into JSON. A format is named once there is one."""
    said: dict[str, Value] = {"title": info.title, "trashed_at": info.trashed_at}
    if info.format is not None:
        said["format"] = {"name": info.format.name, "version": info.format.version}
    if info.any_format:
        said["any_format"] = True
    return said
