"""One connection to a server: Socket.IO over a WebSocket, with `websockets`.

Events and answers are told in the order in which they come, before the next frame is read.
A connection is made once. When it is lost, whoever waits for an answer is told so.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from manyhands.errors import Refused, refused
from manyhands.wire import Frame, Packets, WireError, event_frames, update_frame

CONNECT_SECONDS = 15.0
ANSWER_SECONDS = 20.0
"""Seconds for an answer that the server can give at once, or once it has loaded the document."""

_CLOSE_SECONDS = 2.0
_OLDEST, _NEWEST = 1, 2
"""The protocol that every server speaks, and the newest one that is spoken here."""

Hear = Callable[[str, list[Any]], None]
Answered = Callable[[Any], None]


class Lost(Exception):
    """The connection is gone, or did not come about. The text says why."""


class _Terms(NamedTuple):
    """Seconds after which a silent server is gone, and the protocol that both sides speak."""

    silence: float
    protocol: int


class Link:
    """An open connection. `lost` is done when it is over."""

    def __init__(self, socket: ClientConnection, terms: _Terms, hear: Hear) -> None:
        self.lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._socket = socket
        self._silence, self._protocol = terms
        self._hear = hear
        self._requests = 0
        self._answers: dict[int, Answered] = {}
        # Without a bound of its own. What is sent unanswered is bounded by whoever sends.
        self._outgoing: asyncio.Queue[list[Frame]] = asyncio.Queue()

    def tell(self, event: str, *arguments: Any, answered: Answered | None = None) -> None:
        """Send an event. `answered` gets the answer, or is never called if the link is lost."""
        number = None
        if answered is not None:
            self._requests += 1
            number = self._requests
            self._answers[number] = answered
        if event == "update" and number is not None and self._protocol > 1:
            document_id, *after, batch = arguments
            self._outgoing.put_nowait([update_frame(number, document_id, after[0] if after else None, batch)])
        else:
            self._outgoing.put_nowait(event_frames(number, event, arguments))

    async def ask(self, event: str, *arguments: Any, seconds: float = ANSWER_SECONDS) -> Any:
        """Send an event and wait for the answer. Raises Refused, or Lost."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.tell(event, *arguments, answered=lambda answer: None if future.done() else future.set_result(answer))
        done, _ = await asyncio.wait({future, self.lost}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if future not in done:
            raise Lost(self.lost.result() if self.lost.done() else f"The server did not answer to `{event}`.")
        answer = future.result()
        if isinstance(answer, dict) and "error" in answer:
            raise refused(answer["error"])
        return answer

    def hang_up(self, why: str) -> None:
        """Count as lost from now on. Whoever opened the link then closes the socket."""
        if not self.lost.done():
            self.lost.set_result(why)

    async def run(self) -> None:
        """Read and write until the connection is over, and say so."""
        why = "The connection was closed."
        writing = asyncio.create_task(self._write())
        try:
            await self._read()
        except TimeoutError:
            why = f"The server has said nothing for {self._silence:g} seconds."
        except (WebSocketException, OSError, WireError) as error:
            why = str(error) or why
        finally:
            writing.cancel()
            await asyncio.gather(writing, return_exceptions=True)
            self._answers.clear()
            self.hang_up(why)

    async def _write(self) -> None:
        with contextlib.suppress(WebSocketException, OSError):  # reading fails as well, and says why
            while True:
                for frame in await self._outgoing.get():
                    await self._socket.send(frame)

    async def _read(self) -> None:
        packets = Packets()
        while True:
            async with asyncio.timeout(self._silence):
                frame = await self._socket.recv()
            if frame == "2":  # ping
                self._outgoing.put_nowait(["3"])
                continue
            if isinstance(frame, str):
                if not frame.startswith("4"):
                    return
                frame = frame[1:]
            packet = packets.take(frame)
            if packet is None:
                continue
            if packet.kind == "disconnected":
                return
            self._take(packet.kind, packet.number, packet.content)

    def _take(self, kind: str, number: int | None, content: Any) -> None:
        if not isinstance(content, list):
            raise WireError("An event is no list.")
        if kind == "answer":
            answered = self._answers.pop(number or 0, None)
            if answered is not None:
                answered(content[0] if content else None)
        elif kind == "event" and content and isinstance(content[0], str):
            self._hear(content[0], content[1:])


@asynccontextmanager
async def open_link(
    url: str, document_id: str, greeting: Mapping[str, Any], headers: Mapping[str, str], hear: Hear
) -> AsyncIterator[Link]:
    """Connect to the server at `url` (http or https) for a while. Raises Lost, or Refused."""
    query = urlencode({"EIO": 4, "transport": "websocket", "document": document_id})
    address = f"ws{url.removeprefix('http')}/socket.io/?{query}"
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            socket = await connect(
                address,
                additional_headers=headers,
                compression=None,  # updates are small and dense
                open_timeout=None,
                ping_interval=None,  # the server pings
                close_timeout=_CLOSE_SECONDS,
                max_size=None,  # the server's own limit holds
            )
    except InvalidStatus as error:
        raise _reason(error) from error
    except (OSError, WebSocketException, TimeoutError) as error:
        raise Lost(str(error) or "The server did not answer in time.") from error
    try:
        link = Link(socket, await _greet(socket, greeting), hear)
        running = asyncio.create_task(link.run())
        try:
            yield link
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    finally:
        await socket.close()


def _reason(error: InvalidStatus) -> Lost | Refused:
    """Return why the handshake was refused, in the server's words if it has said some."""
    try:
        return refused(json.loads(error.response.body)["error"])
    except (ValueError, KeyError, TypeError):
        return Lost(str(error))


async def _greet(socket: ClientConnection, greeting: Mapping[str, Any]) -> _Terms:
    """Say who is there, and return what the server has answered."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            opened = await socket.recv(decode=True)
            if not opened.startswith("0"):
                raise WireError("This is no server of Engine.IO.")
            times = json.loads(opened[1:])
            payload = json.dumps({"protocol": _OLDEST, "newest": _NEWEST, **greeting}, separators=(",", ":"))
            await socket.send(f"40{payload}")
            answer = await _answer(socket)
            content = answer.content if isinstance(answer.content, dict) else {}
            if answer.kind == "refused":
                raise refused(content.get("data") or content)
            if answer.kind != "connected":
                raise WireError("The server did not greet.")
            silence = float(times["pingInterval"] + times["pingTimeout"]) / 1000
            return _Terms(silence, _NEWEST if content.get("protocol") == _NEWEST else _OLDEST)
    except (OSError, WebSocketException, WireError, ValueError, KeyError, TypeError, TimeoutError) as error:
        raise Lost(str(error) or "The server did not answer in time.") from error


async def _answer(socket: ClientConnection) -> Any:
    while True:
        frame = await socket.recv(decode=True)
        if frame == "2":
            await socket.send("3")
        elif frame.startswith("4"):
            packet = Packets().take(frame[1:])
            if packet is not None:
                return packet
        else:
            raise WireError("The server closed the connection.")
