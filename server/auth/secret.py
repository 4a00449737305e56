"""The key that signs cookies and links, and what it seals.

The key is the operator's, or one made once and kept where all nodes find it. Whoever has it can be
anybody. It is never used itself: each purpose derives its own from it.

A seal holds facts in a text that whoever carries it cannot change, as cookies do. It is signed, not
encrypted: its carrier may read it. It has a purpose and an age. What was sealed for another purpose,
too long ago, or by somebody without the key, is nothing.
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
"""What browsers keep of one cookie."""

Fact = str | float | None


class SharedSecrets(Protocol):
    """What all nodes know alike (server/store/sharing_base.py's Secrets)."""

    async def get_or_make(self, name: str, make: bytes) -> bytes:
        """The secret of that name; `make` becomes it if there is none yet."""


class SecretKey:
    """The key, once it is `opened`. `configured`: the operator's text, if there is one."""

    def __init__(self, configured: str | None) -> None:
        self._key = None if configured is None else hashlib.sha256(configured.encode()).digest()

    async def open(self, shared: SharedSecrets) -> None:
        """Look the key up, or make it; raises Unavailable."""
        if self._key is None:
            self._key = await shared.get_or_make("signing", secrets.token_bytes(KEY_BYTES))

    def derived(self, purpose: str) -> bytes:
        """The key for one purpose; whoever learns it learns nothing of the others."""
        if self._key is None:
            raise InvariantError("The secret key was asked for before it was looked up.")
        return hmac.new(self._key, purpose.encode(), hashlib.sha256).digest()


class Seal:
    """Seals facts for one purpose. `seconds`: how long they hold; `clock`: unix seconds."""

    def __init__(self, key: SecretKey, purpose: str, seconds: int, clock: Callable[[], float]) -> None:
        self.seconds = seconds
        self._key = key
        self._purpose = purpose
        self._clock = clock

    def close(self, facts: Mapping[str, Fact]) -> str:
        """Seal facts as of now."""
        text = self._serializer().dumps({**facts, "sealed_at": round(self._clock(), 3)})
        return text if isinstance(text, str) else text.decode()

    def open(self, text: str | None) -> Mapping[str, Fact] | None:
        """The facts, with `sealed_at` in unix seconds; None for anything but an unbroken seal of ours that still holds."""
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
