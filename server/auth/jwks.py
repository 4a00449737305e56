"""Keys that an issuer publishes and changes (JSON Web Key Set, RFC 7517), fetched on demand.

1. A key set is fresh for ten minutes. After that, the next token that needs a key has the set
   fetched again. So a key that the issuer took back soon stops working.
2. A key id that is not in the set may be new, so the set is fetched again. This happens at most
   every 30 seconds, because strangers can invent key ids.
3. While the issuer does not answer, known keys stay valid for a day. No token is valid for longer.
4. All requests that wait for the same set share one fetch.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from crdt.errors import Unavailable
from server.auth.base import unauthenticated
from server.auth.fetching import fetch_json
from server.auth.key_text import published_key
from server.auth.tokens import VerifyingKey
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
