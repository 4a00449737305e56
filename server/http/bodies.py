"""Request bodies from strangers: read within a bound of size and time, and as strict JSON.

A body that is too large is read on for a little while and thrown away: a browser that is still sending when the answer comes and
the connection closes would report a broken connection instead of the answer.
"""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, NoReturn

from starlette.requests import Request

from crdt.errors import Code, ProtocolError
from server.http.errors import WrongMediaType

MAX_JSON_BYTES = 64 * 2**10
"""The longest title of the longest characters takes 4 kB, as JSON escapes."""

_SLOWEST = 16 * 2**10
"""Bytes per second: a body that arrives more slowly holds its place for too long."""

_PATIENCE = 10.0
"""Seconds that any body may take."""

_DISCARDED = 4 * 2**20
"""Bytes of a body that is too large which are still read, so that its sender sees the answer."""


async def read_body(request: Request, limit: int) -> bytes:
    """Read the body whole; raises ProtocolError(too_large) past `limit` bytes, and malformed when it does not arrive in time."""
    try:
        async with asyncio.timeout(_PATIENCE + limit / _SLOWEST):
            if _declared_bytes(request) > limit + _DISCARDED:
                _too_large(limit)
            return await _read(request, limit)
    except TimeoutError:
        raise ProtocolError(Code.MALFORMED, "The request's body did not arrive in time.") from None


async def read_json(request: Request, allowed: Sequence[str]) -> dict[str, Any]:
    """Read a JSON object that has no members but `allowed`; an empty body is an empty object."""
    body = await read_body(request, MAX_JSON_BYTES)
    if not body:
        return {}
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


async def _read(request: Request, limit: int) -> bytes:
    body, excess = bytearray(), 0
    async for chunk in request.stream():
        if excess or len(body) + len(chunk) > limit:
            excess += len(chunk)
            body.clear()
        else:
            body += chunk
        if excess > _DISCARDED:
            break
    if excess:
        _too_large(limit)
    return bytes(body)


def _too_large(limit: int) -> NoReturn:
    raise ProtocolError(Code.TOO_LARGE, f"The request's body may have {limit} bytes at most.")


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
