"""Backup and restore with the commands of deploy/README.md.

What was acknowledged before the backup is there afterwards; what pages know beyond it is kept apart
from it.
"""

import asyncio
import itertools
import os
import re
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, Map, Text

from tests.harness.bell import Bell
from tests.harness.ports import quiet_port
from tests.harness.postgres import PostgresServer, binaries
from tests.harness.typist import Typist, typists
from tests.server.server_process import ServerProcess, new_document, server_process

pytestmark = pytest.mark.slow

README = Path(__file__).parents[1] / "deploy" / "README.md"
BLOCK = re.compile(r"^- \*\*(\w+)\*\*(?:.+\n)+\n((?:      .+\n)+)", re.MULTILINE)
_numbers = itertools.count(1)


class CarefulTypist(Typist):
    """A typist who says which life of the document their copy belongs to, and keeps it apart when that one has ended."""

    def __init__(self, url: str, document_id: str, name: str, bell: Bell) -> None:
        super().__init__(url, document_id, name, bell)
        self.document_id = document_id
        self.epoch: int | None = None
        self.kept_apart: list[tuple[str, frozenset[str]]] = []

    async def _join(self) -> None:
        wanted: dict[str, Any] = {"state_vector": self.doc.get_state(), "client_id": self.doc.client_id}
        if self.epoch is not None:
            wanted["epoch"] = self.epoch
        await self.socket.emit("join", (self.document_id, wanted), callback=self._join_answered)

    async def _join_answered(self, answer: dict[str, Any]) -> None:
        if answer.get("error", {}).get("code") == "epoch_changed":
            assert answer["epoch"] != self.epoch
            self._keep_apart()
            await self._join()
            return
        self.epoch = answer.get("epoch")
        await super()._join_answered(answer)

    def _keep_apart(self) -> None:
        self.kept_apart.append(self.screen)
        self.epoch, self.doc = None, Doc()
        self.text, self.tokens = self.doc.get("text", type=Text), self.doc.get("tokens", type=Map)
        self.saved = set(self.made)  # nothing of it is to be sent any more


@dataclass(frozen=True, slots=True)
class Site:
    """A server's data, and its operator's shell. `blocks`: commands for backup and restore."""

    data_dir: Path
    schema: str
    options: tuple[str, ...]
    environment: Mapping[str, str]
    blocks: tuple[str, str]

    async def back_up(self) -> None:
        await self._shell(self.blocks[0])

    async def restore(self) -> None:
        await self._shell(self.blocks[1])

    async def _shell(self, commands: str) -> None:
        backups = self.data_dir.parent / "backups"
        backups.mkdir(exist_ok=True)
        commands = commands.replace("/var/lib/manyhands", str(self.data_dir)).replace("/var/backups", str(backups))
        commands = commands.replace("--schema=manyhands", f"--schema={self.schema}")
        process = await asyncio.create_subprocess_exec(
            *("bash", "-euo", "pipefail", "-c", commands),
            env={**os.environ, **self.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()

    @asynccontextmanager
    async def running(self, port: int) -> AsyncIterator[ServerProcess]:
        """Run the server; at the end of the block it is killed, so that nothing is put in order."""
        async with server_process(self.data_dir, "--port", str(port), *self.options) as server:
            yield server
            server.signal(signal.SIGKILL)
            await server.end()


def blocks_for(database: str) -> tuple[str, str]:
    section = README.read_text().partition("## Backup and restore")[2].partition("\n## ")[0]
    back_up, restore = [commands for name, commands in BLOCK.findall(section) if name == database]
    return back_up, restore


async def owned_database(postgres: PostgresServer) -> str:
    """Make a database, and in it a schema for a user who owns nothing else; the user's URL."""
    name = f"restored_{next(_numbers)}"
    await postgres.execute(f"CREATE DATABASE {name}", f"CREATE ROLE {name} LOGIN PASSWORD 'opensesame'")
    await postgres.execute(f"CREATE SCHEMA AUTHORIZATION {name}", url=postgres.url().replace("/postgres?", f"/{name}?"))
    return f"postgresql://{name}:opensesame@127.0.0.1:{postgres.port}/{name}"


@pytest.fixture(params=["SQLite", "PostgreSQL"])
async def site(request: pytest.FixtureRequest, tmp_path: Path) -> Site:
    (data_dir := tmp_path / "data").mkdir()
    if request.param == "SQLite":
        return Site(data_dir, "", (), {}, blocks_for("SQLite"))
    url = await owned_database(request.getfixturevalue("postgres"))
    environment = {"MANYHANDS_DATABASE_URL": url, "PATH": f"{binaries()}:{os.environ['PATH']}"}
    return Site(data_dir, url.rpartition("/")[2], ("--database-url", url), environment, blocks_for("PostgreSQL"))


async def test_a_backup_is_restored_twice_and_no_page_mixes_two_lives(site: Site) -> None:
    port = quiet_port()
    async with AsyncExitStack() as closing:
        async with site.running(port) as server:
            alice = CarefulTypist(server.url, await new_document(server), "Alice", Bell())
            closing.push_async_callback(alice.close)
            await alice.open()
            await alice.keeps_typing(20, 2)
            await alice.all_saved()
            promised = set(alice.saved)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(alice.keeps_typing(40, 2))
                await site.back_up()
            newer = await saved_now(alice)
        for _ in range(2):  # both lives begin with the same backup
            newer |= await begins_another_life(site, port, alice, promised, newer)
        assert not alice.surprises


async def begins_another_life(
    site: Site, port: int, alice: CarefulTypist, promised: set[str], newer: set[str]
) -> set[str]:
    """Restore, and see what the page makes of it. `newer`: what the backup can't have; returns what is saved after it."""
    await alice.bell.until(lambda: not alice.joined)
    await alice.types()  # which no server will ever know
    before, lives = alice.screen, alice.times_joined
    await site.restore()
    async with site.running(port) as server:
        await alice.bell.until(lambda: alice.joined and alice.times_joined == 1 + lives)
        assert alice.kept_apart[lives - 1 :] == [before]
        assert promised <= alice.screen[1]
        assert newer.isdisjoint(alice.screen[1])
        saved = await saved_now(alice)
        async with typists(server.url, alice.document_id, ["Bob"], bell=alice.bell) as (bob,):
            await alice.bell.until(lambda: bob.screen == alice.screen)
    return saved


async def saved_now(typist: CarefulTypist) -> set[str]:
    """Write some more, and wait until it is saved; what that was."""
    tokens = {await typist.types() for _ in range(5)}
    await typist.all_saved()
    return tokens
