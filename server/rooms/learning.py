"""Indexing of a large document for the gate, in a thread, while people read it already."""

import asyncio

from crdt.log.replica import Replica

LATER = 0.2
"""Seconds after opening in which nothing is indexed, unless an edit comes.

The thread would slow down the answers to the people who join.
"""


class Learning:
    """The indexing of one replica. An edit waits for `finish`."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._wanted = asyncio.Event()
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Index the document after a while, or when the index is wanted."""
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
        """Have the indexing begin at once, and return when it is done."""
        self._wanted.set()
        await self._over.wait()
