"""A large document that has just been opened: people read it already, while the gate learns, in a thread, what it must know of it."""

import asyncio

from crdt.log.replica import Replica

LATER = 0.2
"""Seconds after opening in which nothing is learned unless an edit comes: the thread would slow down the answers to those who join."""


class Learning:
    """One replica's. Whoever has an edit waits for `finish`."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._wanted = asyncio.Event()
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Learn, soon or when it is wanted."""
        try:
            try:
                async with asyncio.timeout(LATER):
                    await self._wanted.wait()
            except TimeoutError:
                pass
            self._replica.learn(await asyncio.to_thread(self._replica.read_gate))
        finally:
            self._over.set()

    async def finish(self) -> None:
        """Return when it is learned."""
        self._wanted.set()
        await self._over.wait()
