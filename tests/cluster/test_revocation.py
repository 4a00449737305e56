"""What an owner takes away on one node is gone on the others within a second, while everybody writes.

The nodes of this cluster look into the database only once a minute: what they find out sooner, they
were told.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import pytest_asyncio

from tests.cluster.breakable import NODES, BreakableCluster, breakable_cluster
from tests.cluster.marks import CLUSTER
from tests.cluster.people import PatientTypist, everybody_writing, more_is_saved, people_at
from tests.harness.bell import Bell

pytestmark = CLUSTER

Report = Callable[[str, object], None]

POLL = 60


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def patient_cluster() -> AsyncIterator[BreakableCluster]:
    async with breakable_cluster({"MANYHANDS_POLL_SECONDS": str(POLL)}) as cluster:
        yield cluster


class Subject(PatientTypist):
    """Writes for as long as it may, and notes when it was told something else."""

    def __init__(self, url: str, document_id: str, name: str, bell: Bell) -> None:
        super().__init__(url, document_id, name, bell)
        self.told: list[tuple[str, float]] = []
        """A role, or the code with which the door was closed; and when."""
        self.refused: set[str] = set()

    def _new_socket(self) -> Any:
        socket = super()._new_socket()
        socket.on("role", self._role)
        return socket

    def _role(self, _document_id: str, role: str) -> None:
        self._note(role)

    def _closed(self, _document_id: str, error: Any) -> None:
        self.joined = False
        self._note(error["code"])

    def _note(self, word: str) -> None:
        self.told.append((word, time.monotonic()))
        self.bell.ring()

    def _answered(self, request: int, answer: dict[str, Any]) -> None:
        code = answer.get("error", {}).get("code")
        if code is None:
            super()._answered(request, answer)
        else:
            self._in_flight.pop(request, None)
            self.refused.add(code)
            self.bell.ring()

    async def is_told(self, word: str) -> float:
        """When this was said."""
        await self.bell.until(lambda: any(said == word for said, _ in self.told))
        return next(at for said, at in self.told if said == word)


class Owner:
    """Somebody whose browser keeps its cookie, at one node."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._documents = f"{url}/api/documents"
        self.document_id = ""

    async def makes_a_document(self) -> None:
        """A newcomer is given a cookie by the first answer."""
        async with self._http.get(self._documents) as answer:
            assert answer.status == 200
        async with self._http.post(self._documents, json={"title": "Story"}) as made:
            assert made.status == 201, await made.text()
            self.document_id = (await made.json())["id"]

    async def sets_link(self, role: str | None) -> float:
        """Change what the address lets everybody do; when it was asked for."""
        began = time.monotonic()
        async with self._http.put(f"{self._documents}/{self.document_id}/link", json={"role": role}) as answer:
            assert answer.status == 200, await answer.text()
        return began


@asynccontextmanager
async def an_owner_at(url: str) -> AsyncIterator[Owner]:
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        owner = Owner(http, url)
        await owner.makes_a_document()
        yield owner


@asynccontextmanager
async def subjects_of(cluster: BreakableCluster, document_id: str) -> AsyncIterator[list[Subject]]:
    """Two people on each node, who came by the address."""
    bell = Bell()
    async with AsyncExitStack() as exits:
        subjects = []
        for number in range(2 * len(NODES)):
            subject = Subject(cluster.node_url(number % len(NODES)), document_id, f"Subject{number}", bell)
            exits.push_async_callback(subject.close)
            await subject.open()
            subjects.append(subject)
        yield subjects


async def test_roles_and_doors_follow_on_every_node_while_everybody_writes(
    patient_cluster: BreakableCluster, record_property: Report
) -> None:
    cluster = patient_cluster
    elsewhere = await cluster.new_document()
    async with (
        an_owner_at(cluster.node_url(0)) as owner,
        subjects_of(cluster, owner.document_id) as subjects,
        people_at([cluster.node_url(node) for node in NODES], elsewhere) as neighbours,
        everybody_writing(neighbours),
        everybody_writing(subjects),
    ):
        await more_is_saved(subjects, 100)
        for word, role in (("viewer", "viewer"), ("editor", "editor"), ("forbidden", None)):
            began = await owner.sets_link(role)
            seconds = [await subject.is_told(word) - began for subject in subjects]
            record_property(f"seconds until the last of six was told: {word}", max(seconds))
            assert max(seconds) < POLL / 2, "it came by the hint, for nobody has looked yet"
            if word == "viewer":
                await subjects[0].bell.until(lambda: all("forbidden" in subject.refused for subject in subjects))
        await more_is_saved(neighbours)
    for subject in subjects:
        assert not subject.surprises, subject.surprises
    text, tokens = await cluster.stored_screen(owner.document_id)
    assert text
    assert tokens >= set[str]().union(*(subject.saved for subject in subjects)), "what was taken stays taken"


async def test_who_was_shut_out_finds_no_way_back_on_any_node(patient_cluster: BreakableCluster) -> None:
    cluster = patient_cluster
    async with an_owner_at(cluster.node_url(1)) as owner, subjects_of(cluster, owner.document_id) as subjects:
        await owner.sets_link(None)
        for subject in subjects:
            await subject.is_told("forbidden")
        for subject in subjects:
            answer = await subject.socket.call(
                "join", (owner.document_id, {"state_vector": b"\0", "client_id": subject.doc.client_id})
            )
            assert answer["error"]["code"] == "not_found"
