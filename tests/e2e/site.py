"""The whole product as a person reaches it: a real server process with the built pages, which may be killed and come back."""

import signal
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

from tests.server.server_process import ServerProcess, server_process

BUILT_PAGES = Path(__file__).parents[2] / "client_web" / "editor" / "dist"


class Site:
    """A server on a free port, which it keeps over restarts; use it as a context manager."""

    def __init__(self, data_dir: Path, pages: Path) -> None:
        self._data_dir = data_dir
        self._pages = pages
        self._port = 0
        self._process: ServerProcess | None = None
        self._running = AsyncExitStack()
        self._logs: list[list[str]] = []

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._running.aclose()

    @property
    def url(self) -> str:
        """Without a path; of use while the server is down as well."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def is_running(self) -> bool:
        return self._process is not None

    @property
    def port(self) -> int:
        return self._port

    async def start(self) -> None:
        """Start, or start again at the same address over the same data."""
        options = ["--port", str(self._port), "--pages-dir", str(self._pages), "--log-level", "error"]
        self._process = await self._running.enter_async_context(server_process(self._data_dir, *options))
        self._port = urlsplit(self._process.url).port or 0
        self._logs.append(self._process.log)

    def complaints(self, word: str) -> list[str]:
        """The lines with this word that the server has logged, before and after each restart."""
        return [line for log in self._logs for line in log if word in line]

    async def kill(self) -> None:
        """End the process as a power cut would: nothing is told, nothing is flushed."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        """End the process as an operator would."""
        await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> None:
        assert self._process is not None, "the server is not running"
        self._process.signal(number)
        await self._process.end()
        self._process = None
        await self._running.aclose()

    async def new_document(self, title: str = "Story") -> str:
        """Make a document; its id."""
        async with httpx.AsyncClient() as http:
            answer = await http.post(f"{self.url}/api/documents", json={"title": title})
        answer.raise_for_status()
        document_id: str = answer.json()["id"]
        return document_id

    async def trash(self, document_id: str) -> None:
        """Move a document to the trash."""
        async with httpx.AsyncClient() as http:
            (await http.post(f"{self.url}/api/documents/{document_id}/trash")).raise_for_status()

    async def delete(self, document_id: str) -> None:
        """Delete a document that is in the trash."""
        async with httpx.AsyncClient() as http:
            (await http.delete(f"{self.url}/api/documents/{document_id}")).raise_for_status()
