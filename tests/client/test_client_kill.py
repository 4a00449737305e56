"""Python clients and a server that ends, in order or not: nothing is lost, nothing is doubled.

More seeds: MANY_KILLS=100 pytest tests/client/test_client_kill.py.
"""

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from random import Random

import pytest
from pycrdt import XmlFragment

from manyhands import Document, connect
from tests.client.site import site, story, until
from tests.harness.bell import PATIENCE
from tests.harness.ports import quiet_port
from tests.server.server_process import ServerProcess, new_document, server_process

SEEDS = range(int(os.environ.get("MANY_KILLS", "2")))


def lines(document: Document) -> list[str]:
    text = str(document.get("default", type=XmlFragment))
    return text.removeprefix("<paragraph>").removesuffix("</paragraph>").split("</paragraph><paragraph>")


def holds(document: Document, made: list[str]) -> bool:
    return sorted(lines(document)) == sorted(made)


def is_here(document: Document) -> bool:
    return document.status == "synced"


def is_apart(document: Document) -> bool:
    return document.status != "synced"


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
async def test_a_server_that_ends_loses_nothing_and_doubles_nothing(tmp_path: Path, seed: int) -> None:
    chance, port = Random(seed), str(quiet_port())
    made: list[str] = []
    async with AsyncExitStack() as programs:
        people: list[Document] = []
        document_id = ""
        for life in range(3):
            async with server_process(tmp_path, "--port", port) as server:
                if not people:
                    document_id = await new_document(server)
                    for name in "abc":
                        opened = connect(server.url, document_id, name=name, timeout=PATIENCE)
                        people.append(await programs.enter_async_context(opened))
                await saves_until_killed(server, people, life, chance)
                made += [f"{name}{life}{number}" for name in "abc" for number in range(30)]
                assert {line for each in people for line in lines(each)} <= set(made)
        async with server_process(tmp_path, "--port", port):
            for person in people:
                person.reconnect_now()
                await person.saved(PATIENCE)
            for person in people:
                await until(person, partial(holds, person, made))
                assert lines(person) == lines(people[0])


async def saves_until_killed(server: ServerProcess, people: list[Document], life: int, chance: Random) -> None:
    """Let everybody write. End the server meanwhile, and let them write on without it."""
    end = chance.choice([signal.SIGKILL, signal.SIGTERM])
    for person in people:
        person.reconnect_now()
    await asyncio.gather(*(until(person, partial(is_here, person)) for person in people))
    quota = chance.randrange(5, 40)
    for number in range(30):
        for name, person in zip("abc", people, strict=True):
            await person.append(f"{name}{life}{number}")
        if number == quota % 30:
            await asyncio.gather(*(person.saved(PATIENCE) for person in people))
            server.signal(end)
    if server.running:
        server.signal(end)
    await server.end()
    for person in people:
        await until(person, partial(is_apart, person))


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
async def test_three_who_lose_their_connections_at_random_end_equal(seed: int) -> None:
    chance = Random(seed)
    async with site() as place, AsyncExitStack() as programs:
        urls = [place.detour, place.detour, place.url]
        people = [await programs.enter_async_context(place.opened(url)) for url in urls]
        made = 0
        for _ in range(200):
            person, act = chance.choice(people), chance.random()
            if act < 0.6:
                made += 1
                await changes(person, f"<{made}>", chance)
            elif act < 0.7:
                await place.relay.cut()
            elif act < 0.8:
                await place.relay.mend()
                person.reconnect_now()
            else:
                await asyncio.sleep(0.002)
        await place.relay.mend()
        for person in people:
            person.reconnect_now()
            await person.saved(PATIENCE)
        await until(people[0], lambda: len({str(story(person)) for person in people}) == 1, *people)
        assert [person.refusal for person in people] == [None, None, None]


async def changes(person: Document, word: str, chance: Random) -> None:
    text = story(person)
    if len(text) > 20 and chance.random() < 0.4:
        start = chance.randrange(len(text) - 5)
        del text[start : start + 5]
    else:
        text.insert(chance.randint(0, len(text)), word)
    await asyncio.sleep(0)
