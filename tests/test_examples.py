"""The examples run as they are."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from server.cli.service_tokens import create
from tests.client.site import site
from tests.harness.bell import PATIENCE
from tests.harness.processes import mortal

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.slow
async def test_the_notebook_reports_into_the_document() -> None:
    async with site() as place:
        page = f"{place.url}/d/{place.document_id}"
        command = mortal(sys.executable, EXAMPLES / "notebook.py", page)
        notebook = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        try:
            async with asyncio.timeout(PATIENCE):
                out, _ = await notebook.communicate()
        finally:
            if notebook.returncode is None:
                notebook.kill()
            await notebook.wait()
        assert notebook.returncode == 0
        assert out.decode() == "4 measurements: 20.5 ± 0.7 °C\n\n"
        async with place.opened() as reader:
            assert await reader.plain_text() == "4 measurements: 20.5 ± 0.7 °C\n"


@pytest.mark.slow
async def test_the_bot_writes_below_the_document() -> None:
    async with site() as place:
        token = await create(place.server.store, "Bot", "", {place.document_id: "editor"}, place.server.clock(), None)
        command = mortal(sys.executable, EXAMPLES / "bot.py", place.url, place.document_id, "Hello *there*")
        environment = {**os.environ, "MANYHANDS_TOKEN": token}
        bot = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=environment)
        try:
            async with asyncio.timeout(PATIENCE):
                out, _ = await bot.communicate()
        finally:
            if bot.returncode is None:
                bot.kill()
            await bot.wait()
        said = await place.asks("GET", "/content?as=markdown")
        assert (bot.returncode, said.text) == (0, "Hello _there_\n")
        assert out.decode().split()[-1] == said.headers["manyhands-revision"]


def test_every_example_is_run() -> None:
    assert {path.name for path in EXAMPLES.iterdir() if path.suffix == ".py"} == {"bot.py", "notebook.py"}
