"""Request heads: two bounds that uvicorn's HTTP protocol lacks, on a head's size and its time.

Without them a connection that sends nothing stays for ever, and a connection that sends headers
without end fills the memory.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 64 * 2**10
"""Most bytes of the request line and the headers, give or take one read from the socket.

The cookies of a whole domain take a tenth of it.
"""

HEAD_SECONDS = 15.0
"""Seconds until a head must be complete.

They count from the connection's opening, or from the first byte of a further request.
"""


class BoundedHttpProtocol(HttpToolsProtocol):
    """Closes a connection if a request's head is too large or too slow.

    A subclass may set `head_seconds`.
    """

    head_seconds = HEAD_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._in_head = True
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_complete()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what arrives before the head is complete."""
        super().data_received(data)
        if self._in_head and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._head_complete()
                self.send_400_response("The request's headers are too large.")

    def on_message_begin(self) -> None:
        """Begin to wait for the end of a head whose first byte is here."""
        super().on_message_begin()
        self._await_head()

    def on_headers_complete(self) -> None:
        self._head_complete()
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection to the WebSocket protocol, with the parsed head if it can use that.

        uvicorn's way writes the head out again, for the next protocol to parse a second time.
        """
        instead_of = getattr(self.ws_protocol_class, "instead_of", None)
        protocol = None if instead_of is None else instead_of(self)
        if protocol is None:
            super().handle_websocket_upgrade()
        else:
            self.connections.discard(self)
            self.transport.set_protocol(protocol)

    def _await_head(self) -> None:
        self._head_complete()
        self._in_head = True
        self._head_bytes = 0
        self._head_timer = self.loop.call_later(self.head_seconds, self.transport.abort)

    def _head_complete(self) -> None:
        self._in_head = False
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
