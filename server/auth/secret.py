"""The secret key, which signs cookies and links, and the seals made with it.

The key is the operator's, or is made once and stored where all nodes find it. A person who has the
key can pretend to be anybody. The key is never used directly: each purpose derives its own key.

A seal is a text with facts that its carrier cannot change, for example a cookie. A seal is signed,
not encrypted, so its carrier can read it. It has a purpose and an age. A seal for another purpose,
of too great an age, or from somebody without the key is not accepted.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from typing import Protocol

from itsdangerous import BadData, URLSafeSerializer

from crdt.errors import InvariantError

KEY_BYTES = 32

MAX_CHARACTERS = 4096
"""Most characters of one cookie in browsers."""

Fact = str | float | None


class SharedSecrets(Protocol):
    """Secrets that all nodes share (`Secrets` in server/store/sharing_base.py)."""

    async def get_or_make(self, name: str, make: bytes) -> bytes:
        """Return the secret with this name. If there is none yet, `make` becomes the secret."""


class SecretKey:
    """The key, usable after `open`. `configured` is the operator's text, if there is one."""

    def __init__(self, configured: str | None) -> None:
        self._key = None if configured is None else hashlib.sha256(configured.encode()).digest()

    async def open(self, shared: SharedSecrets) -> None:
        """Look the key up, or make it. Raises Unavailable."""
        if self._key is None:
            self._key = await shared.get_or_make("signing", secrets.token_bytes(KEY_BYTES))

    def derived(self, purpose: str) -> bytes:
        """Return the key for one purpose. It reveals nothing about the keys for other purposes."""
        if self._key is None:
            raise InvariantError("The secret key was asked for before it was looked up.")
        return hmac.new(self._key, purpose.encode(), hashlib.sha256).digest()


class Seal:
    """Seals for one purpose, valid for `seconds`. `clock` returns unix seconds."""

    def __init__(self, key: SecretKey, purpose: str, seconds: int, clock: Callable[[], float]) -> None:
        self.seconds = seconds
        self._key = key
        self._purpose = purpose
        self._clock = clock

    def close(self, facts: Mapping[str, Fact]) -> str:
        """Return facts sealed at the present time."""
        text = self._serializer().dumps({**facts, "sealed_at": round(self._clock(), 3)})
        return text if isinstance(text, str) else text.decode()

    def open(self, text: str | None) -> Mapping[str, Fact] | None:
        """Return the facts of a seal, with `sealed_at` in unix seconds.

        Return None for a seal that is broken, too old, or for another purpose.
        """
        if not text or len(text) > MAX_CHARACTERS:
            return None
        try:
            facts = self._serializer().loads(text)
        except (BadData, ValueError):  # ValueError: letters beyond ASCII
            return None
        sealed_at = facts.get("sealed_at") if isinstance(facts, dict) else None
        if not isinstance(sealed_at, float | int) or self._clock() - sealed_at >= self.seconds:
            return None
        return facts if isinstance(facts, dict) else None

    def _serializer(self) -> URLSafeSerializer:
        options = {"key_derivation": "hmac", "digest_method": hashlib.sha256}
        return URLSafeSerializer(self._key.derived("cookie"), salt=self._purpose, signer_kwargs=options)
