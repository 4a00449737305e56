"""kill -9 and SIGTERM of the whole server under load: nothing that anybody was told of is lost, and everybody carries on by themselves.

More seeds: MANY_KILLS=100 pytest tests/server/test_kill.py.
"""

import asyncio
import os
import signal
from pathlib import Path
from random import Random

import pytest

from tests.harness.bell import Bell
from tests.harness.ports import quiet_port
from tests.harness.stored import stored_screen
from tests.harness.typist import Typist, all_agree, typists
from tests.server.server_process import ServerProcess, new_document, server_process

SEEDS = range(int(os.environ.get("MANY_KILLS", "3")))
NAMES = ("Alice", "Bob", "Carol", "Dave")


def told(people: list[Typist]) -> set[str]:
    """Every edit that somebody has seen acknowledged, or has seen of somebody else."""
    return set().union(*(person.saved | person.seen for person in people))


async def everybody_types_until(
    server: ServerProcess, people: list[Typist], chance: Random, end: signal.Signals
) -> None:
    """Let everybody type; after some acknowledgements send the server a signal, and let them type on without it."""
    saved_enough = sum(len(person.saved) for person in people) + chance.randrange(5, 200)
    at_once = chance.randrange(1, 6)
    async with asyncio.TaskGroup() as tasks:
        for person in people:
            tasks.create_task(person.keeps_typing(100, at_once))
        await people[0].bell.until(lambda: sum(len(person.saved) for person in people) >= saved_enough)
        server.signal(end)


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
async def test_what_anybody_was_told_survives_kill_9_and_the_rest_comes_after(tmp_path: Path, seed: int) -> None:
    chance, bell, port = Random(seed), Bell(), str(quiet_port())
    async with server_process(tmp_path, "--port", port) as server:
        document_id = await new_document(server)
        async with typists(server.url, document_id, NAMES, bell=bell, seed=seed) as people:
            await everybody_types_until(server, people, chance, signal.SIGKILL)
            assert await server.end() == -signal.SIGKILL
            await bell.until(lambda: not any(person.joined for person in people))
            assert sum(len(person.unsaved) for person in people) > 0
            before = told(people)
            _, tokens = await stored_screen(tmp_path, document_id)
            assert before <= tokens, f"seed {seed}"
            async with (
                server_process(tmp_path, "--port", port) as again,
                typists(again.url, document_id, ["Eve"], bell=bell) as late,
            ):
                await asyncio.gather(*(person.keeps_typing(5, 1) for person in people))
                agreed = await all_agree([*people, *late])
                assert all(person.times_joined == 2 for person in people)
                again.signal(signal.SIGTERM)
                assert await again.end() == 0
                assert await stored_screen(tmp_path, document_id) == agreed


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
async def test_sigterm_under_load_ends_in_good_order_and_loses_nothing(tmp_path: Path, seed: int) -> None:
    chance, bell, port = Random(seed), Bell(), str(quiet_port())
    async with server_process(tmp_path, "--port", port) as server:
        document_id = await new_document(server)
        async with typists(server.url, document_id, NAMES, bell=bell, seed=seed) as people:
            await everybody_types_until(server, people, chance, signal.SIGTERM)
            assert await server.end() == 0
            assert "server_stop_cut_short" not in "".join(server.log)
            await bell.until(lambda: not any(person.joined for person in people))
            before = told(people)
            _, tokens = await stored_screen(tmp_path, document_id)
            # Everything that the server has taken was answered before it went: there is nothing in
            # the log that nobody was told of.
            assert tokens == before
            async with server_process(tmp_path, "--port", port):
                agreed = await all_agree(people)
                assert len(agreed[1]) == 400


@pytest.mark.slow
async def test_one_document_outlives_kill_after_kill(tmp_path: Path) -> None:
    """The second start replays what the first one left, in the sandbox and in the room, while everybody comes back at once."""
    chance, bell, port = Random(1), Bell(), str(quiet_port())
    async with server_process(tmp_path, "--port", port) as server:
        document_id = await new_document(server)
        async with typists(server.url, document_id, NAMES, bell=bell) as people:
            await everybody_types_until(server, people, chance, signal.SIGKILL)
            for _ in range(3):
                await bell.until(lambda: not any(person.joined for person in people))
                async with server_process(tmp_path, "--port", port) as server:
                    # Not earlier: python-socketio's client does not come back when it is cut while
                    # it is coming back.
                    await bell.until(lambda: all(person.joined for person in people))
                    before = told(people)
                    await everybody_types_until(server, people, chance, signal.SIGKILL)
                    await server.end()
                assert before <= (await stored_screen(tmp_path, document_id))[1]
            async with server_process(tmp_path, "--port", port):
                await all_agree(people)
