"""Hints as bytes: `version • varUint(length) • node id • kind • body`, so that a node knows its own by their first bytes.

A batch's body is `varUint(epoch) • varUint(seq) • varUint(people)`, then, when the batch travels
along, how many client ids it bound, `varUint(client id) • key hash (16 bytes)` of each, and the
batch itself; that of a change of access is `varUint(version)`, that of a beat nothing or the node's
name in the settings; the other bodies are JSON. Decoding is strict: bytes become a hint or raise
ProtocolError, nothing else. A node of another version says things that this one does not
understand: they raise as well, and are read from the log instead.
"""

import json
from collections.abc import Callable
from typing import Any, assert_never

from crdt.errors import Code, ProtocolError
from crdt.ids import MAX_CLIENT_ID, ClientId, Epoch, NodeId, PresenceId, Seq
from crdt.protocol.answers import encode_info
from crdt.protocol.hints import (
    AccessHint,
    BatchHint,
    Beat,
    ClosedHint,
    DocumentHint,
    Hint,
    PresenceHint,
    PresenceWhole,
)
from crdt.protocol.messages import DocumentInfo, PresenceChange, User, write_changes
from crdt.protocol.row import AuthorKeys
from crdt.yjs.varint import MAX_SAFE, read_varuint, write_varuint

VERSION = 3
_BATCH, _SEQ, _PRESENCE, _WHOLE, _ASKING, _DOCUMENT, _CLOSED, _BEAT, _LEAVING, _ACCESS, _NAME = range(11)
_EMPTY: dict[int, Hint] = {_BEAT: Beat(), _LEAVING: Beat(leaving=True)}
_MAX_NODE_ID = 64
_KEY_BYTES = 16


def sender_prefix(node: NodeId) -> bytes:
    """The bytes that everything this node says begins with."""
    name = node.encode()
    if not 0 < len(name) <= _MAX_NODE_ID:
        raise ValueError(f"A node id has 1 to {_MAX_NODE_ID} bytes.")
    return bytes((VERSION, len(name))) + name


def encode_hint(prefix: bytes, hint: Hint) -> bytes:
    """Put a hint behind its sender's prefix."""
    out = bytearray(prefix)
    match hint:
        case BatchHint():
            _append_batch(out, hint)
        case PresenceHint(changes):
            _append_text(out, _PRESENCE, write_changes(changes))
        case PresenceWhole(people, asks):
            _append_text(out, _ASKING if asks else _WHOLE, write_changes(people))
        case DocumentHint(info):
            _append(out, _DOCUMENT, encode_info(info))
        case AccessHint(version):
            out.append(_ACCESS)
            write_varuint(version, out)
        case ClosedHint(code, message):
            _append(out, _CLOSED, {"code": code.value, "message": message})
        case Beat(leaving, called):
            out.append(_LEAVING if leaving else _NAME if called else _BEAT)
            out += b"" if leaving else called.encode()
        case _:
            assert_never(hint)
    return bytes(out)


def _append_batch(out: bytearray, hint: BatchHint) -> None:
    out.append(_SEQ if hint.batch is None else _BATCH)
    write_varuint(hint.epoch, out)
    write_varuint(hint.seq, out)
    write_varuint(hint.people, out)
    if hint.batch is not None:
        write_varuint(len(hint.author_keys), out)
        for client_id, key_hash in hint.author_keys:
            write_varuint(client_id, out)
            out += key_hash
        out += hint.batch


def _append(out: bytearray, kind: int, body: object) -> None:
    _append_text(out, kind, json.dumps(body, separators=(",", ":")))


def _append_text(out: bytearray, kind: int, text: str) -> None:
    out.append(kind)
    out += text.encode()


def decode_hint(data: bytes) -> tuple[NodeId, Hint]:
    """Take a hint apart: who says it, and what; raises ProtocolError(malformed)."""
    length = data[1] if len(data) > 1 and data[0] == VERSION else 0
    if not 0 < length <= _MAX_NODE_ID or len(data) < length + 3:
        raise _malformed("A hint begins with its version and its sender.")
    try:
        node = NodeId(data[2 : length + 2].decode())
    except UnicodeDecodeError:
        raise _malformed("A node id is text.") from None
    return node, _decode_body(data[length + 2], data, length + 3)


