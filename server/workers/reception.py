"""Takes the connections of all workers at one address, and gives each to the worker that its first line names.

Until `open`, and while no worker is there, connections wait in the kernel. When all workers are leaving they still get people: whoever
asks whether the server is ready must hear that it is not.
"""

import asyncio
import itertools
import socket

from server.cli.address import NO_ROOM, tell_if_out_of_files
from server.workers.channel import Channel
from server.workers.lobby import Lobby
from server.workers.places import MAX_LINE_BYTES, Anywhere, Place, best_first, place_named

_AT_ONCE = 64
"""Connections accepted in one turn of the loop."""

_PAUSE = 1.0
"""Seconds without accepting, when there are no more open files to be had."""


class Reception:
    """Accepts from `listener` while it knows a worker; to be opened when all are there, or the first one would get everybody."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._lobby = Lobby(self._pass_on)
        self._ready: dict[int, Channel] = {}
        self._avoided: dict[int, Channel] = {}
        self._turn = itertools.count()
        self._open = self._accepting = False
        self._pause: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def open(self) -> None:
        """Begin to accept."""
        self._open = True
        self._accept_or_not()

    def ready(self, number: int, channel: Channel) -> None:
        """A worker takes people."""
        self._avoided.pop(number, None)
        self._ready[number] = channel
        self._accept_or_not()

    def avoid(self, number: int) -> None:
        """A worker is leaving, or is silent: nobody is sent there who can go elsewhere."""
        if number in self._ready:
            self._avoided[number] = self._ready.pop(number)

    def gone(self, number: int) -> None:
        """A worker is not there any more; whom it has not taken yet goes elsewhere."""
        channel = self._ready.pop(number, None) or self._avoided.pop(number, None)
        self._accept_or_not()
        for head, connection in channel.close() if channel is not None else ():
            if connection is not None:
                self.take_back(head, connection)

    def take_back(self, head: bytes, connection: socket.socket) -> None:
        """Find another worker for a connection of which `head` was read."""
        self._pass_on(place_named(head[:MAX_LINE_BYTES]) or Anywhere(), head, connection)

    def close(self) -> None:
        """Take nobody any more."""
        self._ready.clear()
        self._avoided.clear()
        self._accept_or_not()
        self._lobby.close()

    def _pass_on(self, place: Place, head: bytes, connection: socket.socket) -> None:
        channels = self._ready or self._avoided
        for number in best_first(place, channels, next(self._turn)):
            if channels[number].send(head, connection):
                return
        connection.close()  # they come back after a pause, as they do when a server is gone

    def _accept_or_not(self) -> None:
        wanted = self._open and bool(self._ready or self._avoided)
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
                if error.errno not in NO_ROOM:
                    raise
                tell_if_out_of_files()
                self._loop.remove_reader(self._listener)
                self._pause = self._loop.call_later(_PAUSE, self._loop.add_reader, self._listener, self._accept)
                return
            connection.setblocking(False)
            self._lobby.enter(connection)
