"""Clients of all doors in one document, on all nodes behind the balancer: they agree, and see each other."""

from random import Random
from typing import Any

from tests.cluster.breakable import NODES, BreakableCluster
from tests.cluster.marks import CLUSTER
from tests.cluster.onlooker import Onlooker
from tests.cluster.people import all_replicas_agree, everybody_writing, more_is_saved, people_at
from tests.doors.stock import Stock, stock_clients
from tests.harness.bell import Bell
from tests.harness.typist import all_agree

pytestmark = CLUSTER

ROOT = "text"
"""The text that the native typists write."""

DOORS = (3, "hocuspocus-3", "hocuspocus-4", "y-socket.io")


def strangers_at(cluster: BreakableCluster) -> dict[str, dict[str, Any]]:
    """A stock client of each door at each node. y-websocket's are all where the document is at home."""
    found: dict[str, dict[str, Any]] = {}
    for node in NODES:
        home = cluster.affinity[node]
        for door in DOORS:
            way: dict[str, Any] = {"version": door, "root": ROOT}
            if str(door).startswith("hocuspocus"):
                way["path"] = f"/hocuspocus?document={home}"
            elif door == "y-socket.io":
                way["query"] = {"document": home}
            found[f"{door} at {node}"] = way
    return found


async def scribble(stock: Stock, random: Random, people: list[str], times: int) -> None:
    """Have stock clients write and delete anywhere in the document."""
    for _ in range(times):
        words = random.choice(("", "so ", "it ", "goes "))
        await stock.do("scribble", random.choice(people), words=words, place=random.random())


async def test_clients_of_all_doors_agree_and_see_each_other_though_a_node_is_killed(
    cluster: BreakableCluster,
) -> None:
    document_id, random = await cluster.new_document(), Random(11)
    doors = [cluster.door(node) for node in NODES]
    async with people_at(doors, document_id) as people, stock_clients(cluster.url) as stock:
        strangers = strangers_at(cluster)
        for who, way in strangers.items():
            await stock.open(who, document_id, **way)
        names = list(strangers)
        async with everybody_writing(people):
            await scribble(stock, random, names, 60)
            await cluster.kill(1)
            await scribble(stock, random, names, 60)
            await more_is_saved(people)
        for who in names:
            await stock.sees(who, lambda seen: seen["synced"] and seen["connected"])
        await cluster.start(1)
        await all_equal(stock, names, people)
        await all_replicas_agree(cluster, document_id, people)
        onlooker = Onlooker(cluster.door(2), document_id, "Onlooker", Bell())
        await onlooker.open()
        try:
            await onlooker.points({"cursor": "mine"})
            await see_each_other(stock, names, onlooker)
        finally:
            await onlooker.close()


async def all_equal(stock: Stock, names: list[str], people: list[Any]) -> None:
    """Wait until every screen holds the same, when nobody writes any more."""
    while True:
        text = str((await all_agree(people))[0])
        seen = [(await stock.do("look", who))["text"] for who in names]
        if all(each == text for each in seen) and str(people[0].text) == text:
            return


async def see_each_other(stock: Stock, names: list[str], onlooker: Onlooker) -> None:
    """Give everybody a cursor, and wait until everybody sees all."""
    for who in names:
        await stock.do("show", who, state={"user": {"name": who}, "cursor": f"of {who}"})
    own = {who: str((await stock.do("look", who))["own"]) for who in names}
    everybody = {own[who]: f"of {who}" for who in names} | {str(onlooker.doc.client_id): "mine"}
    for who in names:
        await stock.sees(
            who,
            lambda seen: everybody.items() <= {key: each.get("cursor") for key, each in seen["states"].items()}.items(),
        )
    expected = {f"of {who}" for who in names}
    await onlooker.bell.until(lambda: expected <= {state.get("cursor") for _, state in onlooker.sees})
