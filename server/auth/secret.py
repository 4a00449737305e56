"""The key that signs cookies and links: the operator's, or one made once and kept where all nodes find it.

Whoever has it can be anybody. It is never used itself: each purpose derives its own from it.
"""

import hashlib
import hmac
import secrets
from typing import Protocol

from crdt.errors import InvariantError

KEY_BYTES = 32


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
