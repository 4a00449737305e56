"""Service tokens port: programs that may come in by themselves, and what for.

Only a token's hash is stored, so nobody can come in by reading the database.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct


class ServiceToken(Struct, frozen=True):
    """A program's right to come in.

    Attributes:
        token_id: a short random name, by which operators call it. The token begins with it.
        token_hash: SHA-256 of the whole token.
        name: the program's name, as people see it.
        agent_for: the user id of the person that the program writes for; empty for nobody else.
        roles: a role for each document id, or for `*`.
        created_at: when it was made.
        expires_at: when it ends, or None.
        used_at: when it was used last, to the hour; None for never.
    """

    token_id: str
    token_hash: bytes
    name: str
    agent_for: str
    roles: dict[str, str]
    created_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None


class ServiceTokens(Protocol):
    """The tokens that have not been revoked."""

    async def add(self, token: ServiceToken) -> None:
        """Store a new token."""

    async def find(self, token_id: str) -> ServiceToken | None:
        """Read a token."""

    async def list(self) -> Sequence[ServiceToken]:
        """Read all tokens, the newest first."""

    async def revoke(self, token_id: str) -> bool:
        """Delete a token. Return False if there is none."""

    async def note_used(self, token_id: str) -> None:
        """Note that a token is used now."""
