"""Somebody who may edit the document, and writes under another person's client id to silence them: nothing of it may reach the log."""

import asyncio
from typing import Any

from pycrdt import Doc, Map

from crdt.protocol.messages import Acknowledged, JoinAnswer, Refused, ServerMessage
from tests.simulation.client import SimClient
from tests.simulation.world import World

FORGED = "forged"
"""What the token of a forged edit begins with."""

FIRST_CLIENT_ID = 5000


class Intruder(SimClient):
    """Joins under an id and a key of its own, sends what it has forged, and listens to nothing.

    It says that it has seen nothing, so that its node sees no reason to catch up with the log
    first.
    """

    forged: Doc[Any]

    def join_answered(self, answer: JoinAnswer | Refused) -> None:
        """Send the forged edit, with all of its past that this node may not have seen."""
        if isinstance(answer, JoinAnswer):
            self.joined = True
            self._send([self.forged.get_update(answer.state_vector)])

    def answered(self, request: object, answer: Acknowledged | Refused) -> None:
        """Whether it is acknowledged says nothing: the log does."""

    def told(self, message: ServerMessage) -> None:
        """Hear nothing."""


async def intrude(world: World, number: int) -> None:
    """Go on, on any node, where the log says that somebody was who has been acknowledged once, so that the id is bound."""
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
