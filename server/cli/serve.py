"""The server's run at a port that is taken: it opens the application, serves, and stops in order.

Every mistake of an operator is refused as CannotStart, with one sentence, before anybody is served.
"""

import asyncio
import contextlib
import ctypes
import gc
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from types import FrameType

import uvicorn
import uvloop

from crdt.errors import ManyhandsError
from server.app import App, create_app
from server.cli.address import SPARE, CannotStart, allow_open_files, introduce, more_signals, tell_if_out_of_files
from server.config import Config
from server.doors.native.lane.fast_lane import websocket_protocol
from server.http.requests import BoundedHttpProtocol
from server.observe import log

CLOSING_SECONDS = 1
"""Seconds for which uvicorn waits for unfinished answers, after the application has stopped."""

YOUNG_OBJECTS = 10_000
"""New objects between two runs of the garbage collector.

Few of our objects form cycles, and a returning crowd makes many objects that stay. Python's default
of 700 takes a twentieth of the processor time then.
"""

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""glibc's numbers of the two options that `give_memory_back` sets."""

MAPPED_BYTES = 256 * 2**10
"""Size from which on a piece of memory returns to the system as soon as it is freed.

A part of a document or of an upload is as large.
"""


def give_memory_back() -> None:
    """Make glibc return memory to the system after a rush. Harmless with another C library.

    By default, glibc raises its threshold to the largest piece that was ever freed. Then it keeps
    nearly all memory of the peak. After a dozen people fetched 20 MB each and left, it kept 292 of
    313 MB. With the threshold that is set here, it kept 111 of 132 MB.
    """
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES)
        libc.mallopt(M_TRIM_THRESHOLD, 4 * MAPPED_BYTES)


class Server(uvicorn.Server):
    """uvicorn's server, but it stops the application before it closes connections.

    A second signal cuts the stop short. uvicorn's own server raises the signal again at its end,
    and so dies of it. SIGQUIT, and SIGHUP from a terminal that is closed, work like SIGTERM.
    Without a handler they would end the process, and all connections, at once.
    """

    def __init__(
        self, config: uvicorn.Config, stop: Callable[[], Awaitable[None]], started: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._stop = stop
        self._announce = started
        self._signalled = False
        self._leaving, self._hurry = asyncio.Event(), asyncio.Event()
        self._loop = asyncio.get_running_loop()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and call `started`."""
        await super().startup(sockets)
        give_memory_back()
        # The objects of the start stay for ever, so the collector need not look at them again.
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS)
        self._announce()

    async def main_loop(self) -> None:
        """Wait for the end, and tick once a second for the date in answers.

        uvicorn's own loop ticks ten times a second, even when nobody is there.
        """
        ticks_per_second = 10
        while not await self.on_tick(ticks_per_second):
            tell_if_out_of_files()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._leaving.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop the application while its connections still work, and then close them.

        The listening sockets close first, so no client can connect, not even to be refused. A
        balancer then tries the next node by itself, and clients that are sent away do not come back
        to this node.
        """
        for server in self.servers:
            server.close()
        for each in sockets or []:
            each.close()
        stopping, hurry = asyncio.ensure_future(self._stop()), asyncio.ensure_future(self._hurry.wait())
        await asyncio.wait({stopping, hurry}, return_when=asyncio.FIRST_COMPLETED)
        hurry.cancel()
        if not stopping.done():
            log.warning("server_stop_cut_short", reason="a second signal")
            stopping.cancel()
        try:
            await stopping
        except asyncio.CancelledError:
            pass
        except Exception:  # noqa: BLE001 - connections must close, and the store after them, after any error
            log.exception("task_failed", task="stop")
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle the signals that end the server."""
        with super().capture_signals():
            former = {number: signal.signal(number, self.handle_exit) for number in more_signals()}
            try:
                yield
            finally:
                for number, handler in former.items():
                    signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of signal handlers
        """Begin to stop. A second signal cuts the stop short."""
        if self._signalled:
            self.force_exit = True
            self._loop.call_soon_threadsafe(self._hurry.set)
        self._signalled = True
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._leaving.set)


def run(config: Config, listener: socket.socket, say: Callable[[str], None]) -> None:
    """Serve until a signal comes. Raises CannotStart. `say` gets the lines for the operator."""
    try:
        if config.places.database_url is None:
            config.places.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"The data directory {config.places.data_dir} cannot be made: {error.strerror}.") from error
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(config, listener, say))
    except ManyhandsError as error:
        raise CannotStart(error.message) from error


async def _serve(config: Config, listener: socket.socket, say: Callable[[str], None]) -> None:
    allow_open_files(config.connections.max_connections + SPARE)
    app = create_app(config)
    async with app.running():
        port = listener.getsockname()[1]
        server = Server(server_config(config, app), app.stop, lambda: introduce(config, port, say))
        await server.serve([listener])
    log.info("server_stopped")


def server_config(config: Config, app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app.asgi,
        interface="asgi3",
        loop="none",  # uvicorn runs in our loop
        lifespan="off",  # a failed start must be an exception here, not a line in uvicorn's log
        http=BoundedHttpProtocol,
        ws=websocket_protocol(),
        ws_max_size=app.gateway.message_bytes,  # a message that the gateway refuses is not even read
        ws_per_message_deflate=False,  # a small message must not unpack to a large one
        ws_ping_interval=None,  # Engine.IO has its own pings
        limit_concurrency=config.connections.max_connections + SPARE,
        timeout_graceful_shutdown=CLOSING_SECONDS,
        proxy_headers=bool(config.listen.trusted_proxies),
        forwarded_allow_ips=list(config.listen.trusted_proxies),
        server_header=False,
        access_log=False,
        log_config=None,
    )
