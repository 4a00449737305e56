"""Takes the connections of all workers at one address, and gives each to the worker that its first line names.

While no worker is there, connections wait in the kernel. When all of them are leaving, they still get people: whoever asks whether the
server is ready must hear that it is not.
"""

import asyncio
import errno
import itertools
import socket

from server.workers.channel import Channel
from server.workers.lobby import Lobby
from server.workers.places import MAX_LINE_BYTES, Anywhere, Place, best_first, place_named

_AT_ONCE = 64
"""Connections accepted in one turn of the loop."""

_PAUSE = 1.0
"""Seconds without accepting, when there are no more open files to be had."""

_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


class Reception:
    """Accepts from `listener` while it knows a worker."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._lobby = Lobby(self._pass_on)
        self._ready: dict[int, Channel] = {}
        self._leaving: dict[int, Channel] = {}
        self._turn = itertools.count()
        self._accepting = False
        self._pause: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def ready(self, number: int, channel: Channel) -> None:
        """A worker takes people."""
        self._ready[number] = channel
        self._open_or_close()

    def leaving(self, number: int) -> None:
        """A worker stops: nobody is sent there who can go elsewhere."""
        if number in self._ready:
            self._leaving[number] = self._ready.pop(number)

    def gone(self, number: int) -> None:
        """A worker is not there any more; whom it has not taken yet goes elsewhere."""
        channel = self._ready.pop(number, None) or self._leaving.pop(number, None)
        self._open_or_close()
        for head, connection in channel.close() if channel is not None else ():
            if connection is not None:
                self.take_back(head, connection)

    def take_back(self, head: bytes, connection: socket.socket) -> None:
        """Find another worker for a connection of which `head` was read."""
        self._pass_on(place_named(head[:MAX_LINE_BYTES]) or Anywhere(), head, connection)

    def close(self) -> None:
        """Take nobody any more."""
        self._ready.clear()
        self._leaving.clear()
        self._open_or_close()
        self._lobby.close()

    def _pass_on(self, place: Place, head: bytes, connection: socket.socket) -> None:
        channels = self._ready or self._leaving
        for number in best_first(place, channels, next(self._turn)):
            if channels[number].send(head, connection):
                return
        connection.close()  # they come back after a pause, as they do when a server is gone

    def _open_or_close(self) -> None:
        wanted = bool(self._ready or self._leaving)
        if wanted == self._accepting:
            return
        self._accepting = wanted
        if wanted:
            self._loop.add_reader(self._listener, self._accept)
        else:
            self._loop.remove_reader(self._listener)
            if self._pause is not None:
                self._pause.cancel()

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                connection, _ = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _NO_ROOM:
                    raise
                self._loop.remove_reader(self._listener)
                self._pause = self._loop.call_later(_PAUSE, self._loop.add_reader, self._listener, self._accept)
                return
            connection.setblocking(False)
            self._lobby.enter(connection)
