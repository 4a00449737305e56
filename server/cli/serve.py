"""Runs the server: takes the port, opens the application, says where it is, and stops in the right order.

Everything that an operator can get wrong is refused as CannotStart, with one sentence, before
anybody is served.
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
from server.cli.address import SPARE, CannotStart, allow_open_files, bind, introduce, more_signals, tell_if_out_of_files
from server.config import Config
from server.doors.native.lane.fast_lane import websocket_protocol
from server.http.request_heads import BoundedHttpProtocol
from server.observe import log

CLOSING_SECONDS = 1
"""How long uvicorn waits for answers under way, after the application has stopped."""

YOUNG_OBJECTS = 10_000
"""New objects between two looks for garbage that refers to itself: little of ours does, and a
returning crowd makes many that stay. Python's 700 take a twentieth of its time then."""


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""glibc's names for what `give_memory_back` sets."""

MAPPED_BYTES = 256 * 2**10
"""Of one piece of memory, from which on it is the machine's own again as soon as it is freed: a part of a document or of an upload is."""


def give_memory_back() -> None:
    """Have glibc return what a rush has left behind; harmless where the C library is another one.

    Left to itself it raises the threshold to the largest piece that was ever freed, and then keeps
    nearly all there was at the peak: after a dozen people fetched 20 MB each and left, 292 MB
    stayed of 313, and 111 of 132 with the threshold as it is set here.
    """
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, MAPPED_BYTES)
        libc.mallopt(M_TRIM_THRESHOLD, 4 * MAPPED_BYTES)


class Server(uvicorn.Server):
    """uvicorn's server, which stops the application before it closes connections, and ends well when it is told to end.

    A second signal cuts the stop short. uvicorn's own would raise the signal again at the end and
    so die of it. SIGHUP, as from a terminal that is closed, and SIGQUIT are heeded like SIGTERM:
    unheeded they end the process at once, and everybody's connections with it.
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
        """Listen, then say so."""
        await super().startup(sockets)
        give_memory_back()
        gc.freeze()  # what is there by now stays; to look through it again and again would cost everybody time
        gc.set_threshold(YOUNG_OBJECTS)
        self._announce()

    async def main_loop(self) -> None:
        """Wait for the end, and keep the clock of answers right. uvicorn's own looks ten times a second, also when nobody is there."""
        ticks_per_second = 10
        while not await self.on_tick(ticks_per_second):
            tell_if_out_of_files()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._leaving.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop the application while connections are still there to hear of it, then close them.

        First of all nobody gets in any more, not even to be refused: a balancer then tries the next
        node by itself, and who is sent away does not come back here.
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
        except Exception:  # noqa: BLE001 - whatever went wrong, connections are still to be closed and the store after them
            log.exception("task_failed", task="stop")
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals that tell a server to end."""
        with super().capture_signals():
            former = {number: signal.signal(number, self.handle_exit) for number in more_signals()}
            try:
                yield
            finally:
                for number, handler in former.items():
                    signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature of signal handlers
        """Take a signal."""
        if self._signalled:
            self.force_exit = True
            self._loop.call_soon_threadsafe(self._hurry.set)
        self._signalled = True
        self.should_exit = True
        self._loop.call_soon_threadsafe(self._leaving.set)


def run(config: Config, say: Callable[[str], None]) -> None:
    """Serve until a signal comes; raises CannotStart. `say` is given the lines that a person should see."""
    try:
        if config.places.database_url is None:
            config.places.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotStart(f"The data directory {config.places.data_dir} cannot be made: {error.strerror}.") from error
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(config, say))
    except ManyhandsError as error:
        raise CannotStart(error.message) from error


async def _serve(config: Config, say: Callable[[str], None]) -> None:
    listener = bind(config.listen.host, config.listen.port)
    with contextlib.closing(listener):
        allow_open_files(config.connections.max_connections + SPARE)
        app = create_app(config)
        async with app.running():
            port = listener.getsockname()[1]
            server = Server(server_config(config, app), app.stop, lambda: introduce(config, port, say))
            await server.serve([listener])
    log.info("server_stopped")


def server_config(config: Config, app: App) -> uvicorn.Config:
    """How uvicorn is to speak HTTP and WebSocket."""
    return uvicorn.Config(
        app,
        loop="none",  # it runs in ours
        lifespan="off",  # so that what prevents a start is an exception here and not a line in uvicorn's log
        http=BoundedHttpProtocol,
        ws=websocket_protocol(),
        ws_max_size=app.gateway.message_bytes,  # a message that the gateway would refuse is not even taken in
        ws_per_message_deflate=False,  # a small message may not unpack to a large one
        ws_ping_interval=None,  # Engine.IO has its own
        limit_concurrency=config.connections.max_connections + SPARE,
        timeout_graceful_shutdown=CLOSING_SECONDS,
        proxy_headers=bool(config.listen.trusted_proxies),
        forwarded_allow_ips=list(config.listen.trusted_proxies),
        server_header=False,
        access_log=False,
        log_config=None,
    )
