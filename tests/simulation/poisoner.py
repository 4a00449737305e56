"""A poisoner, whose edits the document engine does not take.

None of these edits may be acknowledged or shown, and nobody else may lose a word by them.
"""

import asyncio

from pycrdt import Map

from crdt.protocol.messages import Acknowledged, JoinAnswer, Refused, ServerMessage
from tests.simulation.client import SimClient
from tests.simulation.world import World

POISON = "poison"
"""The text with which every node's engine fails."""

FIRST_CLIENT_ID = 9000


class Poisoner(SimClient):
    """A client with an id of its own, which sends one such edit, and one behind it."""

    world: World

    def join_answered(self, answer: JoinAnswer | Refused) -> None:
        """Send the edits."""
        if isinstance(answer, JoinAnswer):
            self.joined = True
            tokens = self.doc.get("tokens", type=Map)
            for word in (f"{POISON}.{self.name}", f"behind.{self.name}"):
                before = self.doc.get_state()
                tokens[word] = True
                self._unsent_tokens = {word}
                self._send([self.doc.get_update(before)])

    def answered(self, request: object, answer: Acknowledged | Refused) -> None:
        """Report a broken promise if an edit is acknowledged that cannot have been applied."""
        tokens = self._in_flight.pop(request, set())
        if isinstance(answer, Acknowledged) and any(token.startswith(POISON) for token in tokens):
            self.world.broken.append(f"{self.name}: acknowledged, and never applied")

    def told(self, message: ServerMessage) -> None:
        """Ignore all messages."""


async def poison(world: World, number: int) -> None:
    """Join, send the edits, and leave."""
    somebody = Poisoner(f"poisoner{number}", FIRST_CLIENT_ID + number, world.random, world)
    somebody.world = world
    world.connect(somebody)
    await asyncio.sleep(0.3)
    if somebody.connection is not None:
        world.cut(somebody.connection)
