"""A bus that drops, repeats, delays and reorders messages, and cuts nodes off without a word.

The port allows all of this. A node that was cut off is told so when it is back, as by a bus that
knows that it was away.
"""

import asyncio
from collections.abc import Callable
from random import Random
from typing import Self

from crdt.ids import DocumentId, NodeId
from crdt.protocol.hints import Hint
from server.bus.base import Receiver
from server.bus.memory import MemoryBus, MemoryBusNetwork


class Air:
    """The air between the nodes, shared by all of them.

    `loss` is the chance of each fault per message. `delay` is in seconds, at most.
    """

    def __init__(self, random: Random) -> None:
        self.random = random
        self.network = MemoryBusNetwork()
        self.loss = 0.0
        self.delay = 0.0
        self.nodes: list[FaultyBus] = []

    def cut_off(self, bus: "FaultyBus") -> None:
        """Cut a node off in both directions."""
        bus.connected = False

    def join_again(self) -> None:
        """Join all nodes again, and tell those that were cut off that messages may be lost."""
        for bus in self.nodes:
            if not bus.connected:
                bus.connected = True
                for recovered in bus.recovered:
                    recovered()


class FaultyBus:
    """One node's bus."""

    def __init__(self, air: Air) -> None:
        self.connected = True
        self.recovered: list[Callable[[], None]] = []
        self._air = air
        self._inner = MemoryBus(air.network)

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        self._air.nodes.append(self)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        if self in self._air.nodes:
            self._air.nodes.remove(self)
        await self._inner.__aexit__(*exc_info)

    async def subscribe(self, document_id: DocumentId, receiver: Receiver) -> None:
        def hear(document_id: DocumentId, node: NodeId, message: Hint) -> None:
            if self.connected:
                receiver(document_id, node, message)

        await self._inner.subscribe(document_id, hear)

    async def unsubscribe(self, document_id: DocumentId) -> None:
        await self._inner.unsubscribe(document_id)

    def on_recovered(self, recovered: Callable[[], None]) -> None:
        self.recovered.append(recovered)

    def publish(self, document_id: DocumentId, message: Hint) -> None:
        air = self._air
        if not self.connected or (air.loss and air.random.random() < air.loss):
            return
        copies = 2 if air.loss and air.random.random() < air.loss else 1
        for _ in range(copies):
            if air.delay:
                delay = air.random.uniform(0.0, air.delay)
                asyncio.get_running_loop().call_later(delay, self._inner.publish, document_id, message)
            else:
                self._inner.publish(document_id, message)
