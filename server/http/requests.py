"""Requests of strangers: heads and bodies are bounded, and read as exactly the declared type.

uvicorn's HTTP protocol bounds neither a head's size nor its time. Without these bounds a connection
that sends nothing stays for ever, and a connection that sends headers without end fills the memory.
A body is bounded in its size, its time and its memory.

Python's parser reads JSON, for two reasons. It can refuse what others pass over: a key that stands
there twice, and NaN. It takes half of a surrogate pair, which a person's title may hold. msgspec
then converts the value to the declared type, and is strict: `1` is neither `true` nor `"1"`.

A body that is too large is read on for a little while, and thrown away. Otherwise the answer would
come, and the connection close, while the browser still sends. The browser would then report a
broken connection instead of the answer.
"""

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, NoReturn, TypeVar

import msgspec
from msgspec import Struct
from starlette.requests import Request
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from crdt.budget import Account, Lease
from crdt.errors import Code, GivenUp, ManyhandsError, ProtocolError, size_in_words
from server.http.errors import WrongMediaType

MAX_JSON_BYTES = 64 * 2**10
"""Most bytes of a JSON body. The longest title takes 4 kB if each character is escaped."""

_SLOWEST = 16 * 2**10
"""Bytes per second. A body that arrives more slowly holds its memory for too long."""

_PATIENCE = 10.0
"""Seconds by which a body may be later than `_SLOWEST` allows."""

_DISCARDED = 4 * 2**20
"""Bytes beyond the limit that are still read, so that the sender sees the answer."""

_MISSING = re.compile(r"Object missing required field `(\w+)`")
_AT = re.compile(r" - at `\$\.(\w+)")

_DEEP = re.compile(r"(.*\.|Invalid value .*|Object .*) - at `\$\.(\w+[\[.].*)`", re.DOTALL)
"""A problem within an object that stands in a list: our own sentence, or msgspec's words."""

T = TypeVar("T", bound=Struct)


@asynccontextmanager
async def body_of(request: Request, account: Account, limit: int) -> AsyncIterator[bytes]:
    """Read the whole body, and hold its memory while the caller works with the body.

    `account` pays for the memory. Raises ProtocolError: too_large past `limit` bytes, malformed if
    the body does not arrive in time, too_many past the sender's share of memory. Raises Unavailable
    if there is no memory for the body.
    """
    body = _Body(request, limit)
    body.lease = lease = account.lease(body.lose)
    try:
        data = await body.arrive()
        lease.keep()
        yield data
    finally:
        lease.release()


class _Body:
    """A body that is arriving."""

    lease: Lease

    def __init__(self, request: Request, limit: int) -> None:
        self._request = request
        self._limit = limit
        self._data = bytearray()
        self._patience = asyncio.timeout(_PATIENCE)
        self._lost: str | None = None

    def lose(self, why: str) -> None:
        """Give the memory up, because others need it. The reading task raises GivenUp(`why`)."""
        self._lost = why
        self._data.clear()
        # A deadline of now wakes the reading task, which may wait for a sender who says nothing.
        self._patience.reschedule(asyncio.get_running_loop().time())

    async def arrive(self) -> bytes:
        try:
            async with self._patience:
                if _declared_bytes(self._request) > self._limit + _DISCARDED:
                    raise _too_large(self._limit)
                return await self._read()
        except TimeoutError:
            if self._lost is not None:
                raise GivenUp(self._lost) from None
            raise ProtocolError(Code.MALFORMED, "The request's body did not arrive in time.") from None

    async def _read(self) -> bytes:
        begun, arrived = asyncio.get_running_loop().time(), 0
        refusal: ManyhandsError | None = None
        async for chunk in self._request.stream():
            if self._lost is not None:
                raise GivenUp(self._lost)
            arrived += len(chunk)
            self._patience.reschedule(begun + _PATIENCE + arrived / _SLOWEST)
            refusal = refusal or self._refusal_of(chunk, arrived)
            if arrived > self._limit + _DISCARDED:
                break
        if refusal is not None:
            raise refusal
        return bytes(self._data)

    def _refusal_of(self, chunk: bytes, arrived: int) -> ManyhandsError | None:
        """Keep a piece of the body. After a refusal drop all pieces, and return the refusal."""
        try:
            if arrived > self._limit:
                raise _too_large(self._limit)
            self.lease.grow(len(chunk))
        except ManyhandsError as refusal:
            self._data.clear()
            self.lease.release()
            return refusal
        self._data += chunk
        return None


async def read_body(request: Request, account: Account, form: type[T], limit: int = MAX_JSON_BYTES) -> T:
    """Read a JSON body. An empty body is an empty object.

    Raises ProtocolError(malformed), which names the field, and what `body_of` raises.
    """
    async with body_of(request, account, limit) as body:
        return as_form(_json_object(request, body) if body else {}, form, "this request", strict=True)


def read_query(request: Request, form: type[T]) -> T:
    """Read the query's parameters. Raises ProtocolError(malformed), which names the parameter."""
    return as_form(dict(request.query_params), form, "the query", strict=False)


