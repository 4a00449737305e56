"""Requests of two people at once, over two nodes: the second comes between the first one's question and its change.

A node asks the store what somebody may do, and then has it done. Here another node's change falls
in between, each time.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import httpx
import pytest

from crdt.ids import DocumentId
from crdt.permissions import Role
from server.store.catalogue import SqlCatalogue
from server.store.deeds_base import OPERATOR, Done
from server.store.sharing import SqlSharing
from tests.contracts.storages import NOON
from tests.harness.memory_store import memory_store
from tests.server.http_site import Clock, Site, error_of

Elsewhere = Callable[[], Awaitable[Any]]


class Between:
    """What another node does once, just before a change of this node."""

    def __init__(self) -> None:
        self.elsewhere: Elsewhere | None = None

    async def happens(self) -> None:
        elsewhere, self.elsewhere = self.elsewhere, None
        if elsewhere is not None:
            await elsewhere()


class LateCatalogue(SqlCatalogue):
    """A catalogue whose changes come after another node's."""

    between: Between

    async def delete(self, document_id: DocumentId, *, by: str = OPERATOR, only_trashed: bool = False) -> Done | None:
        await self.between.happens()
        return await super().delete(document_id, by=by, only_trashed=only_trashed)

    async def set_trashed(
        self, document_id: DocumentId, trashed_at: datetime | None, *, by: str = OPERATOR
    ) -> Done | None:
        await self.between.happens()
        return await super().set_trashed(document_id, trashed_at, by=by)


class LateSharing(SqlSharing):
    """Sharing whose changes come after another node's."""

    between: Between

    async def grant(self, document_id: DocumentId, user_id: str, role: Role, *, by: str = OPERATOR) -> Done | None:
        await self.between.happens()
        return await super().grant(document_id, user_id, role, by=by)

    async def adopt(self, document_id: DocumentId, user_id: str, *, by: str = OPERATOR) -> Done | None:
        await self.between.happens()
        return await super().adopt(document_id, user_id, by=by)

    async def revoke(self, document_id: DocumentId, user_id: str, *, by: str = OPERATOR) -> Done | None:
        await self.between.happens()
        return await super().revoke(document_id, user_id, by=by)


class Cluster:
    """A node under test, and another one that is quicker."""

    def __init__(self) -> None:
        self.between = Between()
        store, clock = memory_store(), Clock()
        catalogue, sharing = LateCatalogue(store.database, clock.utc), LateSharing(store.database, clock.utc)
        catalogue.between = sharing.between = self.between
        self.quick = memory_store()
        self.quick.catalogue, self.quick.sharing = store.catalogue, store.sharing
        store.catalogue, store.sharing = catalogue, sharing
        self.site = Site(store)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


async def ask(client: httpx.AsyncClient, name: str, method: str, path: str = "", json: Any = None) -> httpx.Response:
    return await client.request(method, f"/api/documents{path}", json=json, headers={"x-name": name})


async def made(client: httpx.AsyncClient, name: str = "anna") -> DocumentId:
    answer = await ask(client, name, "POST", json={"title": "Story"})
    return DocumentId(answer.json()["id"])


async def owner_of(cluster: Cluster, document_id: DocumentId) -> str | None:
    owner = (await cluster.quick.sharing.access([document_id], []))[document_id].owner
    return None if owner is None else owner.user_id


async def test_what_another_node_restores_meanwhile_is_not_deleted(cluster: Cluster) -> None:
    """It may have new words by then."""
    async with cluster.site.client() as client:
        document_id = await made(client)
        await ask(client, "anna", "POST", f"/{document_id}/trash")
        cluster.between.elsewhere = lambda: cluster.quick.catalogue.set_trashed(document_id, None)
        assert error_of(await ask(client, "anna", "DELETE", f"/{document_id}")) == (409, "forbidden")
        assert (await ask(client, "anna", "GET", f"/{document_id}")).json()["trashed_at"] is None


async def test_what_two_nodes_put_into_the_trash_is_there_since_the_first_and_by_one_deed(cluster: Cluster) -> None:
    async with cluster.site.client() as client:
        document_id = await made(client)
        cluster.between.elsewhere = lambda: cluster.quick.catalogue.set_trashed(document_id, NOON, by="bert")
        answer = await ask(client, "anna", "POST", f"/{document_id}/trash")
        assert answer.json()["trashed_at"] == NOON.isoformat()
        deeds = await cluster.site.store.deeds.list(document_id)
        assert [(deed.kind, deed.by) for deed in deeds] == [("trash", "bert"), ("create", "anna")]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_who_becomes_the_owner_meanwhile_stays_so(cluster: Cluster, method: str) -> None:
    """Without an owner the document would belong to everybody."""
    async with cluster.site.client() as client:
        document_id = await made(client)
        await ask(client, "anna", "POST", f"/{document_id}/people", {"user_id": "bert", "role": "editor"})
        cluster.between.elsewhere = lambda: cluster.quick.sharing.grant(document_id, "bert", Role.OWNER)
        body = {"role": "viewer"} if method == "PUT" else None
        assert error_of(await ask(client, "anna", method, f"/{document_id}/people/bert", body)) == (409, "forbidden")
        assert await owner_of(cluster, document_id) == "bert"


async def test_of_two_who_adopt_a_document_at_once_the_first_keeps_it(cluster: Cluster) -> None:
    async with cluster.site.client() as client:
        document_id = DocumentId((await client.post("/api/documents", json={})).json()["id"])
        cluster.between.elsewhere = lambda: cluster.quick.sharing.grant(document_id, "bert", Role.OWNER)
        answer = await ask(client, "anna", "PUT", f"/{document_id}/link", {"role": "viewer"})
        assert error_of(answer) == (403, "forbidden")
        assert await owner_of(cluster, document_id) == "bert"
