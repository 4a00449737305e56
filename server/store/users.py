"""Users and shared secrets in SQL."""

from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, func, select

from crdt.permissions import Role
from crdt.protocol.messages import User
from server.store.database import SqlPort, among, change, fetch, reads, unless_there, upsert, writes
from server.store.schema import grants, secrets, users
from server.store.sharing_base import INVITED, KnownUser

_GREY = "#5f6368"
_USER = select(users.c.user_id, users.c.name, users.c.color, users.c.kind, users.c.email)


def shown(user_id: str) -> User:
    """Show a person of whom only the id is known: by the invited address, or else by the id."""
    return User(user_id, user_id.removeprefix(INVITED), _GREY)


class SqlUsers(SqlPort):
    """The users port over a database."""

    @writes
    def remember(self, connection: Connection, known: KnownUser) -> None:
        user = known.user
        values = {"name": user.name, "color": user.color, "email": known.email, "kind": known.kind}
        change(connection, upsert(connection.dialect.name, users), user_id=user.user_id, seen_at=self.now(), **values)

    @reads
    def owned(self, connection: Connection, user_id: str) -> int:
        theirs = select(func.count()).where(grants.c.user_id == user_id, grants.c.role == Role.OWNER.value)
        return connection.execute(theirs).scalar_one()

    @reads
    def known(self, connection: Connection, user_ids: Collection[str]) -> Mapping[str, KnownUser]:
        found = fetch(connection, _users_among(connection.dialect.name), user_ids=user_ids)
        return {user_id: _known_user(user_id, *rest) for user_id, *rest in found}

    @reads
    def by_email(self, connection: Connection, email: str) -> KnownUser | None:
        query = _USER.where(users.c.email == email).order_by(users.c.seen_at.desc(), users.c.user_id).limit(1)
        found = connection.execute(query).first()
        return None if found is None else _known_user(*found)


class SqlSecrets(SqlPort):
    """The secrets port over a database."""

    @writes
    def get_or_make(self, connection: Connection, name: str, make: bytes) -> bytes:
        # On PostgreSQL the second node waits here until the first has committed. Its next statement
        # then sees the secret that the first one made.
        change(connection, unless_there(connection.dialect.name, secrets), name=name, value=make)
        return bytes(connection.execute(select(secrets.c.value).where(secrets.c.name == name)).scalar_one())


@cache
def _users_among(dialect: str) -> Select[Any]:
    return _USER.where(among(dialect, users.c.user_id, "user_ids"))


def _known_user(user_id: str, name: str, color: str, kind: str, email: str | None) -> KnownUser:
    return KnownUser(User(user_id, name, color), kind, email)
