"""Python client without `await`, for scripts and notebooks."""

import ast
import asyncio
import subprocess
import sys
import threading
import tomllib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import manyhands
from tests.client.site import Site, site, story
from tests.harness.bell import PATIENCE
from tests.harness.processes import mortal

HOUSE = Path(__file__).parents[2]


@pytest.fixture
async def place() -> AsyncIterator[Site]:
    async with site() as place:
        yield place


async def test_a_script_writes_and_reads(place: Site) -> None:
    def script() -> str:
        with manyhands.open(place.url, place.document_id, name="Ada", timeout=PATIENCE) as document:
            assert (document.status, document.role, document.title) == ("synced", "editor", "Story")
            assert document.document_id == place.document_id
            document.append("From a script")
            document.saved(PATIENCE)
            assert document.unsaved == 0
            document.append_markdown("and its last words")
            assert document.plain_text() == "From a script\nand its last words\n"
            return document.markdown()

    assert await asyncio.to_thread(script) == "From a script\n\nand its last words\n"
    assert "manyhands" not in {thread.name for thread in threading.enumerate()}


@pytest.mark.slow
async def test_a_script_that_forgets_to_close_is_waited_for(place: Site) -> None:
    script = "import sys, manyhands; manyhands.open(*sys.argv[1:]).append('Forgotten')"
    command = mortal(sys.executable, "-W", "error", "-c", script, place.url, place.document_id)
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    async with asyncio.timeout(PATIENCE):
        _, complaints = await process.communicate()
    assert (process.returncode, complaints) == (0, b"")
    async with place.opened() as reader:
        assert await reader.plain_text() == "Forgotten\n"


async def test_changes_are_made_where_the_document_lives(place: Site) -> None:
    def script() -> tuple[str, str]:
        document = manyhands.open(place.url, place.document_id, timeout=PATIENCE)
        document.change(lambda opened: story(opened).insert(0, "Hi"))
        words = document.change(lambda opened: str(story(opened)))
        thread = document.change(lambda _: threading.current_thread().name)
        document.close()
        document.close()
        return words, thread

    assert await asyncio.to_thread(script) == ("Hi", "manyhands")
    async with place.opened() as later:
        assert str(story(later)) == "Hi"


async def test_scripts_see_each_other(place: Site) -> None:
    def script() -> list[str]:
        with (
            manyhands.open(place.url, place.document_id, name="Ada", timeout=PATIENCE) as ada,
            manyhands.open(place.url, place.document_id, name="Bo", timeout=PATIENCE) as bo,
        ):
            ada.show({"reads": 1})
            arrived = threading.Event()
            bo.change(lambda opened: opened.subscribe(arrived.set))
            while not bo.people:
                arrived.wait(PATIENCE)
                arrived.clear()
            return [person.name for person in bo.people]

    assert await asyncio.to_thread(script) == ["Ada"]


async def test_a_refusal_reaches_the_script_and_leaves_no_thread(place: Site) -> None:
    def script() -> None:
        with manyhands.open(place.url, "nobody-has-this-id"):
            pass

    with pytest.raises(manyhands.NotFound):
        await asyncio.to_thread(script)
    assert "manyhands" not in {thread.name for thread in threading.enumerate()}


def test_the_extra_names_what_the_client_imports() -> None:
    extras = tomllib.loads((HOUSE / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = {requirement.partition("=")[0].partition(">")[0] for requirement in extras["client"]}
    imported = set()
    for path in (HOUSE / "manyhands").glob("*.py"):
        if path.stem == "__main__":
            continue  # the server's command line
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                imported.add(str(node.module).partition(".")[0])
            elif isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
    assert imported - set(sys.stdlib_module_names) - {"manyhands"} == named


def test_the_command_line_does_without_the_client() -> None:
    """The client's libraries would double the time that a short command takes."""
    code = "import sys, manyhands.__main__; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=HOUSE, capture_output=True, text=True, check=True)
    assert not {"pycrdt", "httpx2", "websockets"} & set(done.stdout.split())
