"""Request bodies from strangers: read within a bound of size and time and their sender's share of memory, and as strict JSON.

A body that is too large is read on for a little while and thrown away: a browser that is still
sending when the answer comes and the connection closes would report a broken connection instead of
the answer.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NoReturn

from starlette.requests import Request

from crdt.budget import Lease
from crdt.errors import Code, GivenUp, ManyhandsError, ProtocolError
from server.http.errors import WrongMediaType
from server.http.routing import account_of

MAX_JSON_BYTES = 64 * 2**10
"""The longest title of the longest characters takes 4 kB, as JSON escapes."""

_SLOWEST = 16 * 2**10
"""Bytes per second: a body that arrives more slowly holds its memory for too long."""

_PATIENCE = 10.0
"""Seconds by which any body may be behind that."""

_DISCARDED = 4 * 2**20
"""Bytes of a body that is too large which are still read, so that its sender sees the answer."""


@asynccontextmanager
async def body_of(request: Request, limit: int) -> AsyncIterator[bytes]:
    """Read the body whole, and have it as long as it is worked with.

    Raises ProtocolError: too_large past `limit` bytes, malformed when it does not arrive in time,
    too_many past the sender's share of memory; and Unavailable when there is no memory for it.
    """
    body = _Body(request, limit)
    body.lease = lease = account_of(request).lease(body.lose)
    try:
        data = await body.arrive()
        lease.keep()
        yield data
    finally:
        lease.release()


class _Body:
    """A body on its way."""

    lease: Lease

    def __init__(self, request: Request, limit: int) -> None:
        self._request = request
        self._limit = limit
        self._data = bytearray()
        self._patience = asyncio.timeout(_PATIENCE)
        self._lost: str | None = None

    def lose(self, why: str) -> None:
        """Others need the memory."""
        self._lost = why
        self._data.clear()
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
        """Keep a piece, or nothing any more."""
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


async def read_json(request: Request, allowed: Sequence[str]) -> dict[str, Any]:
    """Read a JSON object that has no members but `allowed`; an empty body is an empty object."""
    async with body_of(request, MAX_JSON_BYTES) as body:
        return _object(request, body, allowed) if body else {}


def _object(request: Request, body: bytes, allowed: Sequence[str]) -> dict[str, Any]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise WrongMediaType("The body must be JSON: send it with Content-Type: application/json.")
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except RecursionError:
        raise ProtocolError(Code.MALFORMED, "The body is nested too deeply.") from None
    except ValueError:
        raise ProtocolError(Code.MALFORMED, "The body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise ProtocolError(Code.MALFORMED, "The body must be a JSON object.")
    if strange := set(value) - set(allowed):
        names = ", ".join(sorted(strange))[:100]
        raise ProtocolError(
            Code.MALFORMED, f"Unknown in this request: {names}. It takes: {', '.join(allowed) or 'nothing'}."
        )
    return value


def _too_large(limit: int) -> ProtocolError:
    return ProtocolError(Code.TOO_LARGE, f"The request's body may have {limit} bytes at most.")


def _declared_bytes(request: Request) -> int:
    declared = request.headers.get("content-length", "")
    return int(declared) if declared.isascii() and declared.isdigit() and len(declared) < 20 else 0


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError
    return value


def _no_constant(_name: str) -> NoReturn:
    raise ValueError
