"""Facts in a text that whoever carries it cannot change: what cookies hold.

Signed, not encrypted: its carrier may read it. A seal has a purpose and an age; what was sealed for
another purpose, too long ago, or by somebody without the key, is nothing.
"""

import hashlib
from collections.abc import Callable, Mapping

from itsdangerous import BadData, URLSafeSerializer

from server.auth.secret import SecretKey

MAX_CHARACTERS = 4096
"""What browsers keep of one cookie."""

Fact = str | float | None


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
