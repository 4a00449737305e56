"""Every limit is a setting, and whoever comes to it is told so by name: over the whole server, with the setting as an operator writes it.

A limit without a story here, or a line in `ELSEWHERE`, fails the first test.
"""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image
from websockets.exceptions import ConnectionClosed

from server.config import declared
from server.config.limits import ConnectionLimits, DocumentLimits, HttpLimits, Rates
from server.config.loading import load
from tests.harness.memory_store import memory_store
from tests.harness.person import Person, person
from tests.harness.raw_socket import RawSocket, raw_socket
from tests.harness.slow_log import SlowLog
from tests.harness.whole_server import WholeServer, whole_server

KiB, MiB = 2**10, 2**20

ELSEWHERE = {
    "max_backlog_bytes": "nobody is refused: the session falls behind (test_slow_readers.py)",
    "connect_seconds": "a time (test_hostile_sockets.py)",
    "ready_seconds": "a time (test_http_health.py)",
}

Answer = dict[str, Any]
Code = str


class Visit:
    """Somebody's visit to a server with one limit, and the documents and people of the story."""

    def __init__(self, server: WholeServer, http: httpx.AsyncClient, exits: AsyncExitStack) -> None:
        self.server = server
        self.http = http
        self._exits = exits

    async def new_document(self) -> str:
        return str((await self.http.post("/api/documents", json={})).json()["id"])

    async def newcomer(self) -> str:
        """The cookie of somebody who has never been here."""
        async with self.server.browser() as http:
            me = await http.get("/api/me")
            return str(me.headers["set-cookie"].partition(";")[0])

    async def somebody(self, document_id: str | None = None, cookie: str | None = None) -> Person:
        """One who has joined, if a document is named."""
        found = await self._exits.enter_async_context(person(self.server, cookie=cookie))
        if document_id is not None:
            assert "error" not in await found.join(document_id)
        return found

    async def stranger(self) -> RawSocket:
        return await self._exits.enter_async_context(raw_socket(self.server.port))

    async def greeted(self, **headers: str) -> Code | None:
        """Connect and stay; the code, if that was refused."""
        socket = await self._exits.enter_async_context(
            raw_socket(self.server.port, additional_headers=headers) if headers else raw_socket(self.server.port)
        )
        await socket.send("40")
        answer = str(await socket.receive())
        return None if answer.startswith("40") else str(json.loads(answer[2:])["data"]["code"])

    async def writes(self, document_id: str, *sizes: int) -> Code | None:
        """Write so much at once, each upon the other; the first refusal."""
        writer = await self.somebody(document_id)
        for size in sizes:
            if (code := code_of(await writer.ask("update", document_id, writer.types("x" * size)))) is not None:
                return code
        return None


Story = Callable[[Visit], Awaitable[Code | None]]
STORIES: dict[str, tuple[str | None, Code, Story]] = {}
"""By the limit's name: its value as a setting, the code past it, and what is done. A story answers with the refusal that it met."""


def limit(name: str, value: str | None, code: Code) -> Callable[[Story], Story]:
    """Tell a limit's story. `value` None: the limit is no setting, and the story meets its only value."""

    def tell(story: Story) -> Story:
        STORIES[name] = value, code, story
        return story

    return tell


def code_of(answer: Answer) -> Code | None:
    return None if "error" not in answer else str(answer["error"]["code"])


def refused(answer: httpx.Response, status: int = 429) -> Code | None:
    assert answer.is_success or answer.status_code == status
    return None if answer.is_success else code_of(answer.json())


def test_every_limit_has_its_story() -> None:
    limits = {each.name for part in (DocumentLimits, ConnectionLimits, Rates, HttpLimits) for each in declared(part)}
    told = {name for name, (value, _, _) in STORIES.items() if value is not None}
    assert limits == told | set(ELSEWHERE)


# What a document's room accepts


@limit("max_update_bytes", "262144", "too_large")
async def a_change_in_parts_is_too_long(visit: Visit) -> Code | None:
    document_id = await visit.new_document()
    writer = await visit.somebody(document_id)
    for total in (262144, 262145):
        answer = await writer.ask("upload", document_id, {"offset": 0, "total": total}, bytes(1000))
        if total == 262144:
            assert answer == {"received": 1000}
    return code_of(answer)


@limit("max_part_bytes", "16384", "too_large")
async def a_message_is_too_long(visit: Visit) -> Code | None:
    return await visit.writes(await visit.new_document(), 15_000, 17_000)