def _decode_body(kind: int, data: bytes, at: int) -> Hint:
    if kind in (_BATCH, _SEQ):
        return _decode_batch(kind, data, at)
    if kind == _ACCESS:
        version, at = read_varuint(data, at)
        return _whole(AccessHint(version), data, at)
    if kind == _NAME:
        return Beat(called=_name(data[at:]))
    if kind in _EMPTY:
        return _whole(_EMPTY[kind], data, at)
    decoder = _DECODERS.get(kind)
    if decoder is None:
        raise _malformed("There is no such kind of hint.")
    try:
        return decoder(json.loads(data[at:], parse_constant=_no_number))
    except (ValueError, RecursionError, KeyError, TypeError):
        raise _malformed("The hint's body does not have its form.") from None


def _name(data: bytes) -> str:
    try:
        name = data.decode()
    except UnicodeDecodeError:
        raise _malformed("A node's name is text.") from None
    if not name:
        raise _malformed("A node that names itself has a name.")
    return name


def _whole(hint: Hint, data: bytes, at: int) -> Hint:
    if at != len(data):
        raise _malformed("Something follows the end of a hint.")
    return hint


def _decode_batch(kind: int, data: bytes, at: int) -> BatchHint:
    epoch, at = read_varuint(data, at)
    seq, at = read_varuint(data, at)
    people, at = read_varuint(data, at)
    author_keys, at = _decode_keys(data, at) if kind == _BATCH else ((), at)
    if (at == len(data)) is (kind == _BATCH) or seq == 0:
        raise _malformed("A row has a place in the log, and a batch unless it is said to be too large.")
    return BatchHint(Epoch(epoch), Seq(seq), data[at:] if kind == _BATCH else None, author_keys, people)


def _decode_keys(data: bytes, at: int) -> tuple[AuthorKeys, int]:
    count, at = read_varuint(data, at)
    if count > (len(data) - at) // (_KEY_BYTES + 1):
        raise _malformed("A hint ends inside the keys of client ids.")
    author_keys: list[tuple[ClientId, bytes]] = []
    for _ in range(count):
        client_id, at = read_varuint(data, at)
        key_hash = data[at : at + _KEY_BYTES]
        if client_id > MAX_CLIENT_ID or len(key_hash) < _KEY_BYTES:
            raise _malformed("A client id is bound to a key of 16 bytes.")
        author_keys.append((ClientId(client_id), key_hash))
        at += _KEY_BYTES
    return tuple(author_keys), at


def _no_number(_name: str) -> None:
    raise ValueError


def _people(body: Any) -> tuple[PresenceChange, ...]:
    return tuple(_change(each) for each in _a(list, body))


def _change(body: dict[str, Any]) -> PresenceChange:
    user, state = body["user"], body["state"]
    person = User(*(_a(str, user[key]) for key in ("id", "name", "color")))
    presence_id, client_id = _integer(body["presence_id"], MAX_SAFE), _integer(body["client_id"], MAX_CLIENT_ID)
    return PresenceChange(
        PresenceId(presence_id), ClientId(client_id), person, None if state is None else _a(dict, state)
    )


def _info(body: dict[str, Any]) -> DocumentInfo:
    trashed_at = body["trashed_at"]
    return DocumentInfo(_a(str, body["title"]), None if trashed_at is None else _a(str, trashed_at))


def _integer(value: Any, most: int) -> int:
    if isinstance(value, bool) or not 0 <= _a(int, value) <= most:
        raise ValueError
    return int(value)


def _a(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise TypeError
    return value


_DECODERS: dict[int, Callable[[Any], Hint]] = {
    _PRESENCE: lambda body: PresenceHint(_people(body)),
    _WHOLE: lambda body: PresenceWhole(_people(body)),
    _ASKING: lambda body: PresenceWhole(_people(body), asks=True),
    _DOCUMENT: lambda body: DocumentHint(_info(body)),
    _CLOSED: lambda body: ClosedHint(Code(_a(str, body["code"])), _a(str, body["message"])),
}


def _malformed(sentence: str) -> ProtocolError:
    return ProtocolError(Code.MALFORMED, sentence)
