"""Sweeper: cuts a socket whose backlog does not move, and no other."""

import asyncio
from typing import Any

from msgspec import Struct

from crdt.budget import unbounded
from server.doors.sweeper import SWEEP_SECONDS, Sweeper
from tests.simulation.virtual_loop import run_virtually


class _Socket(Struct, eq=False):
    address: str = "192.0.2.1"
    backlog: int = 0
    unread: int = 0
    taken: int = 0
    is_cut: bool = False

    def end(self, *, cut: bool = False) -> None:
        self.is_cut = cut


def test_only_a_backlog_that_does_not_move_for_long_costs_the_connection() -> None:
    run_virtually(story())


async def story() -> None:
    idle, deaf, slow, late = _Socket(), _Socket(backlog=100), _Socket(backlog=100), _Socket(backlog=100)
    sockets: dict[Any, Any] = dict(enumerate([idle, deaf, slow, late]))
    sweeper = Sweeper(unbounded(), stall_seconds=10 * SWEEP_SECONDS)
    sweeper.watch(sockets, {})
    sweeper.start()
    for second in range(8):
        await asyncio.sleep(SWEEP_SECONDS)
        slow.taken += 1
        late.backlog = 0 if second == 4 else 100  # everything was taken once, and more has come
    assert not any(socket.is_cut for socket in sockets.values())
    await asyncio.sleep(3 * SWEEP_SECONDS)
    assert [socket.is_cut for socket in sockets.values()] == [False, True, False, False]
    await asyncio.sleep(10 * SWEEP_SECONDS)
    assert [socket.is_cut for socket in sockets.values()] == [False, True, True, True]
    sweeper.stop()