@limit("presence_bytes", None, "too_large")
async def a_cursor_is_too_long(visit: Visit) -> Code | None:
    document_id = await visit.new_document()
    somebody = await visit.somebody(document_id)
    assert await somebody.ask("presence", document_id, {"state": {"name": "x" * 4000}}) == {}
    return code_of(await somebody.ask("presence", document_id, {"state": {"name": "x" * 4100}}))


@limit("max_document_bytes", "1048576", "document_full")
async def a_document_is_full(visit: Visit) -> Code | None:
    return await visit.writes(await visit.new_document(), *[200_000] * 7)


@limit("max_waiting_bytes", "1048576", "unavailable")
async def too_much_waits_for_the_store(visit: Visit) -> Code | None:
    document_id = await visit.new_document()
    writer = await visit.somebody(document_id)
    log = visit.server.store.log
    assert isinstance(log, SlowLog)
    log.stop()
    async with asyncio.TaskGroup() as tasks:
        asked = [
            tasks.create_task(writer.ask("update", document_id, writer.types("x" * 200_000)), name=str(number))
            for number in range(8)
        ]
        await asked[-1]  # is refused at once; the others are taken, and wait
        log.go_on()
    assert code_of(asked[0].result()) is None
    return code_of(asked[-1].result())


@limit("max_members", "1", "too_many")
async def too_many_have_a_document_open(visit: Visit) -> Code | None:
    document_id = await visit.new_document()
    await visit.somebody(document_id)
    return code_of(await (await visit.somebody()).join(document_id))


# How many may connect


@limit("max_connections", "1", "too_many")
@limit("max_connections_per_address", "1", "too_many")
async def too_many_connect(visit: Visit) -> Code | None:
    assert await visit.greeted() is None
    return await visit.greeted()


@limit("max_connections_per_user", "1", "too_many")
async def one_person_connects_too_often(visit: Visit) -> Code | None:
    cookie = await visit.newcomer()
    assert await visit.greeted(Cookie=cookie) is None
    assert await visit.greeted() is None, "others have theirs"
    return await visit.greeted(Cookie=cookie)


@limit("max_handshakes_per_address", "1", "too_many")
async def too_many_stand_at_the_door(visit: Visit) -> Code | None:
    await visit.stranger()
    answer = await visit.http.get("/socket.io/?EIO=4&transport=polling")
    return refused(answer)


@limit("greeting_bytes", None, "1009")
async def a_stranger_says_too_much(visit: Visit) -> Code | None:
    await (await visit.stranger()).connected(json.dumps({"guest": {"name": "x" * 65_000}}))
    talkative = await visit.stranger()
    await talkative.send("40" + json.dumps({"guest": {"name": "x" * 66_000}}))
    with pytest.raises(ConnectionClosed) as closed:
        await talkative.receive()
    assert closed.value.rcvd is not None
    return str(int(closed.value.rcvd.code))


@limit("max_documents_per_connection", "1", "too_many")
async def one_connection_holds_too_many_documents(visit: Visit) -> Code | None:
    holder = await visit.somebody(await visit.new_document())
    return code_of(await holder.join(await visit.new_document()))


@limit("max_open_bytes_per_user", "1048576", "too_many")
async def one_person_s_open_documents_take_too_much_memory(visit: Visit) -> Code | None:
    large, other = await visit.new_document(), await visit.new_document()
    cookie = await visit.newcomer()
    somebody = await visit.somebody(large, cookie)
    for _ in range(3):
        assert code_of(await somebody.ask("update", large, somebody.types("x" * 200_000))) is None
    assert code_of(await (await visit.somebody(large, cookie)).join(large)) is None, (
        "one that is open costs nothing more"
    )
    code = code_of(await somebody.join(other))
    await visit.somebody(other, await visit.newcomer())
    assert code_of(await somebody.join(other)) == code, "whoever else has opened it"
    return code


async def leaves_unfinished(uploader: Person, document_id: str, parts: int) -> Code | None:
    """Begin an upload of four parts and stop in its middle; the first refusal."""
    for number in range(parts):
        place = {"offset": number * 256 * KiB, "total": MiB}
        if (code := code_of(await uploader.ask("upload", document_id, place, bytes(256 * KiB)))) is not None:
            return code
    return None


@limit("max_held_bytes_per_user", "1048576", "too_many")
async def one_person_s_unfinished_uploads_are_too_much(visit: Visit) -> Code | None:
    document_id = await visit.new_document()
    cookie = await visit.newcomer()
    tabs = [await visit.somebody(document_id, cookie) for _ in range(2)]
    assert await leaves_unfinished(tabs[0], document_id, 3) is None
    others = await visit.somebody(document_id, await visit.newcomer())
    assert await leaves_unfinished(others, document_id, 3) is None, "others have theirs"
    code = await leaves_unfinished(tabs[1], document_id, 3)
    await tabs[0].ask("leave", document_id)
    assert await leaves_unfinished(tabs[1], document_id, 3) is None, "it comes back"
    return code


