"""Starts as many workers as the settings say, keeps them running, and ends when all of them have left.

It neither speaks HTTP nor knows documents. What can be done wrong at a start is refused as CannotStart, in the words of the first
worker that cannot; later, a worker that cannot start again is tried again, later each time.
"""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import replace

import uvloop

from server.cli.address import SPARE, CannotStart, allow_open_files, bind, introduce, more_signals
from server.config import Config
from server.observe import log
from server.workers.lobby import MAX_SEATS
from server.workers.process import WorkerProcess
from server.workers.reception import Reception
from server.workers.words import Task

FIRST_PAUSE, LONGEST_PAUSE = 0.25, 30.0
"""Seconds before a worker that has ended is started again; twice as long each time."""

LONG_LIFE = 60.0
"""Seconds after which a worker's end is not counted with the ones before it."""

SILENCE = 30
"""Seconds after which a worker that says nothing is killed, so that its people move: longer than the largest document takes to open."""

DYING_SECONDS = 10.0
"""For a worker to be gone, after the time that the settings give it to stop."""


def run_workers(config: Config, say: Callable[[str], None]) -> None:
    """Serve with several workers until a signal comes; raises CannotStart. `say` is given the lines that a person should see."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        in_good_order = runner.run(_serve(config, say))
    log.info("server_stopped")
    if not in_good_order:
        sys.exit(1)


async def _serve(config: Config, say: Callable[[str], None]) -> bool:
    listener = bind(config.listen.host, config.listen.port)
    with contextlib.closing(listener):
        allow_open_files(MAX_SEATS + SPARE)
        port = listener.getsockname()[1]
        parent = Parent(config, listener)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, *more_signals()):
            loop.add_signal_handler(number, parent.stop)
        return await parent.serve(lambda: introduce(config, port, say))


class Parent:
    """The workers of one address."""

    def __init__(self, config: Config, listener: socket.socket, *, silence: int = SILENCE) -> None:
        """`silence`: seconds after which a worker that says nothing is killed."""
        self._config = config
        self._silence = silence
        self._port: int = listener.getsockname()[1]
        self._reception = Reception(listener)
        self._workers: dict[int, WorkerProcess] = {}
        self._stopping = asyncio.Event()
        self._introduced = False
        self._in_good_order = True

    def pid(self, number: int) -> int | None:
        """The process of a worker, while there is one."""
        return self._workers[number].pid

    async def serve(self, introduce: Callable[[], None]) -> bool:
        """Run the workers until `stop`; whether all of them left in good order. Raises CannotStart."""
        keeping = [asyncio.create_task(self._keep(number)) for number in range(1, self._config.cores.workers + 1)]
        introducing = asyncio.create_task(self._introduce(introduce))
        try:
            await asyncio.wait(keeping, return_when=asyncio.FIRST_EXCEPTION)
            for each in keeping:
                if each.done():
                    each.result()
        finally:
            for each in (introducing, *keeping):
                each.cancel()
            await asyncio.gather(introducing, *keeping, return_exceptions=True)
            self._reception.close()
        return self._in_good_order

    def stop(self) -> None:
        """Let all workers leave; asked a second time, at once."""
        hurried = self._stopping.is_set()
        self._stopping.set()
        for worker in self._workers.values():
            if hurried:
                worker.hurry()
            else:
                worker.stop()

    async def _introduce(self, introduce: Callable[[], None]) -> None:
        for worker in self._workers.values():
            await worker.ready.wait()
        self._introduced = True
        self._reception.open()
        introduce()

    async def _keep(self, number: int) -> None:
        """Have this worker running, until the parent is to stop; raises CannotStart."""
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            worker = self._workers[number] = WorkerProcess(self._task(number), self._reception, self._silence)
            began = asyncio.get_running_loop().time()
            code = await self._live(worker)
            if self._stopping.is_set():
                return
            if not self._introduced:
                raise CannotStart(worker.reason or f"A worker ended before it was ready ({code}): the log may say why.")
            if asyncio.get_running_loop().time() - began >= LONG_LIFE:
                pause = FIRST_PAUSE
            facts = {"worker": number, "pid": worker.pid, "code": code, "reason": worker.reason}
            log.warning("worker_ended", **facts, again_in=pause)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _live(self, worker: WorkerProcess) -> int | None:
        """Wait for a worker's end; one that does not leave in time is killed."""
        living = asyncio.ensure_future(worker.live())
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({living, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not living.done():
                was_ready = worker.ready.is_set()
                limit = self._config.shutdown.shutdown_seconds + DYING_SECONDS
                await asyncio.wait({living}, timeout=limit)
                if not living.done():
                    log.warning("server_stop_cut_short", reason="a worker did not leave in time", pid=worker.pid)
                self._in_good_order &= living.done() and (living.result() == 0 or not was_ready)
        finally:
            stopping.cancel()
            living.cancel()
            await asyncio.wait({living})
        return None if living.cancelled() else living.result()

    def _task(self, number: int) -> Task:
        listen, places = self._config.listen, self._config.places
        node_id = f"{places.node_id or f'{socket.gethostname()}:{listen.port}'}:{number}"
        return Task(number, self._port, replace(self._config, places=replace(places, node_id=node_id)))
