"""Service tokens in SQL."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from server.store.database import (
    SqlPort,
    change,
    fetch,
    from_microseconds,
    reads,
    to_microseconds,
    unless_there,
    writes,
)
from server.store.schema import service_tokens
from server.store.service_tokens_base import ServiceToken

_ALL = select(service_tokens).order_by(service_tokens.c.created_at.desc(), service_tokens.c.token_id)
_OF_ID = service_tokens.c.token_id == bindparam("of_id")
_ONE = select(service_tokens).where(_OF_ID)
_REVOKE = delete(service_tokens).where(_OF_ID)
_USED = update(service_tokens).where(_OF_ID).values(used_at=bindparam("now"))


class SqlServiceTokens(SqlPort):
    """The service tokens port over a database."""

    @writes
    def add(self, connection: Connection, token: ServiceToken) -> None:
        row = {
            "token_id": token.token_id,
            "token_hash": token.token_hash,
            "name": token.name,
            "agent_for": token.agent_for,
            "roles": json.dumps(token.roles),
            "created_at": to_microseconds(token.created_at),
            "expires_at": None if token.expires_at is None else to_microseconds(token.expires_at),
            "used_at": None,
        }
        change(connection, unless_there(connection.dialect.name, service_tokens), **row)

    @reads
    def find(self, connection: Connection, token_id: str) -> ServiceToken | None:
        return next((_token(*row) for row in fetch(connection, _ONE, of_id=token_id)), None)

    @reads
    def list(self, connection: Connection) -> Sequence[ServiceToken]:
        return [_token(*row) for row in fetch(connection, _ALL)]

    @writes
    def revoke(self, connection: Connection, token_id: str) -> bool:
        return change(connection, _REVOKE, of_id=token_id) > 0

    @writes
    def note_used(self, connection: Connection, token_id: str) -> None:
        change(connection, _USED, of_id=token_id, now=self.now())


def _token(*row: Any) -> ServiceToken:
    token_id, token_hash, name, agent_for, roles, created_at, expires_at, used_at = row
    moments = [None if at is None else from_microseconds(at) for at in (expires_at, used_at)]
    return ServiceToken(
        token_id, bytes(token_hash), name, agent_for, json.loads(roles), from_microseconds(created_at), *moments
    )
