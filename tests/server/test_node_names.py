"""Two processes under one name of a node: nobody is refused for it, but both say so."""

import asyncio
from collections.abc import Callable

from server.bus.memory import MemoryBus, MemoryBusNetwork
from server.store.sql import SqlStore
from tests.harness.log_lines import log_lines
from tests.harness.memory_store import memory_store
from tests.harness.node import running_node
from tests.simulation.virtual_loop import run_virtually


def told_of_names(*names: str) -> list[str]:
    """What is written down while nodes of these names run side by side for a minute."""

    async def story() -> list[str]:
        network, store = MemoryBusNetwork(), memory_store()
        clock = asyncio.get_running_loop().time
        with log_lines() as lines:
            async with asyncio.TaskGroup() as nodes:
                for name in names:
                    nodes.create_task(_runs(store, MemoryBus(network), name, clock))
        return [line["node_id"] for line in lines if line["event"] == "node_name_taken"]

    async def _runs(store: SqlStore, bus: MemoryBus, name: str, clock: Callable[[], float]) -> None:
        async with running_node(store, bus, node_id=name, clock=clock):
            await asyncio.sleep(60)

    return run_virtually(story())


def test_both_processes_of_one_name_say_so() -> None:
    told = told_of_names("box:8000", "box:8000", "other:8000")
    assert set(told) == {"box:8000"}
    assert len(told) >= 10, "not only once, for somebody may look later"


def test_nodes_with_names_of_their_own_say_nothing() -> None:
    assert told_of_names("box:8000", "box:8001") == []
