"""The native protocol through python-socketio's own client, over WebSocket and over long-polling only."""

import json
from collections.abc import AsyncIterator

import pytest

from crdt.protocol.messages import Limits
from server.rooms import RoomSettings
from tests.harness.live_server import LiveServer, serving
from tests.harness.person import Person, person
from tests.harness.raw_socket import raw_socket

pytestmark = pytest.mark.usefixtures("both_ways")


@pytest.fixture
async def server() -> AsyncIterator[LiveServer]:
    async with serving() as live:
        yield live


@pytest.fixture(params=["websocket", "polling"])
async def people(request: pytest.FixtureRequest, server: LiveServer) -> AsyncIterator[list[Person]]:
    async with person(server, request.param, "Alice") as alice, person(server, request.param, "Bob") as bob:
        yield [alice, bob]


async def test_two_people_write_and_each_has_the_others_words(server: LiveServer, people: list[Person]) -> None:
    alice, bob = people
    document_id = await server.new_document()
    answer = await alice.join(document_id)
    assert answer["role"] == "editor"
    assert answer["document"] == {"title": "Story", "trashed_at": None}
    await bob.join(document_id)
    assert await alice.ask("update", document_id, alice.types("Once")) == {"seq": 1}
    assert (await bob.hears("update"))[:2] == (document_id, 1)
    assert await bob.ask("update", document_id, bob.types(" upon a time")) == {"seq": 2}
    await alice.hears("update")
    assert str(alice.text) == str(bob.text) == "Once upon a time"


async def test_who_comes_later_gets_what_is_there_and_sees_who_is_there(
    server: LiveServer, people: list[Person]
) -> None:
    alice, bob = people
    document_id = await server.new_document()
    await alice.join(document_id)
    await alice.ask("update", document_id, alice.types("Once"))
    assert await alice.ask("presence", document_id, {"state": {"cursor": 3}}) == {}
    answer = await bob.join(document_id)
    assert str(bob.text) == "Once"
    (other,) = answer["presence"]
    assert other["user"]["name"] == "Alice"
    assert other["state"] == {"cursor": 3}
    assert other["client_id"] == alice.doc.client_id


async def test_presence_reaches_the_others_and_goes_with_the_connection(
    server: LiveServer, people: list[Person]
) -> None:
    alice, bob = people
    document_id = await server.new_document()
    await bob.join(document_id)
    await alice.join(document_id)
    await alice.ask("presence", document_id, {"state": {"cursor": 1}})
    while (change := (await bob.hears("presence"))[1][-1])["state"] != {"cursor": 1}:
        pass
    await alice.client.disconnect()
    while (gone := (await bob.hears("presence"))[1][-1])["state"] is not None:
        pass
    assert gone["presence_id"] == change["presence_id"]


async def test_a_second_name_is_announced_and_the_id_stays(server: LiveServer, people: list[Person]) -> None:
    alice, bob = people
    document_id = await server.new_document()
    await alice.join(document_id)
    await bob.join(document_id)
    first = await alice.ask("authenticate", {"guest": {"name": "Alicia", "color": "#123ABC"}})
    second = await alice.ask("authenticate", {"guest": {"color": "red"}})
    assert first == second
    assert (first["user"]["name"], first["user"]["color"]) == ("Alicia", "#123abc")


async def test_a_batch_in_parts_is_acknowledged_like_any_other(server: LiveServer, people: list[Person]) -> None:
    alice, bob = people
    document_id = await server.new_document()
    await alice.join(document_id)
    await bob.join(document_id)
    batch = alice.types("word " * 3000)
    for offset in range(0, len(batch), 4000):
        part = {"offset": offset, "total": len(batch)}
        answer = await alice.ask("upload", document_id, part, batch[offset : offset + 4000])
        assert answer == ({"seq": 1} if offset + 4000 >= len(batch) else {"received": offset + 4000})
    await bob.hears("update")
    assert str(bob.text) == "word " * 3000


async def test_a_large_document_is_announced_and_fetched_in_parts() -> None:
    settings = RoomSettings(limits=Limits(part_bytes=1000))
    async with serving(settings=settings) as server, person(server) as alice, person(server) as bob:
        document_id = await server.new_document()
        await alice.join(document_id)
        batch = alice.types("word " * 3000)
        for offset in range(0, len(batch), 1000):
            part = {"offset": offset, "total": len(batch)}
            answer = await alice.ask("upload", document_id, part, batch[offset : offset + 1000])
        assert answer == {"seq": 1}
        answer = await bob.join(document_id)
        assert answer["missing"] is None
        parts = [
            (await bob.ask("fetch", document_id, {"index": index}))["chunk"]
            for index in range(answer["chunks"]["count"])
        ]
        assert sum(map(len, parts)) == answer["chunks"]["bytes"]
        bob.doc.apply_update(b"".join(parts))
        assert str(bob.text) == "word " * 3000


async def test_one_connection_holds_two_documents_and_leaves_one(server: LiveServer, people: list[Person]) -> None:
    alice, bob = people
    first, second = await server.new_document(), await server.new_document()
    for document_id in (first, second):
        await alice.join(document_id)
    await bob.join(second)
    assert await alice.ask("leave", first) == {}
    refusal = await alice.ask("update", first, alice.types("lost"))
    assert refusal["error"]["code"] == "not_joined"
    await bob.ask("update", second, bob.types("kept"))
    assert (await alice.hears("update"))[0] == second


async def test_draining_sends_people_away_in_turns_and_lets_nobody_in(server: LiveServer, people: list[Person]) -> None:
    alice, bob = people
    document_id = await server.new_document()
    await alice.join(document_id)
    server.gateway.drain(250)
    pauses = [(await person.hears("draining"))[0]["after_ms"] for person in people]
    assert sorted(pauses) == [0, 125]
    assert "seq" in await alice.ask("update", document_id, alice.types("until she goes"))
    assert (await bob.ask("join", document_id, {"state_vector": b"\0", "client_id": 7}))["error"]["code"] == "draining"
    async with raw_socket(server.port) as late:
        await late.send("40")
        answer = await late.receive()
        assert str(answer).startswith("44")
        assert json.loads(str(answer)[2:])["data"]["code"] == "draining"
