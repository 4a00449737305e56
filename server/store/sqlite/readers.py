"""Readers: threads that read, each with a connection of its own.

Taking a connection from a pool, and giving it back, would cost as much as a small query.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine

T = TypeVar("T")


class Readers:
    """At most `threads` threads, made on demand with their connections, and kept until `close`."""

    def __init__(self, engine: Engine, threads: int) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(threads, "store-reader")
        self._own = threading.local()
        self._connections: set[Connection] = set()

    def run(self, job: Callable[[], T]) -> "asyncio.Future[T]":
        """Run a job in a free thread."""
        return asyncio.get_running_loop().run_in_executor(self._threads, job)

    def read(self, job: Callable[[Connection], T]) -> T:
        """Run a job in a transaction. Only the threads may call this.

        After an error the thread takes another connection.
        """
        connection = self._connection()
        try:
            with connection.begin():
                return job(connection)
        except BaseException:
            del self._own.connection
            self._connections.discard(connection)
            connection.invalidate()
            connection.close()
            raise

    def close(self) -> None:
        """Let everything under way end, and close the connections."""
        self._threads.shutdown(wait=True)
        for connection in self._connections:
            connection.close()

    def _connection(self) -> Connection:
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = self._engine.connect()
            self._connections.add(connection)
        return connection
