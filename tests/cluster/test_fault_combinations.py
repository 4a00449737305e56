"""Several parts of the cluster fail at once and in any order, drawn from a seed, while people write on all nodes.

More seeds: CLUSTER_SEEDS=100 pytest tests/cluster/test_fault_combinations.py.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from tests.cluster.breakable import NODES, BreakableCluster
from tests.cluster.marks import CLUSTER
from tests.cluster.people import all_replicas_agree, everybody_writing, more_is_saved, people_at

pytestmark = CLUSTER

SEEDS = range(int(os.environ.get("CLUSTER_SEEDS", "3")))
FAULTS_AT_ONCE = 3

Fault = Callable[[BreakableCluster, int], Awaitable[object]]


async def pause(cluster: BreakableCluster, node: int) -> None:
    cluster.pause(node)


async def pause_redis(cluster: BreakableCluster, _node: int) -> None:
    cluster.pause_redis()


async def slow_postgres(cluster: BreakableCluster, node: int) -> None:
    cluster.slow_postgres(node, 0.2)


async def reload_haproxy(cluster: BreakableCluster, _node: int) -> None:
    cluster.reload_haproxy()


FAULTS: dict[str, Fault] = {
    "a node is killed": BreakableCluster.kill,
    "a node is frozen": pause,
    "a node is restarted": BreakableCluster.stop,
    "a node is cut from Redis": BreakableCluster.cut_redis,
    "a node is cut from PostgreSQL": BreakableCluster.cut_postgres,
    "PostgreSQL is slow for a node": slow_postgres,
    "Redis is killed": lambda cluster, _: cluster.kill_redis(),
    "Redis is frozen": pause_redis,
    "PostgreSQL is killed": lambda cluster, _: cluster.kill_postgres(),
    "PostgreSQL is stopped": lambda cluster, _: cluster.stop_postgres(),
    "HAProxy is reloaded": reload_haproxy,
}


@pytest.mark.parametrize("seed", SEEDS)
async def test_several_things_go_wrong_at_once(cluster: BreakableCluster, seed: int) -> None:
    chance = Random(seed)
    document_id = await cluster.new_document()
    doors = [cluster.door(node) for _ in range(2) for node in NODES]
    async with people_at(doors, document_id, seed=seed) as people:
        async with everybody_writing(people):
            for _ in range(2):
                await more_is_saved(people)
                for name in chance.sample(sorted(FAULTS), FAULTS_AT_ONCE):
                    cluster.lines.append(f"Now {name}.")
                    await FAULTS[name](cluster, chance.choice(NODES))
                    await asyncio.sleep(chance.uniform(0, 2))
                await cluster.heal()
            await more_is_saved(people)
        await all_replicas_agree(cluster, document_id, people)
