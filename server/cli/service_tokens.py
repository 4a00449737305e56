"""Service tokens for operators: made, listed and revoked."""

from datetime import datetime, timedelta

from crdt.protocol.messages import clean_text
from server.cli import CannotDo
from server.people.services import new_token
from server.store.base import Store
from server.store.service_tokens_base import ServiceToken

MOST_NAME = 60
"""Characters of a program's name."""


async def create(
    store: Store, name: str, agent_for: str, roles: dict[str, str], now: datetime, days: float | None
) -> str:
    """Store a new token, and return it. Raises CannotDo for a name or roles that make no sense."""
    cleaned = clean_text(name)
    if not 0 < len(cleaned) <= MOST_NAME:
        raise CannotDo(f"--name takes 1 to {MOST_NAME} characters: people see the name beside what the program writes.")
    if not roles:
        raise CannotDo("Say what the token is for: --document ID=ROLE, or '*=ROLE' for every document.")
    if agent_for and not agent_for.isprintable():
        raise CannotDo("A user id is a text without line breaks.")
    token, stored = new_token(cleaned, agent_for, roles, now, None if days is None else now + timedelta(days=days))
    await store.service_tokens.add(stored)
    return token


async def lines(store: Store) -> list[str]:
    """Describe the tokens, one a line, the newest first."""
    return [_line(token) for token in await store.service_tokens.list()]


def _line(token: ServiceToken) -> str:
    roles = " ".join(f"{document_id}={role}" for document_id, role in token.roles.items())
    parts = [token.token_id, token.name, roles, f"made {_day(token.created_at)}"]
    if token.agent_for:
        parts.append(f"for {token.agent_for}")
    if token.expires_at is not None:
        parts.append(f"until {_day(token.expires_at)}")
    parts.append("never used" if token.used_at is None else f"used {_day(token.used_at)}")
    return "\t".join(parts)


def _day(moment: datetime) -> str:
    return moment.date().isoformat()