@limit("max_held_bytes", "2097152", "unavailable")
async def everybody_s_unfinished_uploads_are_too_much(visit: Visit) -> Code | None:
    document_id = await visit.new_document()
    people = [await visit.somebody(document_id, await visit.newcomer()) for _ in range(3)]
    for somebody in people[:2]:
        assert await leaves_unfinished(somebody, document_id, 3) is None
    return await leaves_unfinished(people[2], document_id, 3)


# How much may be asked in how short a time


@limit("join_rate", "1/1", "rate_limited")
async def joins_come_too_fast(visit: Visit) -> Code | None:
    document_id = await visit.new_document()
    return code_of(await (await visit.somebody(document_id)).join(document_id))


@limit("update_rate", "1/1", "rate_limited")
async def changes_come_too_fast(visit: Visit) -> Code | None:
    return await visit.writes(await visit.new_document(), 1, 1)


@limit("byte_rate", "1000/1000", "rate_limited")
async def content_comes_too_fast(visit: Visit) -> Code | None:
    return await visit.writes(await visit.new_document(), 800, 900)


@limit("presence_rate", "1/1", "rate_limited")
async def a_cursor_moves_too_fast(visit: Visit) -> Code | None:
    document_id = await visit.new_document()
    somebody = await visit.somebody(document_id)
    assert await somebody.ask("presence", document_id, {"state": {"at": 1}}) == {}
    return code_of(await somebody.ask("presence", document_id, {"state": {"at": 2}}))


@limit("request_rate", "1/1", "rate_limited")
async def requests_come_too_fast(visit: Visit) -> Code | None:
    assert (await visit.http.get("/api/me")).is_success
    return refused(await visit.http.get("/api/me"))


@limit("creation_rate", "1/1", "rate_limited")
async def documents_are_made_too_fast(visit: Visit) -> Code | None:
    await visit.new_document()
    return refused(await visit.http.post("/api/documents", json={}))


# What the REST API accepts


def picture(side: int) -> bytes:
    """One that cannot be packed: three bytes for each of its points."""
    buffer = BytesIO()
    Image.frombytes("RGB", (side, side), secrets.token_bytes(3 * side * side)).save(buffer, "PNG")
    return buffer.getvalue()


@limit("max_attachment_bytes", "10000", "too_large")
async def a_file_is_too_large(visit: Visit) -> Code | None:
    attachments = f"/api/documents/{await visit.new_document()}/attachments"
    assert (await visit.http.post(attachments, content=picture(50))).is_success
    return refused(await visit.http.post(attachments, content=picture(60)), 413)


@limit("max_document_attachments_bytes", "1048576", "document_full")
async def a_document_s_files_are_too_many(visit: Visit) -> Code | None:
    attachments = f"/api/documents/{await visit.new_document()}/attachments"
    assert (await visit.http.post(attachments, content=picture(500))).is_success
    return refused(await visit.http.post(attachments, content=picture(500)), 413)


@limit("max_documents_per_user", "1", "too_many")
async def one_person_owns_too_many(visit: Visit) -> Code | None:
    await visit.http.get("/api/me")
    await visit.new_document()
    return refused(await visit.http.post("/api/documents", json={}))


@limit("max_people_per_document", "2", "too_many")
async def a_document_is_given_to_too_many(visit: Visit) -> Code | None:
    await visit.http.get("/api/me")
    people = f"/api/documents/{await visit.new_document()}/people"
    assert (await visit.http.post(people, json={"user_id": "bert", "role": "viewer"})).is_success
    return refused(await visit.http.post(people, json={"user_id": "carl", "role": "viewer"}))


BESIDE = {
    "max_document_bytes": {"max_update_bytes": "262144"},
    "max_held_bytes": {
        "max_held_bytes_per_user": "1048576",
        "max_document_bytes": "1048576",
        "max_update_bytes": "1048576",
    },
}
"""Further settings, without which a limit could not be set so low."""


@pytest.mark.slow
@pytest.mark.parametrize("name", STORIES)
async def test_past_a_limit_there_is_a_named_refusal(name: str) -> None:
    value, code, story = STORIES[name]
    given = {} if value is None else {name: value, **BESIDE.get(name, {})}
    store = memory_store()
    store.log = SlowLog(store.log)  # type: ignore[assignment]
    async with (
        whole_server(store=store, config=load({}, given)) as server,
        server.browser() as http,
        AsyncExitStack() as exits,
    ):
        assert await story(Visit(server, http, exits)) == code
        assert (await http.get("/health")).is_success
