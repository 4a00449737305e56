"""Requests of clients: an event's name and arguments from a stranger become one typed request.

Pure. Arguments are JSON values in which bytes may stand (Socket.IO attachments). How they travelled
is the gateway's affair. Decoding is strict. It gives a request, or raises ProtocolError with a
sentence that names the argument, and nothing else. Unknown keys of an object are ignored, so that
clients may be newer than the server. Sizes are not checked here, because the gateway and the room
know the limits. The gate checks whether update bytes are sound.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

from crdt.budget import Account, Lease
from crdt.errors import Code, GivenUp, ProtocolError
from crdt.ids import MAX_CLIENT_ID, ClientId, DocumentId, Epoch, Seq, is_document_id
from crdt.protocol.messages import JoinRequest, Json
from crdt.yjs.varint import MAX_SAFE

STATE_DEPTH = 16
"""Levels of lists and objects in a presence state. People's cursors need three."""


MAX_LINK = 200
"""Characters of a link's token. Ours have 22."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A person without an account, in their own words, not yet fit to be shown to others."""

    name: str | None = None
    color: str | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """Take part in a document from now on. `link` is the token that came with its address."""

    document_id: DocumentId
    request: JoinRequest
    link: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask for one part of an announced missing update."""

    document_id: DocumentId
    index: int


@dataclass(frozen=True, slots=True)
class Update:
    """A batch (crdt.protocol.batch.encode_batch), unchecked.

    `after`: the last row that its author had applied on making it; None if they do not say.
    """

    document_id: DocumentId
    batch: bytes
    after: Seq | None = None


@dataclass(frozen=True, slots=True)
class Upload:
    """One part of a batch of `total` bytes. The part belongs at `offset`.

    `after`: as in `Update`.
    """

    document_id: DocumentId
    offset: int
    total: int
    part: bytes
    after: Seq | None = None


@dataclass(frozen=True, slots=True)
class Presence:
    """Where this session's cursor is. A `state` of None is nowhere."""

    document_id: DocumentId
    state: dict[str, Json] | None


@dataclass(frozen=True, slots=True)
class Leave:
    """Take part no longer."""

    document_id: DocumentId


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Another name for this connection's guest, or a fresh token for the same person.

    One of the two is None.
    """

    guest: Guest | None
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Greeting:
    """The payload of a CONNECT: what a guest says of themselves, and a token, if there is one."""

    guest: Guest
    token: str | None = field(default=None, repr=False)


ClientRequest = Join | Fetch | Update | Upload | Presence | Leave | Authenticate


def decode_request(event: object, arguments: Sequence[object]) -> ClientRequest:
    """Decode a client's event; raises ProtocolError(unknown_event or malformed)."""
    decoder = _DECODERS.get(event) if isinstance(event, str) else None
    if decoder is None:
        raise ProtocolError(Code.UNKNOWN_EVENT, "This protocol has no such event.")
    return decoder(arguments)


def decode_connect(payload: object) -> Greeting:
    """Read a CONNECT packet's payload, which may be absent; raises ProtocolError(malformed)."""
    if payload is None:
        return Greeting(Guest())
    payload = _object(payload, "The connection's payload")
    protocol = payload.get("protocol")
    if protocol is not None and protocol != 1:
        raise _malformed("`protocol` must be 1, the only version of this protocol.")
    return Greeting(_guest(payload.get("guest")), _token(payload.get("token")))


def _join(arguments: Sequence[object]) -> Join:
    document_id, options = _document_and(
        arguments, "join", "{state_vector, client_id, key?, epoch?, seq?, after?, link?}"
    )
    options = _object(options, "The second argument of `join`")
    epoch, seq, after = options.get("epoch"), options.get("seq"), options.get("after")
    key = options.get("key")
    if key is not None and not isinstance(key, str):
        raise _malformed("`key` must be a string.")
    request = JoinRequest(
        state_vector=_bytes(options.get("state_vector"), "`state_vector`"),
        client_id=ClientId(_integer(options.get("client_id"), "`client_id`", MAX_CLIENT_ID)),
        key=None if key is None else _key(key),
        epoch=None if epoch is None else Epoch(_integer(epoch, "`epoch`", MAX_SAFE)),
        seq=None if seq is None else Seq(_integer(seq, "`seq`", MAX_SAFE)),
        after=None if after is None else _after(after),
    )
    link = options.get("link")
    if link is not None and (not isinstance(link, str) or len(link) > MAX_LINK):
        raise _malformed(f"`link` must be a string of at most {MAX_LINK} characters.")
    return Join(document_id, request, link or None)


