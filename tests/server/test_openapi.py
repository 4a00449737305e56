"""The description of the REST API tells all of it and nothing else, and PROTOCOL.md tells the same."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
from starlette.routing import BaseRoute, Mount, Route

import server
from server.app import App, create_app
from server.config import Config
from server.http.openapi import description_of
from server.http.operations import OPERATIONS, PARAMETERS
from server.http.schemas import SCHEMAS
from server.store.memory import MemoryStore

Address = tuple[str, str]
"""Method and path."""


def addresses(routes: list[BaseRoute], before: str = "") -> Iterator[Address]:
    for route in routes:
        if isinstance(route, Mount):
            yield from addresses(list(route.routes), before + route.path)
        elif isinstance(route, Route):
            for method in (route.methods or set()) - {"HEAD"}:
                yield method, before + route.path.replace(":path}", "}")


def whole() -> App:
    return create_app(Config(), store=MemoryStore())


def described() -> set[Address]:
    return {(operation.method, operation.path) for operation in OPERATIONS}


def documented() -> set[Address]:
    """The REST table's first cells: a method, an address, and `…/other` for one more of the same."""
    text = (Path(server.__file__).parent / "PROTOCOL.md").read_text(encoding="utf-8").partition("## REST")[2]
    found: set[Address] = set()
    for cell in re.findall(r"^\| (`[A-Z]+ /.*?) \|", text, re.MULTILINE):
        method, path = re.findall(r"`([A-Z]+) (/[^` ?]*)", cell)[0]
        found.add((method, path))
        for more in re.findall(r"`…(/\w+)`", cell):
            found.add((method, path.rpartition("/")[0] + more))
    return {(method, path.replace("{id}", "{document_id}")) for method, path in found}


def test_every_route_is_described_and_nothing_else_is() -> None:
    routes = set(addresses(list(whole()._site.routes)))
    pages = {address for address in routes if address[1] == "/{path}"}
    assert routes - pages == described()


def test_the_protocols_table_lists_the_same() -> None:
    assert documented() == described()


def test_what_is_referred_to_is_there_and_all_of_it_is_used() -> None:
    description = description_of(OPERATIONS, "1")
    references = set(re.findall(r"'\$ref': '#/components/(\w+/\w+)'", str(description)))
    assert references == {f"schemas/{name}" for name in SCHEMAS} | {f"parameters/{name}" for name in PARAMETERS}
    names = [operation.name for operation in OPERATIONS]
    assert len(names) == len(set(names))


async def test_it_is_served() -> None:
    transport = httpx.ASGITransport(whole())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answer = await client.get("/api/openapi.json")
    assert answer.status_code == 200
    assert answer.json()["openapi"] == "3.1.0"
    assert answer.json()["paths"]["/api/documents/{document_id}"]["patch"]["operationId"] == "renameDocument"