def weights_of(accepted: str) -> dict[str, float]:
    """Read a header such as Accept or Accept-Encoding: values in small letters, and their weights.

    A weight that is none counts as 0. Values behind the first 32 are left out.
    """
    weights: dict[str, float] = {}
    for each in accepted.split(",")[:32]:
        value, *parameters = (part.strip().lower() for part in each.split(";"))
        weight = next((_weight(part[2:]) for part in parameters if part.startswith("q=")), 1.0)
        weights[value] = max(weight, weights.get(value, 0.0))
    return weights


def _weight(written: str) -> float:
    return float(written) if re.fullmatch(r"[01](\.\d{0,3})?", written, re.ASCII) else 0.0


def _json_object(request: Request, body: bytes) -> dict[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise WrongMediaType("The body must be JSON: send it with Content-Type: application/json.")
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise ProtocolError(Code.MALFORMED, "The body is nested too deeply.") from None
    except ValueError as error:
        about = str(error) if isinstance(error, _TwiceError) else "The body is not valid JSON."
        raise ProtocolError(Code.MALFORMED, about) from None
    if not isinstance(value, dict):
        raise ProtocolError(Code.MALFORMED, "The body must be a JSON object.")
    return value


def as_form(value: dict[str, Any], form: type[T], where: str, *, strict: bool) -> T:
    known = form.__struct_encode_fields__
    if strange := sorted(set(value).difference(known)):
        names, takes = _shown(", ".join(strange)), ", ".join(known) or "nothing"
        raise ProtocolError(Code.MALFORMED, f"Unknown in {where}: {names}. It takes: {takes}.")
    try:
        return msgspec.convert(value, form, strict=strict)
    except msgspec.ValidationError as error:
        raise ProtocolError(Code.MALFORMED, _sentence(str(error), form)) from None
    except UnicodeEncodeError as error:
        # msgspec raises this for half of a surrogate pair where the form allows certain words only.
        name = next((name for name in value if value[name] == error.object), known[0])
        raise ProtocolError(Code.MALFORMED, f"`{name}` must be {_wanted(form)[name]}.") from None


def _sentence(problem: str, form: type[Struct]) -> str:
    """Turn msgspec's error into a sentence that says what to do.

    A field's description ends the sentence "it must be …".
    """
    if found := _DEEP.fullmatch(problem):
        return found[1] if found[1].endswith(".") else f"`{found[2]}`: {found[1]}."
    if found := _MISSING.fullmatch(problem):
        return f"`{found[1]}` is missing: it must be {_wanted(form)[found[1]]}."
    if found := _AT.search(problem):
        return f"`{found[1]}` must be {_wanted(form)[found[1]]}."
    return problem  # raised by the form's own check, and already a sentence


@lru_cache
def _wanted(form: type[Struct]) -> Mapping[str, str]:
    properties = msgspec.json.schema(form)["$defs"][form.__name__]["properties"]
    return {name: schema["description"] for name, schema in properties.items()}


def _too_large(limit: int) -> ProtocolError:
    return ProtocolError(Code.TOO_LARGE, f"This is too large: {size_in_words(limit)} at most can be sent at once.")


def _declared_bytes(request: Request) -> int:
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() and len(declared) < 20 else 0


def _shown(names: str) -> str:
    """Return a stranger's names in a form that an answer can hold."""
    return names[:100].encode(errors="backslashreplace").decode()


class _TwiceError(ValueError):
    """A key that stands twice in one object."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        ((twice, _),) = Counter([name for name, _ in pairs]).most_common(1)
        raise _TwiceError(f"`{_shown(twice)}` stands in the body twice: say it once.")
    return value


def _no_constant(_name: str) -> NoReturn:
    raise ValueError


MAX_HEAD_BYTES = 64 * 2**10
"""Most bytes of the request line and the headers, give or take one read from the socket.

The cookies of a whole domain take a tenth of it.
"""

HEAD_SECONDS = 15.0
"""Seconds until a head must be complete.

They count from the connection's opening, or from the first byte of a further request.
"""


class BoundedHttpProtocol(HttpToolsProtocol):
    """Closes a connection if a request's head is too large or too slow.

    A subclass may set `head_seconds`.
    """

    head_seconds = HEAD_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_complete()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what arrives before the head is complete."""
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._head_complete()
                self.send_400_response("The request's headers are too large.")

    def on_message_begin(self) -> None:
        """Begin to wait for the end of a head whose first byte is here."""
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        self._head_complete()
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection to the WebSocket protocol, with the parsed head if it can use that.

        uvicorn's way writes the head out again, for the next protocol to parse a second time.
        """
        instead_of = getattr(self.ws_protocol_class, "instead_of", None)
        protocol = None if instead_of is None else instead_of(self)
        if protocol is None:
            super().handle_websocket_upgrade()
        else:
            self.connections.discard(self)
            self.transport.set_protocol(protocol)

    def _await_head(self) -> None:
        self._head_complete()
        self._in_head = True
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(self.head_seconds, self.transport.abort)

    def _head_complete(self) -> None:
        self._in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
