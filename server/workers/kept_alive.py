"""A worker's HTTP connections: a request that belongs to another worker goes there, together with its connection.

Browsers, and proxies still more, send requests of many documents and sessions over one connection that is kept alive. The first one has
brought the connection here; each further one is looked at before it is read. What names no place stays where it is.
"""

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Any

from server.http.request_heads import BoundedHttpProtocol
from server.workers.places import MAX_LINE_BYTES, Anywhere, Place, Session, place_named

GiveBack = Callable[[bytes, socket.socket], bool]
"""Takes a connection of which some bytes were read; False: cannot."""


class SharedHttpProtocol(BoundedHttpProtocol):
    """uvicorn's protocol, for a connection that came with a request for `place` to worker `number`."""

    def __init__(self, *, place: Place | None, number: int, give_back: GiveBack, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._here = (None, Anywhere(), Session(number), place)
        self._give_back = give_back
        self._first = True

    def data_received(self, data: bytes) -> None:
        """Read a request, unless it is somebody else's."""
        foreign = self._is_between_requests() and place_named(data[:MAX_LINE_BYTES]) not in self._here
        if not foreign or not self._is_given_back(data):
            super().data_received(data)

    def _is_between_requests(self) -> bool:
        cycle = self.cycle
        if cycle is None or not cycle.response_complete or cycle.more_body or self._in_head:
            return False
        return self.transport.get_write_buffer_size() == 0  # what is still to be sent would be lost with our hold on it

    def _is_given_back(self, data: bytes) -> bool:
        connection = socket.socket(fileno=os.dup(self.transport.get_extra_info("socket").fileno()))
        if not self._give_back(data, connection):
            connection.close()
            return False
        self._unset_keepalive_if_required()
        self.transport.abort()  # only our hold on it: nothing is sent
        return True


class Arrival(asyncio.Protocol):
    """The first moment of a connection that was passed: `protocol` is given what the parent has read of it."""

    def __init__(self, protocol: BoundedHttpProtocol, head: bytes) -> None:
        self._protocol = protocol
        self._head = head

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Step aside."""
        transport.set_protocol(self._protocol)
        self._protocol.connection_made(transport)
        self._protocol.data_received(self._head)
