"""Service tokens: programs that come in by themselves, with the roles that an operator gave them.

A token is `mh_`, its id, `_`, and a secret. The store has its hash. A token that was revoked is
refused from the next request on, on every node.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from crdt.permissions import Role
from crdt.protocol.messages import User
from server.auth.base import Authenticator, Credentials, Identity, unauthenticated
from server.store.service_tokens_base import ServiceToken, ServiceTokens

PREFIX = "mh_"
_TOKEN = re.compile(r"mh_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_GREY = "#5f6368"
_USED_EVERY = timedelta(hours=1)
"""Time for which a token's use is not noted again."""


class Services:
    """Recognises programs by their service tokens, and leaves people to another way in.

    `clock` returns the time in UTC.
    """

    def __init__(self, people: Authenticator, tokens: ServiceTokens, clock: Callable[[], datetime]) -> None:
        self.people = people
        self._tokens = tokens
        self._clock = clock

    async def identify(self, credentials: Credentials) -> Identity:
        """Recognise a program or a person. Raises as `Authenticator.identify` does."""
        if credentials.token is None or not credentials.token.startswith(PREFIX):
            return await self.people.identify(credentials)
        found = _TOKEN.fullmatch(credentials.token)
        token = None if found is None else await self._tokens.find(found[1])
        if token is None or not hmac.compare_digest(_hash(credentials.token), token.token_hash):
            raise unauthenticated("This service token is not known here, or was revoked.")
        now = self._clock()
        if token.expires_at is not None and token.expires_at <= now:
            raise unauthenticated("This service token has expired.")
        if token.used_at is None or now - token.used_at >= _USED_EVERY:
            await self._tokens.note_used(token.token_id)
        return Identity(
            User(f"service:{token.token_id}", token.name, _GREY),
            "service",
            expires_at=None if token.expires_at is None else token.expires_at.timestamp(),
            document_roles={document_id: Role(role) for document_id, role in token.roles.items()},
            agent_for=token.agent_for,
        )


def new_token(
    name: str, agent_for: str, roles: Mapping[str, str], now: datetime, expires_at: datetime | None
) -> tuple[str, ServiceToken]:
    """Make a token, which is shown once, and what is stored of it."""
    token_id = secrets.token_hex(6)
    token = f"{PREFIX}{token_id}_{secrets.token_urlsafe(32)}"
    return token, ServiceToken(token_id, _hash(token), name, agent_for, dict(roles), now, expires_at)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="surrogatepass")).digest()