def _fetch(arguments: Sequence[object]) -> Fetch:
    document_id, options = _document_and(arguments, "fetch", "{index}")
    options = _object(options, "The second argument of `fetch`")
    return Fetch(document_id, _integer(options.get("index"), "`index`", MAX_SAFE))


def _update(arguments: Sequence[object]) -> Update:
    if len(arguments) == 3:
        return Update(_document_id(arguments[0]), _bytes(arguments[2], "`batch`"), _after(arguments[1]))
    if len(arguments) != 2:
        raise _malformed("`update` takes two or three arguments: document_id, after?, batch.")
    return Update(_document_id(arguments[0]), _bytes(arguments[1], "`batch`"))


def _upload(arguments: Sequence[object]) -> Upload:
    if len(arguments) != 3:
        raise _malformed("`upload` takes three arguments: document_id, {offset, total, after?}, part.")
    options = _object(arguments[1], "The second argument of `upload`")
    after = options.get("after")
    return Upload(
        document_id=_document_id(arguments[0]),
        offset=_integer(options.get("offset"), "`offset`", MAX_SAFE),
        total=_integer(options.get("total"), "`total`", MAX_SAFE),
        part=_bytes(arguments[2], "`part`"),
        after=None if after is None else _after(after),
    )


def _presence(arguments: Sequence[object]) -> Presence:
    document_id, options = _document_and(arguments, "presence", "{state}")
    options = _object(options, "The second argument of `presence`")
    if "state" not in options:
        raise _malformed("`state` is missing; it is null for a cursor that is nowhere.")
    state = options["state"]
    if state is None:
        return Presence(document_id, None)
    return Presence(document_id, _json_object(_object(state, "`state`"), STATE_DEPTH))


def _leave(arguments: Sequence[object]) -> Leave:
    if len(arguments) != 1:
        raise _malformed("`leave` takes one argument: document_id.")
    return Leave(_document_id(arguments[0]))


def _authenticate(arguments: Sequence[object]) -> Authenticate:
    if len(arguments) != 1:
        raise _malformed("`authenticate` takes one argument: {guest} or {token}.")
    options = _object(arguments[0], "The argument of `authenticate`")
    token = _token(options.get("token"))
    if token is None:
        return Authenticate(_guest(options.get("guest")))
    if options.get("guest") is not None:
        raise _malformed("`authenticate` takes `guest` or `token`, not both.")
    return Authenticate(None, token)


_DECODERS: Mapping[str, Callable[[Sequence[object]], ClientRequest]] = {
    "join": _join,
    "fetch": _fetch,
    "update": _update,
    "upload": _upload,
    "presence": _presence,
    "leave": _leave,
    "authenticate": _authenticate,
}

CLIENT_EVENTS = frozenset(_DECODERS)


def _malformed(sentence: str) -> ProtocolError:
    return ProtocolError(Code.MALFORMED, sentence)


def _document_and(arguments: Sequence[object], event: str, second: str) -> tuple[DocumentId, object]:
    if len(arguments) != 2:
        raise _malformed(f"`{event}` takes two arguments: document_id, {second}.")
    return _document_id(arguments[0]), arguments[1]


def _document_id(value: object) -> DocumentId:
    if not isinstance(value, str) or not is_document_id(value):
        raise _malformed("`document_id` must be a string of 8 to 64 letters, digits, - or _.")
    return DocumentId(value)


def _key(value: str) -> str:
    # A key has a document id's alphabet and upper bound, and a higher lower bound.
    if len(value) < 16 or not is_document_id(value):
        raise _malformed("`key` must have 16 to 64 letters, digits, - or _.")
    return value


def _object(value: object, what: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _malformed(f"{what} must be an object.")
    return value


def _after(value: object) -> Seq:
    return Seq(_integer(value, "`after`", MAX_SAFE))


def _bytes(value: object, what: str) -> bytes:
    if not isinstance(value, bytes):
        raise _malformed(f"{what} must be binary.")
    return value


def _integer(value: object, what: str, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise _malformed(f"{what} must be an integer from 0 to {most}.")
    return value


def _guest(value: object) -> Guest:
    if value is None:
        return Guest()
    value = _object(value, "`guest`")
    name, color = value.get("name"), value.get("color")
    if name is not None and not isinstance(name, str):
        raise _malformed("The guest's `name` must be a string.")
    if color is not None and not isinstance(color, str):
        raise _malformed("The guest's `color` must be a string.")
    return Guest(name, color)


def _token(value: object) -> str | None:
    # The authenticator says whether this is a token. Only this much must hold for any token.
    if value is not None and (not isinstance(value, str) or not value.isascii()):
        raise _malformed("`token` must be a string of ASCII characters.")
    return value or None


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


@dataclass(slots=True, eq=False)
class _Open:
    total: int
    lease: Lease
    received: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True, slots=True)
class Whole:
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
