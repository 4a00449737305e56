"""WebSockets of other Yjs protocols, from the handshake to the end.

A connection waits at the entrance until its person is known, and is counted from then on. Whatever
ends it has a close code and a sentence. From 4400 to 4499 it is no use to come back.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qs

from crdt.errors import Code, InvariantError, ManyhandsError, ProtocolError
from crdt.protocol.requests import Guest
from server.auth.base import Credentials, Identity
from server.auth.cookies import session_cookie
from server.doors.close_codes import CLOSE_CODES
from server.doors.entrance import next_arrival, note_foreign_page
from server.doors.reception import Reception
from server.doors.wire import Messages, Send, Wire
from server.doors.yjs_door import Names, YjsDoor
from server.doors.yjs_end import Asked, Line
from server.observe import log
from server.rooms import shutting_down

MESSAGE_BYTES = 2 * 2**10
"""Bytes of a message beside the update in it: its kind, its length, the document's name."""

TEXT = b"\x7f"
"""What stands for a message in text, or without content: an unknown kind."""

TOKEN = "token."
"""Beginning of the subprotocol that carries a token."""


class WebsocketDoor(YjsDoor[Messages]):
    """All connections of one protocol's clients on this node. `__call__` serves one by ASGI."""

    connection: ClassVar[type["WebsocketConnection"]]

    def __init__(self, reception: Reception, names: Names) -> None:
        super().__init__(reception, names)
        self.connections: dict[int, WebsocketConnection] = {}
        """Those that were let in, by arrival."""
        self._wires: dict[int, Wire] = {}
        """All, by arrival."""
        reception.sweeper.watch(self._wires, self.connections)

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Send) -> None:
        await receive()
        reception, address = self.reception, (scope.get("client") or ("",))[0]
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        origin = headers.get(b"origin")
        if origin is not None and not reception.origins.allow(origin, {"HTTP_HOST": headers.get(b"host", "")}):
            note_foreign_page(origin)
            await send({"type": "websocket.close", "code": 1008})
        elif not reception.entrance.knock(address):
            reception.complaints.note("too many handshakes", address, set())
            await send({"type": "websocket.close", "code": 1008})
        else:
            await self._serve(scope, receive, Wire(send, address))

    async def _serve(self, scope: Mapping[str, Any], receive: Any, wire: Wire) -> None:
        connection, reception = self.connection(self, wire, scope), self.reception
        self._wires[connection.arrival] = wire
        reception.sweeper.start()
        try:
            await wire.accept(_subprotocol(scope))
            await connection.listen(receive)
        except OSError:
            pass  # the peer is gone
        finally:
            connection.leave()
            wire.let_go()
            del self._wires[connection.arrival]
            inside = self.connections.pop(connection.arrival, None) is not None
            if inside:
                reception.users.leave(connection.person)
            reception.entrance.leave(wire.address, was_inside=inside)

    def drain(self, spread_ms: int) -> None:
        """Let nobody in any more, and send everybody away, each at a moment within this time."""
        self.draining = True
        loop, refusal = asyncio.get_running_loop(), shutting_down()
        for turn, connection in enumerate(self.connections.values()):
            loop.call_later(spread_ms / 1000 * turn / len(self.connections), connection.refuse_all, refusal)

    def close(self) -> None:
        """Cut whoever is still here."""
        super().close()
        for connection in list(self.connections.values()):
            connection.abort()


class WebsocketConnection(Line[Messages], ABC):
    """One client's connection: the line of its ends."""

    socket: Wire
    person: str

    def __init__(self, door: WebsocketDoor, wire: Wire, scope: Mapping[str, Any]) -> None:
        super().__init__(wire, door.reception)
        self.arrival = next_arrival()
        self.timers: list[asyncio.TimerHandle] = []
        self.asked = _asked(scope)
        self._cookie = session_cookie(scope)
        self.door = door

    async def identify(self, token: str | None) -> Identity:
        """Find out who brings this token; raises ManyhandsError."""
        if self.door.draining:
            raise shutting_down()
        return await self.reception.authenticator.identify(Credentials(self._cookie, token, Guest()))

    def enter(self, identity: Identity) -> None:
        """Let the person in; raises ProtocolError."""
        self.person = identity.user.user_id
        self.account = self.reception.account(identity, self.address)
        self.reception.users.enter(self.person)
        try:
            self.reception.entrance.enter(self.address)
        except ProtocolError:
            self.reception.users.leave(self.person)
            raise
        self.door.connections[self.arrival] = self
        # One message may hold all that was written offline. A stranger's may not.
        self.socket.bound_messages(self.reception.rooms.limits.update_bytes + MESSAGE_BYTES)

    async def listen(self, receive: Any) -> None:
        """Act on everything that comes, in order, until the connection's end."""
        await self._try(self.greet())
        while (event := await receive())["type"] == "websocket.receive":
            await self._try(self.hear(event.get("bytes") or TEXT))

    async def _try(self, deed: Any) -> None:
        try:
            await deed
        except ManyhandsError as refusal:
            self.refuse_all(refusal)
        except Exception:  # noqa: BLE001 - a bug of ours costs one connection
            log.exception("event_failed", kind=type(self).__name__)
            self.refuse_all(InvariantError("The server made a mistake."))

    @abstractmethod
    async def greet(self) -> None:
        """Begin, with what the handshake says; raises ManyhandsError."""

    @abstractmethod
    async def hear(self, frame: bytes) -> None:
        """Act on a message; raises ManyhandsError."""

    @abstractmethod
    def leave(self) -> None:
        """Leave all documents."""

    # Ends.

    def refuse_all(self, refusal: ManyhandsError) -> None:
        """End the connection, and say why: to the client, and in one line of the log."""
        if not self.socket.closed:
            if refusal.code is not Code.DRAINING:
                self.complain(refusal)
            self.close(refusal.code, refusal.outward)

    def close(self, code: Code, sentence: str) -> None:
        """End the connection with a code and a sentence."""
        self.socket.close(CLOSE_CODES[code], sentence)
        for timer in self.timers:
            timer.cancel()
        self.leave()


def _asked(scope: Mapping[str, Any]) -> Asked:
    """Return what a client shows by its address and headers."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    given = {name: values[-1] for name, values in query.items()}
    offered = [each.removeprefix(TOKEN) for each in scope.get("subprotocols", ()) if each.startswith(TOKEN)]
    return Asked.of({**given, "token": given.get("token") or next(iter(offered), None)})


def _subprotocol(scope: Mapping[str, Any]) -> str | None:
    """Return the subprotocol to agree on: the first that is no token. Answers repeat no token."""
    return next((each for each in scope.get("subprotocols", ()) if not each.startswith(TOKEN)), None)


WRONG_PLACE = (
    "This is Manyhands. Its WebSockets are at /socket.io/ (the native protocol, and y-socket.io), "
    "for y-websocket at /y/<document>: new WebsocketProvider('wss://<this server>/y', '<document>', doc), and "
    "for Hocuspocus at /hocuspocus: new HocuspocusProvider({url: 'wss://<this server>/hocuspocus', name: '<document>'})."
)


async def no_door(scope: Mapping[str, Any], receive: Any, send: Send) -> None:
    """Refuse a WebSocket where there is no door, and say to both sides where the doors are."""
    await receive()
    log.info("no_door", reason=WRONG_PLACE, address=(scope.get("client") or ("",))[0])
    await send({"type": "websocket.http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "websocket.http.response.body", "body": WRONG_PLACE.encode() + b"\n"})
