"""y-websocket's protocol, for clients of its `WebsocketProvider`, versions 1 to 4, at `/y/{name}`.

One connection is in one document. docs/doors.md says what is promised to these clients, and what
not.
"""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, assert_never

from crdt.errors import Code, ProtocolError
from crdt.protocol import yprotocols as y
from crdt.protocol.messages import JoinAnswer
from server.auth.base import unauthenticated
from server.doors.websocket import WebsocketConnection, WebsocketDoor
from server.doors.wire import Messages, Wire
from server.doors.yjs_door import Cursors, News, Updates, Word
from server.doors.yjs_end import EXPIRED, End

PATH = "/y/"


class YWebsocketDoor(WebsocketDoor):
    """All connections of y-websocket's clients on this node."""

    def write(self, key: str, news: News) -> Messages:  # noqa: ARG002 - a connection has one document
        match news:
            case Updates(updates):
                return Messages([y.encode_update(update) for update in updates])
            case Cursors(content):
                return Messages([y.encode_awareness(content)])
            case Word():
                return Messages([])
            case _:
                assert_never(news)


class Connection(WebsocketConnection):
    """One client's connection, which is in one document once the client has said what it has."""

    def __init__(self, door: YWebsocketDoor, wire: Wire, scope: Mapping[str, Any]) -> None:
        super().__init__(door, wire, scope)
        self._name: str = scope["path"].removeprefix(PATH)
        self.end: YWebsocketEnd | None = None

    async def greet(self) -> None:
        """Find out who this is, and which document they ask for."""
        loop = asyncio.get_running_loop()
        identity = await self.identify(self.asked.token)
        document_id = await self.door.names.find(self._name, identity, self.address)
        if identity.expires_at is not None:
            seconds = max(0.0, identity.expires_at - self.reception.now())
            self.timers.append(loop.call_later(seconds, self.refuse_all, unauthenticated(EXPIRED)))
        self.enter(identity)
        self.end = YWebsocketEnd(self.door, self, document_id, identity, self.asked)
        self.timers.append(loop.call_later(self.reception.limits.connect_seconds, self._miss_step_1))

    def _miss_step_1(self) -> None:
        if self.end is not None and self.end.seat_here is None:
            self.refuse_all(ProtocolError(Code.MALFORMED, "The client did not say in time what it has."))

    async def hear(self, frame: bytes) -> None:
        for message in [] if self.end is None else y.decode_messages(frame):
            if self.end is None:
                return  # what was refused is what the rest builds on
            await _act(self.end, message)

    def leave(self) -> None:
        if self.end is not None:
            self.end.leave()
            self.end = None


async def _act(end: "YWebsocketEnd", message: y.Message) -> None:
    match message:
        case y.Step1(state_vector):
            await end.join(state_vector)
        case y.Update(update, is_answer):
            await end.receive(update, is_answer=is_answer)
        case y.Awareness(entries):
            end.show(entries)
        case y.QueryAwareness():
            await end.ask_for_everybody()
        case _:
            assert_never(message)


class YWebsocketEnd(End[Messages]):
    """One client in its document. What ends it ends the connection."""

    _denied: str | None = None
    line: Connection

    async def welcome(self, answer: JoinAnswer, parts: Iterable[bytes]) -> None:
        if answer.missing is not None:
            self.push(Messages([y.step_2_head(len(answer.missing)) + answer.missing]))
        else:
            await self.line.socket.push_long(y.step_2_head(answer.chunk_bytes), parts)
        self.push(Messages([y.encode_step_1(answer.state_vector)]))

    def ask_again(self) -> None:
        self.push(Messages([y.encode_step_1(b"\0")]))

    def deny(self, refusal: ProtocolError) -> None:
        """Say it once."""
        if refusal.message != self._denied:
            self._denied = refusal.message
            self.push(Messages([y.encode_denied(refusal.message)]))
            self.line.complain(refusal)

    def close(self, code: Code, sentence: str) -> None:
        self.line.close(code, sentence)


YWebsocketDoor.connection = Connection
