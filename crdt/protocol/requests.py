"""Requests of clients: an event's name and arguments from a stranger become one typed request.

Pure. Arguments are JSON values in which bytes may stand (Socket.IO attachments). How they travelled
is the gateway's affair. Decoding is strict. It gives a request, or raises ProtocolError with a
sentence that names the argument, and nothing else. Unknown keys of an object are ignored, so that
clients may be newer than the server. Sizes are not checked here, because the gateway and the room
know the limits. The gate checks whether update bytes are sound.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct, ValidationError, convert

from crdt.budget import Account, Lease
from crdt.errors import Code, GivenUp, ProtocolError
from crdt.ids import ID_PATTERN, DocumentId, Seq
from crdt.protocol.messages import MAX_FORMAT_VERSION, JoinRequest, Json
from crdt.yjs.varint import MAX_SAFE

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

_PATH = re.compile(r"field `(\w+)`|`\$(?:\.request)?\.([\w.]+)`")

STATE_DEPTH = 16
"""Levels of lists and objects in a presence state. People's cursors need three."""


NEWEST_PROTOCOL = 3
"""The newest protocol that this server speaks."""

MAX_LINK = 200
"""Characters of a link's token. Ours have 22."""

_Id = Annotated[DocumentId, Meta(pattern=ID_PATTERN)]
_Row = Annotated[Seq, Meta(ge=0, le=MAX_SAFE)]
_Count = Annotated[int, Meta(ge=0, le=MAX_SAFE)]
# The authenticator says whether this is a token. Only this much must hold for any token.
_Token = Annotated[str, Meta(pattern=r"\A[\0-\x7f]*\Z")]

_BINARY, _INTEGER = "binary", f"an integer from 0 to {MAX_SAFE}"
_WANTED: Mapping[str, str] = {
    "document_id": "a string of 8 to 64 letters, digits, - or _",
    "key": "a string of 16 to 64 letters, digits, - or _",
    "link": f"a string of at most {MAX_LINK} characters",
    "token": "a string of ASCII characters",
    "name": "a string",
    "color": "a string",
    "guest": "an object",
    "state": "an object, or null for a cursor that is nowhere",
    "protocol": "1, 2 or 3",
    "newest": "an integer from 1",
    "format": "an object with a name and a version",
    "format.name": "a string of 1 to 64 letters, digits, @, /, _, . or -",
    "format.version": f"an integer from 1 to {MAX_FORMAT_VERSION}",
    **dict.fromkeys(("state_vector", "batch", "part", "payload"), _BINARY),
    **dict.fromkeys(("client_id", "epoch", "seq", "after", "index", "offset", "total"), _INTEGER),
}
"""What an argument must be, in the words of a refusal."""


class Guest(Struct, frozen=True):
    """A person without an account, in their own words, not yet fit to be shown to others."""

    name: str | None = None
    color: str | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """Take part in a document from now on. `link` is the token that came with its address."""

    document_id: _Id
    request: JoinRequest
    link: Annotated[str, Meta(max_length=MAX_LINK)] | None = field(default=None, repr=False)


class Fetch(Struct, frozen=True):
    """Ask for one part of an announced missing update."""

    document_id: _Id
    index: _Count


class Update(Struct, frozen=True):
    """A batch (crdt.protocol.batch.encode_batch), unchecked.

    `after`: the last row that its author had applied on making it; None if they do not say.
    """

    document_id: _Id
    batch: bytes
    after: _Row | None = None


class Upload(Struct, frozen=True):
    """One part of a batch of `total` bytes. The part belongs at `offset`.

    `after`: as in `Update`.
    """

    document_id: _Id
    offset: _Count
    total: _Count
    part: bytes
    after: _Row | None = None


class Presence(Struct, frozen=True):
    """Where this session's cursor is. A `state` of None is nowhere."""

    document_id: _Id
    state: dict[str, Any] | None


class Broadcast(Struct, frozen=True):
    """Tell everybody else in the document something. `payload` is unchecked."""

    document_id: _Id
    payload: bytes


