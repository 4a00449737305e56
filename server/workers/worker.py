"""One worker: a whole node that takes its connections from the parent. Run as `python -m server.workers.worker DESCRIPTOR`."""

import asyncio
import os
import socket
import sys
from functools import partial

import structlog
import uvloop

from crdt.errors import ManyhandsError
from server import observe
from server.app import App, create_app
from server.cli.address import SPARE, CannotStart, allow_open_files
from server.cli.serve import Server, server_config
from server.config.loading import version
from server.observe import log
from server.workers import words
from server.workers.channel import Channel, receive_word, send_word
from server.workers.kept_alive import Arrival, SharedHttpProtocol
from server.workers.places import place_named, session_mark


class Worker:
    """Serves until the parent says stop, or is gone, or a signal comes."""

    def __init__(self, task: words.Task, end: socket.socket) -> None:
        self._task = task
        self._channel = Channel(end, self._hear, self._stop)
        self._app: App = create_app(task.config)
        self._app.gateway.mark_sessions(session_mark(task.number))
        self._server = Server(server_config(task.config, self._app), self._leave, self._begin)
        self._arriving: set[asyncio.Task[None]] = set()

    async def serve(self) -> None:
        """Do all of it; raises CannotStart or ManyhandsError when it cannot begin."""
        allow_open_files(self._task.config.connections.max_connections + SPARE)
        async with self._app.running():
            await self._server.serve([])
        log.info("server_stopped")

    def _begin(self) -> None:
        log.info("server_started", version=version(), port=self._task.port, pid=os.getpid())
        self._channel.send(words.READY)
        self._channel.listen()

    async def _leave(self) -> None:
        self._channel.send(words.LEAVING)
        try:
            await self._app.stop()
        finally:
            for _, connection in self._channel.close():
                if connection is not None:
                    connection.close()

    def _stop(self) -> None:
        """The parent has died, or wants an end."""
        self._server.leave()

    def _hear(self, message: bytes, connection: socket.socket | None) -> None:
        if connection is not None:
            arriving = asyncio.ensure_future(self._welcome(message, connection))
            self._arriving.add(arriving)
            arriving.add_done_callback(self._arriving.discard)
        elif message == words.PING:
            self._channel.send(words.PONG)
        elif message == words.STOP:
            self._stop()
        elif message == words.HURRY:
            self._server.leave(at_once=True)

    async def _welcome(self, head: bytes, connection: socket.socket) -> None:
        protocol = SharedHttpProtocol(
            place=place_named(head),
            number=self._task.number,
            give_back=self._channel.send,
            config=self._server.config,
            server_state=self._server.server_state,
            app_state=self._server.lifespan.state,
        )
        try:
            loop = asyncio.get_running_loop()
            await loop.connect_accepted_socket(partial(Arrival, protocol, head), connection)
        except OSError:
            connection.close()  # the peer has left meanwhile


def main() -> None:
    """Be a worker."""
    end = socket.socket(fileno=int(sys.argv[1]))
    end.set_inheritable(False)
    message = receive_word(end)
    if not message:
        return  # the parent is gone already
    task = words.Task.decode(message)
    observe.configure(task.config.logs.log_level, task.config.logs.log_format)
    structlog.contextvars.bind_contextvars(worker=task.number)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(task, end))
    except (CannotStart, ManyhandsError) as error:
        send_word(end, words.REFUSED + str(getattr(error, "message", error)).encode())
        sys.exit(2)


async def _serve(task: words.Task, end: socket.socket) -> None:
    await Worker(task, end).serve()


if __name__ == "__main__":
    main()
