"""An intruder who may edit the document, and writes under another person's client id.

The intruder wants to silence that person. None of the forged edits may reach the log.
"""

import asyncio
from typing import Any

from pycrdt import Doc, Map

from crdt.protocol.messages import Acknowledged, JoinAnswer, Refused, ServerMessage
from tests.simulation.client import SimClient
from tests.simulation.world import World

FORGED = "forged"
"""The prefix of a forged edit's token."""

FIRST_CLIENT_ID = 5000


class Intruder(SimClient):
    """A client with an id and a key of its own, which sends forged edits, and listens to nothing.

    It says that it has seen nothing, so that its node sees no reason to catch up with the log
    first.
    """

    forged: Doc[Any]

    def join_answered(self, answer: JoinAnswer | Refused) -> None:
        """Send the forged edit, with its past that this node may not have seen."""
        if isinstance(answer, JoinAnswer):
            self.joined = True
            self._send([self.forged.get_update(answer.state_vector)])

    def answered(self, request: object, answer: Acknowledged | Refused) -> None:
        """Ignore the answer, because only the log tells whether the edit got through."""

    def told(self, message: ServerMessage) -> None:
        """Ignore all messages."""


async def intrude(world: World, number: int) -> None:
    """Send an edit under the client id of a person who has been acknowledged once, to any node.

    The id is bound, because that person has a row in the log.
    """
    victims = [client for client in world.clients if client.acknowledged]
    if not victims:
        return
    victim = world.random.choice(victims)
    intruder = Intruder(f"intruder{number}", FIRST_CLIENT_ID + number, world.random, world)
    intruder.forged = Doc(client_id=victim.client_id)
    intruder.forged.apply_update((await world.stored()).get_update())
    intruder.forged.get("tokens", type=Map)[f"{FORGED}.{number}"] = True
    world.connect(intruder)
    await asyncio.sleep(0.3)
    if intruder.connection is not None:
        world.cut(intruder.connection)
