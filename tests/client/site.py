"""A whole server with one document, its owner's browser, and a relay that may be cut or slow."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
from pycrdt import Text

from manyhands import Document, connect
from tests.harness.bell import PATIENCE
from tests.harness.ports import quiet_port
from tests.harness.relay import Relay
from tests.harness.whole_server import WholeServer, whole_server


@dataclass(frozen=True)
class Site:
    """Where programs go. `owner` made the document."""

    server: WholeServer
    document_id: str
    owner: httpx.AsyncClient
    relay: Relay

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def detour(self) -> str:
        """The server's address by way of the relay."""
        return f"http://127.0.0.1:{self.relay.port}"

    def opened(self, url: str | None = None, **options: Any) -> Document:
        return connect(url or self.url, self.document_id, **{"timeout": PATIENCE, **options})

    async def asks(self, method: str, path: str = "", **body: Any) -> httpx.Response:
        """Let the owner ask something of the document."""
        answer = await self.owner.request(method, f"/api/documents/{self.document_id}{path}", json=body or None)
        assert answer.is_success, answer.text
        return answer


@asynccontextmanager
async def site() -> AsyncIterator[Site]:
    async with whole_server() as server, server.browser() as owner, Relay(quiet_port(), server.port) as relay:
        await owner.get("/api/me")  # who has no cookie yet would own nothing
        made = await owner.post("/api/documents", json={"title": "Story"})
        yield Site(server, made.json()["id"], owner, relay)


class Failed(Exception):
    """The end of a program that fails."""


@asynccontextmanager
async def failing(document: Document) -> AsyncIterator[Document]:
    """Open a document for a program that ends with an error, and so does not wait for anything."""
    with suppress(Failed):
        async with document:
            yield document
            raise Failed


def story(document: Document) -> Text:
    text: Text = document.get("story", type=Text)
    return text


async def until(document: Document, condition: Callable[[], bool], *others: Document) -> None:
    """Wait until a condition holds that depends on these documents' content and state."""
    rung = asyncio.Event()
    stops = [each.subscribe(rung.set) for each in (document, *others)]
    try:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                rung.clear()
                await rung.wait()
    except TimeoutError:
        raise AssertionError(f"This does not come about: {[state(each) for each in (document, *others)]}") from None
    finally:
        for stop in stops:
            stop()


def state(document: Document) -> str:
    """Return where a document stands, for whoever reads why a story failed."""
    stands = f"{document.status}, {document.unsaved} unsaved, as {document.role}"
    return f"{stands}, refused: {document.refusal}, closed: {document.closed}, at {str(story(document))[:200]!r}"