class Leave(Struct, frozen=True):
    """Take part no longer."""

    document_id: _Id


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Another name for this connection's guest, or a fresh token for the same person.

    One of the two is None.
    """

    guest: Guest | None = None
    token: _Token | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Greeting:
    """The payload of a CONNECT: what a guest says of themselves, and a token, if there is one.

    `protocol`: the newest one that both sides speak.
    """

    guest: Guest
    token: _Token | None = field(default=None, repr=False)
    protocol: int = 1


ClientRequest = Join | Fetch | Update | Upload | Presence | Broadcast | Leave | Authenticate

_JOIN = "{state_vector, client_id, key?, epoch?, seq?, after?, link?, format?}"
_FORMS: Mapping[str, tuple[type[ClientRequest], tuple[tuple[str, ...], ...]]] = {
    "join": (Join, (("document_id", _JOIN),)),
    "fetch": (Fetch, (("document_id", "{index}"),)),
    "update": (Update, (("document_id", "batch"), ("document_id", "after", "batch"))),
    "upload": (Upload, (("document_id", "{offset, total, after?}", "part"),)),
    "presence": (Presence, (("document_id", "{state}"),)),
    "broadcast": (Broadcast, (("document_id", "payload"),)),
    "leave": (Leave, (("document_id",),)),
    "authenticate": (Authenticate, (("{guest} or {token}",),)),
}
"""The events: what each becomes, and its arguments, in all forms. Braces stand for an object."""

CLIENT_EVENTS = frozenset(_FORMS)


class _Connect(Struct, frozen=True):
    guest: Guest | None = None
    token: _Token | None = None
    protocol: Literal[1, 2, 3] | None = None
    newest: Annotated[int, Meta(ge=1)] | None = None


def decode_request(event: object, arguments: Sequence[object]) -> ClientRequest:
    """Decode a client's event; raises ProtocolError(unknown_event or malformed)."""
    if not isinstance(event, str) or event not in _FORMS:
        raise ProtocolError(Code.UNKNOWN_EVENT, "This protocol has no such event.")
    request = _converted(_named(event, arguments), _FORMS[event][0])
    match request:
        case Join(link=""):
            return replace(request, link=None)
        case Presence(document_id, dict() as state):
            return Presence(document_id, _json_object(state, STATE_DEPTH))
        case Authenticate(guest, None | ""):
            return Authenticate(guest or Guest())
        case Authenticate(Guest()):
            raise _malformed("`authenticate` takes `guest` or `token`, not both.")
        case _:
            return request


def decode_connect(payload: object) -> Greeting:
    """Read a CONNECT packet's payload, which may be absent; raises ProtocolError(malformed)."""
    told = _converted({} if payload is None else _object(payload, "The connection's payload"), _Connect)
    protocol = min(max(told.protocol or 1, told.newest or 1), NEWEST_PROTOCOL)
    return Greeting(told.guest or Guest(), told.token or None, protocol)


def _named(event: str, arguments: Sequence[object]) -> dict[str, object]:
    """Give each argument its name. An object's members are arguments as well."""
    form, shapes = _FORMS[event]
    names = next((shape for shape in shapes if len(shape) == len(arguments)), None)
    if names is None:
        numbers = " or ".join(("one", "two", "three")[len(shape) - 1] for shape in shapes)
        plural = "" if numbers == "one" else "s"
        raise _malformed(f"`{event}` takes {numbers} argument{plural}: {', '.join(shapes[-1])}.")
    given = dict(zip(names, arguments, strict=True))
    for name in names:
        if name.startswith("{"):
            members = _object(given.pop(name), f"The argument {name} of `{event}`")
            given = {**members, "request": members, **given} if form is Join else {**members, **given}
    return given


def _converted(given: Mapping[str, object], form: type[T]) -> T:
    """Make a request of what has its fields' names, strictly, and ignore the rest."""
    fields = {name: given[name] for name in form.__annotations__ if name in given}
    try:
        return convert(fields, form, builtin_types=(bytes,))
    except ValidationError as error:
        path = _PATH.search(str(error))
        name = "an argument" if path is None else path[1] or path[2]
        wanted = _WANTED.get(name) or _WANTED.get(name.rpartition(".")[2], "of another form")
        raise _malformed(f"`{name}` must be {wanted}.") from None
    except UnicodeEncodeError:
        raise _malformed("Half of a surrogate pair is no character.") from None


def _malformed(sentence: str) -> ProtocolError:
    return ProtocolError(Code.MALFORMED, sentence)


