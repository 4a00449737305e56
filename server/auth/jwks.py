"""Keys that an issuer publishes and changes (JSON Web Key Set, RFC 7517), fetched on demand.

1. A key set is fresh for ten minutes. After that, the next token that needs a key has the set
   fetched again. So a key that the issuer took back soon stops working.
2. A key id that is not in the set may be new, so the set is fetched again. This happens at most
   every 30 seconds, because strangers can invent key ids.
3. While the issuer does not answer, known keys stay valid for a day. No token is valid for longer.
4. All requests that wait for the same set share one fetch.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import httpx2

from crdt.errors import Unavailable
from server.auth.base import unauthenticated
from server.auth.tokens import VerifyingKey, published_key
from server.observe import log

FRESH_SECONDS = 600.0
PAUSE_SECONDS = 30.0
KEPT_SECONDS = 24 * 3600.0

MAX_KEYS = 100


class JwksKeys:
    """The keys at one address. `url` returns the address; `clock` returns monotonic seconds."""

    def __init__(self, url: Callable[[], Awaitable[str]], clock: Callable[[], float]) -> None:
        self._url = url
        self._clock = clock
        self._keys: Sequence[tuple[str | None, VerifyingKey]] = ()
        self._fetched_at: float | None = None
        self._tried_at: float | None = None
        self._fetching = asyncio.Lock()

    async def key_for(self, key_id: str | None, algorithm: str) -> VerifyingKey:
        """Find a key. Without a `key_id`, it must be the only key of its algorithm.

        Raises ProtocolError(unauthenticated) if there is no such key, or Unavailable.
        """
        if not self._is_younger_than(FRESH_SECONDS) or self._find(key_id, algorithm) is None:
            await self._refresh(key_id, algorithm)
        key = self._find(key_id, algorithm)
        if key is None:
            raise unauthenticated("The token is signed with a key that its issuer does not publish.")
        return key

    async def _refresh(self, key_id: str | None, algorithm: str) -> None:
        async with self._fetching:
            if self._is_younger_than(FRESH_SECONDS) and self._find(key_id, algorithm) is not None:
                return  # another request has fetched the set while this one waited for the lock
            if self._tried_at is None or self._clock() - self._tried_at >= PAUSE_SECONDS:
                await self._fetch()
        if not self._is_younger_than(KEPT_SECONDS):
            raise Unavailable("The keys of the tokens' issuer cannot be fetched.")

    async def _fetch(self) -> None:
        self._tried_at = self._clock()
        try:
            self._keys = _keys_in(await fetch_json(await self._url()))
        except Unavailable as error:
            log.warning("keys_unread", reason=error.message)
        else:
            self._fetched_at = self._clock()

    def _find(self, key_id: str | None, algorithm: str) -> VerifyingKey | None:
        if key_id is None:
            fitting = [key for _, key in self._keys if key.algorithm == algorithm]
            return fitting[0] if len(fitting) == 1 else None
        return next((key for name, key in self._keys if name == key_id), None)

    def _is_younger_than(self, seconds: float) -> bool:
        return self._fetched_at is not None and self._clock() - self._fetched_at < seconds


def _keys_in(document: Mapping[str, Any]) -> Sequence[tuple[str | None, VerifyingKey]]:
    published = document.get("keys")
    if not isinstance(published, list):
        raise Unavailable("The issuer's answer is not a key set.")
    keys: list[tuple[str | None, VerifyingKey]] = []
    for jwk in published[:MAX_KEYS]:
        key = published_key(jwk) if isinstance(jwk, dict) else None
        if key is not None:
            name = jwk.get("kid")
            keys.append((name if isinstance(name, str) else None, key))
    return keys


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
