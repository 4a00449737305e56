"""Messages of Hocuspocus, as its providers of the versions 2 to 4 send and read them.

Pure and strict, as yprotocols.py, whose messages of sync and awareness are the same here. A frame
is a *key*, which is the client's name for its document, and one message. With the option
`sessionAwareness` a key is the document's name, a zero and a random word of the provider.
"""

from dataclasses import dataclass, field
from enum import IntEnum

from msgspec import Struct

from crdt.errors import Code, ProtocolError
from crdt.protocol import yprotocols as y
from crdt.yjs.varint import read_varuint, sized


class Kind(IntEnum):
    """The number behind the key. Sync, awareness and its query are those of y-protocols."""

    AUTH = 2
    STATELESS = 5
    CLOSE = 7
    SYNC_STATUS = 8


TOKEN, DENIED, AUTHENTICATED = range(3)

PING, PONG = b"\x09", b"\x0a"
"""Whole frames, without a key."""

KEY_BYTES = 1200
"""Bytes of a key: a name's 255 characters, and a word of the provider."""

SEPARATOR = "\0"

WRONG_DOOR = "This is no message of Hocuspocus' providers. Those of y-websocket connect to /y."


@dataclass(frozen=True, slots=True)
class Token:
    """Says who somebody is; perhaps with an empty token.

    `tells_version`: whether the client is of version 4 or later.
    """

    token: str = field(repr=False)
    tells_version: bool


class Stateless(Struct, frozen=True):
    """A text of the application, which a server tells everybody else. `payload`: unchecked."""

    payload: bytes


class Close(Struct, frozen=True):
    """Leaves the document, and keeps the connection."""


Message = y.Message | Token | Stateless | Close


def decode(frame: bytes) -> tuple[str, Message]:
    """Take a frame apart; raises ProtocolError (malformed, unknown_event)."""
    raw, at = y.read_sized(frame, 0)
    if not 0 < len(raw) <= KEY_BYTES:
        raise ProtocolError(Code.MALFORMED, WRONG_DOOR)
    key = _text(raw)
    kind, at = read_varuint(frame, at)
    message, at = _read(kind, frame, at)
    if at != len(frame):
        raise ProtocolError(Code.MALFORMED, "A message has another length than it says.")
    return key, message


def _read(kind: int, frame: bytes, at: int) -> tuple[Message, int]:
    match kind:
        case Kind.AUTH:
            return _read_token(frame, at)
        case Kind.STATELESS:
            payload, at = y.read_sized(frame, at)
            return Stateless(payload), at
        case Kind.CLOSE:
            return Close(), at
        case y.Kind.SYNC | y.Kind.AWARENESS | y.Kind.QUERY_AWARENESS:
            return y.read_message(kind, frame, at)
        case _:
            raise ProtocolError(Code.UNKNOWN_EVENT, WRONG_DOOR)


def _read_token(frame: bytes, at: int) -> tuple[Token, int]:
    step, at = read_varuint(frame, at)
    if step != TOKEN:
        raise ProtocolError(Code.UNKNOWN_EVENT, "A client says its token, and nothing else, of who it is.")
    token, at = y.read_sized(frame, at)
    tells_version = at < len(frame)
    if tells_version:
        _, at = y.read_sized(frame, at)
    return Token(_text(token), tells_version), at


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise ProtocolError(Code.MALFORMED, "A text is not UTF-8.") from None


def name_of(key: str) -> str:
    """Return the document's name in a key."""
    return key.partition(SEPARATOR)[0]


# What a server says. All but PONG stands behind a key, as `head` writes it.


def head(key: str) -> bytes:
    return sized(key.encode())


def authenticated(*, may_write: bool) -> bytes:
    return bytes((Kind.AUTH, AUTHENTICATED)) + sized(b"read-write" if may_write else b"readonly")


def denied(reason: str) -> bytes:
    return bytes((Kind.AUTH, DENIED)) + sized(reason.encode())


def stateless(payload: bytes) -> bytes:
    return bytes((Kind.STATELESS,)) + sized(payload)


ASK_FOR_TOKEN = bytes((Kind.AUTH, TOKEN))
SAVED, NOT_SAVED = bytes((Kind.SYNC_STATUS, 1)), bytes((Kind.SYNC_STATUS, 0))
"""The answer to one update: it is durable, or the client may not write it."""


def closed(reason: str) -> bytes:
    return bytes((Kind.CLOSE,)) + sized(reason.encode())
