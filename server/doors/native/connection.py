"""What the gateway knows of one browser connection."""

import asyncio
from dataclasses import dataclass, field

from crdt.budget import Account
from crdt.ids import ConnectionId, DocumentId
from crdt.protocol.messages import User
from crdt.protocol.requests import ClientRequest, Fetch, Join
from crdt.protocol.uploads import Uploads
from server.auth.base import Identity
from server.doors.native.engine.engine_socket import EngineSocket
from server.doors.native.rates import ConnectionRates


@dataclass(slots=True)
class Connection:
    """One browser connection between its CONNECT and its end.

    `account` pays for what it makes us hold; `expiry` waits for the end of the identity, `expired`
    is after it.
    """

    connection_id: ConnectionId
    socket: EngineSocket
    identity: Identity
    account: Account
    uploads: Uploads
    rates: ConnectionRates
    documents: set[DocumentId] = field(default_factory=set)
    strikes: int = 0
    expiry: asyncio.TimerHandle | None = None
    expired: bool = False

    @property
    def user(self) -> User:
        """As others see them."""
        return self.identity.user

    async def admit(self, request: ClientRequest, *, answered: bool) -> None:
        """Let a request through, now or after its turn has come; raises ProtocolError(rate_limited).

        One that is answered with a part of a document waits until this connection has taken the one
        before: so the answers that wait for a peer who does not read are one, and not as many as
        were asked for.
        """
        await self.rates.admit(request, answered=answered)
        if isinstance(request, Fetch | Join):
            await self.socket.until_taken()
