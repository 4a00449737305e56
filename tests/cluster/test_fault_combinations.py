"""Several parts of the cluster fail at once and in any order, drawn from a seed, while people write on all nodes.

More seeds: CLUSTER_SEEDS=100 pytest tests/cluster/test_fault_combinations.py.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random

import pytest
from redis.exceptions import RedisError

from tests.cluster.breakable import NODES, BreakableCluster
from tests.cluster.marks import CLUSTER
from tests.cluster.people import all_replicas_agree, everybody_writing, more_is_saved, people_at

pytestmark = CLUSTER

SEEDS = range(int(os.environ.get("CLUSTER_SEEDS", "3")))
ROUNDS = 2
FAULTS_AT_ONCE = 3
A_TRY = 1.0
"""Seconds that a Redis which does not answer is asked for."""
HAND = ROUNDS * FAULTS_AT_ONCE
"""Faults of one story."""

Fault = Callable[[BreakableCluster, int], Awaitable[object]]


async def pause(cluster: BreakableCluster, node: int) -> None:
    cluster.pause(node)


async def pause_redis(cluster: BreakableCluster, _node: int) -> None:
    cluster.pause_redis()


async def flush_redis(cluster: BreakableCluster, _node: int) -> None:
    await careless_with_redis(cluster, "FLUSHALL")


async def cut_subscribers(cluster: BreakableCluster, _node: int) -> None:
    await careless_with_redis(cluster, "CLIENT", "KILL", "TYPE", "pubsub")


async def careless_with_redis(cluster: BreakableCluster, *command: str) -> None:
    """Redis may be dead or frozen just now: then nothing more happens to it."""
    with suppress(RedisError, TimeoutError):
        async with asyncio.timeout(A_TRY):
            await cluster.ask_redis(*command)


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
    "Redis is emptied": flush_redis,
    "Redis' subscribers are cut": cut_subscribers,
    "PostgreSQL is killed": lambda cluster, _: cluster.kill_postgres(),
    "PostgreSQL is stopped": lambda cluster, _: cluster.stop_postgres(),
    "HAProxy is reloaded": reload_haproxy,
}


def faults_of(seed: int) -> list[str]:
    """What happens in one story: a hand out of a shuffled pack, so that three stories in a row hold every fault."""
    pack = Random(seed // 3).sample(sorted(FAULTS), len(FAULTS))
    first = seed % 3 * HAND
    return [pack[place % len(pack)] for place in range(first, first + HAND)]


async def test_three_stories_hold_every_fault() -> None:
    for first in (0, 3, 30):
        assert set(FAULTS) == {name for seed in range(first, first + 3) for name in faults_of(seed)}


@pytest.mark.parametrize("seed", SEEDS)
async def test_several_things_go_wrong_at_once(cluster: BreakableCluster, seed: int) -> None:
    chance = Random(seed)
    document_id = await cluster.new_document()
    doors = [cluster.door(node) for _ in range(2) for node in NODES]
    faults = faults_of(seed)
    async with people_at(doors, document_id, seed=seed) as people:
        async with everybody_writing(people):
            for first in range(0, HAND, FAULTS_AT_ONCE):
                await more_is_saved(people)
                for name in faults[first : first + FAULTS_AT_ONCE]:
                    cluster.lines.append(f"Now {name}.")
                    await FAULTS[name](cluster, chance.choice(NODES))
                    await asyncio.sleep(chance.uniform(0, 2))
                await cluster.heal()
            await more_is_saved(people)
        await all_replicas_agree(cluster, document_id, people)
