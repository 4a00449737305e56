"""Users and shared secrets in SQL."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from functools import cache, partial
from typing import Any

from sqlalchemy import Connection, Select, func, select

from crdt.permissions import Role
from crdt.protocol.messages import User
from server.store.database import Database
from server.store.schema import grants, secrets, users
from server.store.sharing_base import INVITED, KnownUser
from server.store.statements import among, change, fetch, to_microseconds, unless_there, upsert

_GREY = "#5f6368"
_USER = select(users.c.user_id, users.c.name, users.c.color, users.c.kind, users.c.email)


def shown(user_id: str) -> User:
    """Show a person of whom only the id is known: by the invited address, or else by the id."""
    return User(user_id, user_id.removeprefix(INVITED), _GREY)


class SqlUsers:
    """The users port over a database."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock

    async def remember(self, known: KnownUser) -> None:
        await self._database.write(partial(_remember, known=known, at=to_microseconds(self._clock())))

    async def owned(self, user_id: str) -> int:
        return await self._database.read(partial(_owned, user_id=user_id))

    async def known(self, user_ids: Collection[str]) -> Mapping[str, KnownUser]:
        return await self._database.read(partial(_known, user_ids=user_ids))

    async def by_email(self, email: str) -> KnownUser | None:
        return await self._database.read(partial(_by_email, email=email))


class SqlSecrets:
    """The secrets port over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get_or_make(self, name: str, make: bytes) -> bytes:
        return await self._database.write(partial(_get_or_make, name=name, make=make))


def _remember(connection: Connection, known: KnownUser, at: int) -> None:
    user = known.user
    values = {"name": user.name, "color": user.color, "email": known.email, "kind": known.kind, "seen_at": at}
    change(connection, upsert(connection.dialect.name, users), user_id=user.user_id, **values)


def _owned(connection: Connection, user_id: str) -> int:
    theirs = select(func.count()).where(grants.c.user_id == user_id, grants.c.role == Role.OWNER.value)
    return connection.execute(theirs).scalar_one()


def _known(connection: Connection, user_ids: Collection[str]) -> dict[str, KnownUser]:
    found = fetch(connection, _users_among(connection.dialect.name), user_ids=user_ids)
    return {user_id: _known_user(user_id, *rest) for user_id, *rest in found}


@cache
def _users_among(dialect: str) -> Select[Any]:
    return _USER.where(among(dialect, users.c.user_id, "user_ids"))


def _by_email(connection: Connection, email: str) -> KnownUser | None:
    query = _USER.where(users.c.email == email).order_by(users.c.seen_at.desc(), users.c.user_id).limit(1)
    found = connection.execute(query).first()
    return None if found is None else _known_user(*found)


def _known_user(user_id: str, name: str, color: str, kind: str, email: str | None) -> KnownUser:
    return KnownUser(User(user_id, name, color), kind, email)


def _get_or_make(connection: Connection, name: str, make: bytes) -> bytes:
    # On PostgreSQL the second node waits here until the first has committed. Its next statement
    # then sees the secret that the first one made.
    change(connection, unless_there(connection.dialect.name, secrets), name=name, value=make)
    return bytes(connection.execute(select(secrets.c.value).where(secrets.c.name == name)).scalar_one())