def _object(value: object, what: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _malformed(f"{what} must be an object.")
    return value


def _json_object(value: dict[str, object], depth: int) -> dict[str, Json]:
    if depth == 0:
        raise _malformed(f"`state` is nested more than {STATE_DEPTH} levels deep.")
    if "_placeholder" in value:
        # Relayed beside an attachment, the object would pass for one. The receivers' Socket.IO
        # parsers throw then, and disconnect.
        raise _malformed("`state` must not have the key `_placeholder`.")
    return {key: _json(item, depth - 1) for key, item in value.items()}


def _json(value: object, depth: int) -> Json:
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            # Python would write it as a word that no browser can parse.
            if not isfinite(value):
                raise _malformed("`state` holds a number that JSON cannot.")
            return value
        case list():
            if depth == 0:
                raise _malformed(f"`state` is nested more than {STATE_DEPTH} levels deep.")
            return [_json(item, depth - 1) for item in value]
        case dict():
            return _json_object(value, depth)
        case _:
            raise _malformed("`state` must be plain JSON without binary.")


PART_SECONDS = 30.0
"""Seconds from one part to the next. A part of 256 KiB takes this long at 9 kB/s."""

BYTES_PER_SECOND = 16 * 2**10
"""Slowest pace of an upload. A slower one would hold its memory for too long."""


class _Open(Struct, eq=False):
    total: int
    lease: Lease
    received: bytearray = msgspec.field(default_factory=bytearray)


class Whole(Struct, frozen=True):
    """A batch that has come whole. Its receiver releases the lease after working with the batch."""

    batch: bytes
    lease: Lease


class Uploads:
    """One connection's uploads, at most one per document: parts are put together in order.

    An upload is paid for from its sender's share of memory, and forgotten at the first mistake.

    `part_bytes` bounds one part. `most_bytes` bounds one upload, and also all that this connection
    holds open together. `account` pays.
    """

    def __init__(self, part_bytes: int, most_bytes: int, account: Account) -> None:
        self._part_bytes = part_bytes
        self._most_bytes = most_bytes
        self._account = account
        self._open: dict[DocumentId, _Open] = {}
        self._given_up: dict[DocumentId, str] = {}
        """Why an upload was given up, until it is begun again."""

    @property
    def held_bytes(self) -> int:
        """Bytes received of uploads that are not complete."""
        return sum(len(upload.received) for upload in self._open.values())

    def receive(self, upload: Upload) -> Whole | int:
        """Take the next part.

        Return the whole batch with the last part, else the bytes received so far. Offset 0 begins
        anew. Raises ManyhandsError, and then the document's upload is forgotten. GivenUp says that
        it was given up before.
        """
        document_id = upload.document_id
        begun = self._open.pop(document_id, None)
        if begun is not None and upload.offset == 0:
            begun.lease.release()
            begun = None
        try:
            if begun is None:
                begun = self._begin(upload)
            self._add(begun, upload)
        except BaseException:
            if begun is not None:
                begun.lease.release()
            raise
        if len(begun.received) == begun.total:
            begun.lease.keep()
            return Whole(bytes(begun.received), begun.lease)
        self._open[document_id] = begun
        return len(begun.received)

    def _begin(self, upload: Upload) -> _Open:
        why = self._given_up.pop(upload.document_id, None)
        if upload.offset > 0:
            raise GivenUp(why) if why is not None else _out_of_order()
        if upload.total > self._most_bytes:
            raise self._too_large()
        begun = _Open(upload.total, self._account.lease(lambda why: self._lose(upload.document_id, why)))
        begun.lease.last(PART_SECONDS, at_most=PART_SECONDS + upload.total / BYTES_PER_SECOND)
        return begun

    def _add(self, begun: _Open, upload: Upload) -> None:
        part = upload.part
        if begun.total != upload.total or len(begun.received) != upload.offset:
            raise _out_of_order()
        if len(part) > self._part_bytes:
            raise ProtocolError(Code.TOO_LARGE, f"A part has at most {self._part_bytes} bytes.")
        if self.held_bytes + upload.offset + len(part) > self._most_bytes:
            raise self._too_large()
        if not part or upload.offset + len(part) > upload.total:
            raise ProtocolError(Code.MALFORMED, "`part` is empty or reaches past `total`.")
        begun.lease.grow(len(part))
        begun.lease.last(PART_SECONDS)
        begun.received += part

    def _too_large(self) -> ProtocolError:
        return ProtocolError(
            Code.TOO_LARGE, f"Uploads have at most {self._most_bytes} bytes, all of a connection together."
        )

    def _lose(self, document_id: DocumentId, why: str) -> None:
        del self._open[document_id]
        self._given_up[document_id] = why

    def forget(self, document_id: DocumentId) -> None:
        """Drop what was received for a document."""
        self._given_up.pop(document_id, None)
        if (upload := self._open.pop(document_id, None)) is not None:
            upload.lease.release()

    def forget_all(self) -> None:
        """Drop everything, because the connection is gone."""
        for document_id in list(self._open):
            self.forget(document_id)


def _out_of_order() -> ProtocolError:
    return ProtocolError(Code.MALFORMED, "`offset` or `total` does not continue the upload; begin again at 0.")
