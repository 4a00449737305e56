"""Somebody whose edits the document engine does not take: none may be acknowledged or shown, and nobody else may lose a word by them."""

import asyncio

from pycrdt import Map

from crdt.protocol.messages import Acknowledged, JoinAnswer, Refused, ServerMessage
from tests.simulation.client import SimClient
from tests.simulation.world import World

POISON = "poison"
"""What an edit holds that every node's engine fails with."""

FIRST_CLIENT_ID = 9000


class Poisoner(SimClient):
    """Joins under an id of its own, sends one such edit and one behind it, and listens to nothing."""

    world: World

    def join_answered(self, answer: JoinAnswer | Refused) -> None:
        """Send what it has."""
        if isinstance(answer, JoinAnswer):
            self.joined = True
            tokens = self.doc.get("tokens", type=Map)
            for word in (f"{POISON}.{self.name}", f"behind.{self.name}"):
                before = self.doc.get_state()
                tokens[word] = True
                self._unsent_tokens = {word}
                self._send([self.doc.get_update(before)])

    def answered(self, request: object, answer: Acknowledged | Refused) -> None:
        """Acknowledged is what has been applied."""
        tokens = self._in_flight.pop(request, set())
        if isinstance(answer, Acknowledged) and any(token.startswith(POISON) for token in tokens):
            self.world.broken.append(f"{self.name}: acknowledged, and never applied")

    def told(self, message: ServerMessage) -> None:
        """Hear nothing."""


async def poison(world: World, number: int) -> None:
    """Come, poison, and go."""
    somebody = Poisoner(f"poisoner{number}", FIRST_CLIENT_ID + number, world.random, world)
    somebody.world = world
    world.connect(somebody)
    await asyncio.sleep(0.3)
    if somebody.connection is not None:
        world.cut(somebody.connection)
