"""The relay: a cut at any moment leaves no connection behind, which would fail another test."""

import asyncio
import gc
import socket

import pytest

from tests.harness.ports import quiet_port
from tests.harness.relay import Relay


@pytest.mark.parametrize("hangs_up", [True, False])
def test_whoever_comes_while_it_is_cut_is_let_go(hangs_up: bool) -> None:
    async def story(turns: int) -> None:
        async with Relay(quiet_port(), quiet_port()) as relay:
            visitor = socket.create_connection(("127.0.0.1", relay.port))
            if hangs_up:
                visitor.close()
            for _ in range(turns):
                await asyncio.sleep(0)
        visitor.close()

    for turns in range(8):
        asyncio.run(story(turns))
    gc.collect()
