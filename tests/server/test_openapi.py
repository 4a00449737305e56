"""The REST API's descriptions tell all of it and nothing else, and none of them is stale."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
from starlette.routing import BaseRoute, Mount, Route

import server
from server.app import App, create_app
from server.cli.openapi import described
from server.config import Config
from server.features import APIS
from server.http.operation import operations_of
from tests.harness.memory_store import memory_store

Address = tuple[str, str]
"""Method and path."""

OPERATIONS = list(operations_of(*APIS))
PROTOCOL = Path(server.__file__).parent / "PROTOCOL.md"
TYPES = PROTOCOL.parents[1] / "client_web" / "editor" / "src" / "api" / "wire.ts"


def addresses(routes: list[BaseRoute], before: str = "") -> Iterator[Address]:
    for route in routes:
        if isinstance(route, Mount):
            yield from addresses(list(route.routes), before + route.path)
        elif isinstance(route, Route):
            for method in (route.methods or set()) - {"HEAD"}:
                yield method, before + re.sub(r":\w+}", "}", route.path)


def whole() -> App:
    return create_app(Config(), store=memory_store())


def test_every_route_is_declared_and_every_declaration_is_served() -> None:
    routes = set(addresses(list(whole().site.routes)))
    pages = {address for address in routes if address[1] == "/{path}"}
    assert routes - pages == {(each.method, each.path) for each in OPERATIONS}


def test_no_two_operations_have_the_same_name() -> None:
    assert len({each.name for each in OPERATIONS}) == len(OPERATIONS)


def test_the_protocols_tables_are_not_stale() -> None:
    text = PROTOCOL.read_text(encoding="utf-8")
    table = re.search("<!-- openapi --table: begin -->\n(.*)<!-- openapi --table: end -->", text, re.DOTALL)
    assert table is not None
    assert table[1] == described("table"), "run: make describe"


def test_the_editors_types_are_not_stale() -> None:
    assert TYPES.read_text(encoding="utf-8") == described("types"), "run: make describe"


def test_what_is_referred_to_is_there_and_all_of_it_is_used() -> None:
    description = described(None)
    components = set(re.findall(r'"\$ref": "#/components/schemas/(\w+)"', description))
    assert components == set(json.loads(description)["components"]["schemas"])


async def test_it_is_served() -> None:
    transport = httpx.ASGITransport(whole())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answer = await client.get("/api/openapi.json")
    assert answer.status_code == 200
    assert answer.json() == json.loads(described(None))
    assert answer.json()["openapi"] == "3.1.0"
    rename = answer.json()["paths"]["/api/v1/documents/{document_id}"]["patch"]
    assert rename["operationId"] == "renameDocument"
    assert rename["requestBody"]["required"]
    assert "`rename`" in rename["description"]


async def test_each_address_allows_exactly_the_methods_that_are_described() -> None:
    transport = httpx.ASGITransport(whole())
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        for path, operations in json.loads(described(None))["paths"].items():
            answer = await client.request("TRACE", re.sub(r"{\w+}", "0" * 64, path))
            assert answer.status_code == 405, path
            allowed = {method.lower() for method in answer.headers["allow"].split(", ")}
            assert allowed - {"head"} == set(operations), path


def test_what_a_request_must_have_is_described_as_required() -> None:
    paths = json.loads(described(None))["paths"]
    required = {
        each["name"]
        for operations in paths.values()
        for operation in operations.values()
        for each in operation.get("parameters", [])
        if each["in"] != "path" and each["required"]
    }
    assert required == {"seal", "If-Match"}


def test_every_body_says_that_it_takes_no_other_members() -> None:
    schemas = json.loads(described(None))["components"]["schemas"]
    bodies = {each.body.__name__ for each in OPERATIONS if each.body is not None}
    assert {name for name in bodies if schemas[name].get("additionalProperties") is not False} == set()
