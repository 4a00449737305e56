"""Fetches of small JSON documents from identity providers, within bounds of time and size."""

import json
from typing import Any

import httpx2

from crdt.errors import Unavailable

FETCH_SECONDS = 5.0
MAX_BYTES = 256 * 2**10


async def fetch_json(url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """GET a JSON object, without following redirects.

    Raises Unavailable. The message names the address without its query.
    """
    try:
        timeout = httpx2.Timeout(FETCH_SECONDS)
        async with httpx2.AsyncClient(timeout=timeout, headers=headers or {}) as client:
            return json_object(await _read(client, url))
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        place = url.partition("?")[0]
        raise Unavailable(f"{place} does not answer as it should ({type(error).__name__}).") from None


def json_object(body: bytes) -> dict[str, Any]:
    """Parse a JSON object. Raises ValueError."""
    try:
        value = json.loads(body)
    except RecursionError:
        raise ValueError from None
    if not isinstance(value, dict):
        raise ValueError
    return value


async def _read(client: httpx2.AsyncClient, url: str) -> bytes:
    body = bytearray()
    async with client.stream("GET", url, headers={"Accept": "application/json"}) as response:
        if response.status_code != httpx2.codes.OK:
            raise ValueError
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > MAX_BYTES:
                raise ValueError
    return bytes(body)
