"""Identities of connections: found out at CONNECT, renewed over the open connection, expiring."""

import asyncio
from collections.abc import Callable

from crdt.errors import Code, ProtocolError
from crdt.protocol.requests import Authenticate, Guest, decode_connect
from server.auth.base import Authenticator, Credentials, Identity, somebody_else
from server.auth.cookies import rename
from server.doors.native.connection import Connection
from server.doors.native.engine.engine_socket import EngineSocket


class Identities:
    """Asks the authenticator.

    `now`: unix seconds. `expired` is told of a connection whose identity has run out.
    """

    def __init__(
        self, authenticator: Authenticator, now: Callable[[], float], expired: Callable[[Connection], None]
    ) -> None:
        self._authenticator = authenticator
        self._now = now
        self._expired = expired

    async def recognise(self, socket: EngineSocket, payload: object) -> Identity:
        """Find out who comes; raises ManyhandsError. Nothing has changed if they go meanwhile."""
        greeting = decode_connect(payload)
        return await self._authenticator.identify(Credentials(socket.take_cookie(), greeting.token, greeting.guest))

    async def renew(self, before: Identity, request: Authenticate) -> Identity:
        """Return a guest under another name, or the same person by a fresh token.

        A connection never becomes somebody else's. Raises ManyhandsError, and then the identity
        from before holds.
        """
        if request.guest is not None:
            if before.kind != "guest":
                raise ProtocolError(Code.FORBIDDEN, "Your name comes from where you signed in: change it there.")
            return rename(before, request.guest)
        if before.kind == "guest":
            raise ProtocolError(Code.FORBIDDEN, "This server takes no tokens: everybody is a guest.")
        identity = await self._authenticator.identify(Credentials(None, request.token, Guest()))
        if identity.user.user_id != before.user.user_id:
            raise somebody_else()
        return identity

    def await_expiry(self, connection: Connection) -> None:
        """Begin to wait for the end of a connection's identity, if it has one.

        An earlier wait is cancelled.
        """
        if connection.expiry is not None:
            connection.expiry.cancel()
        connection.expired, connection.expiry = False, None
        expires_at = connection.identity.expires_at
        if expires_at is not None:
            seconds = max(0.0, expires_at - self._now())
            connection.expiry = asyncio.get_running_loop().call_later(seconds, self._expire, connection)

    def _expire(self, connection: Connection) -> None:
        connection.expired = True
        self._expired(connection)
