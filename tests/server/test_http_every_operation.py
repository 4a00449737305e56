"""Every operation with random requests: answers as declared, and never a 5xx."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.cli.openapi import described
from tests.harness.whole_server import whole_server

DESCRIPTION = json.loads(described(None))
SCHEMAS = DESCRIPTION["components"]["schemas"]
OPERATIONS = [
    (method, path, operation) for path, methods in DESCRIPTION["paths"].items() for method, operation in methods.items()
]

UUID = "00000000-0000-4000-8000-000000000000"
KNOWN = {
    "document_id": "{document}",
    "sha256": "0" * 64,
    "user_id": "ann",
    "thread_id": UUID,
    "comment_id": UUID,
    "suggestion_id": "s1",
    "emoji": "%F0%9F%91%8D",
}
ODD_BYTES = (
    "%00",
    "%0A",
    "%0D%0A",
    "%2F",
    "%2E%2E",
    "%C3%A9",
    "%ED%A0%80",
    "%FF",
    "%E2%80%AE",
    "%5C",
    "%3F",
    "x" * 5000,
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=4,
)
CONTENTS: st.SearchStrategy[Any] = st.sampled_from(
    [
        *("# Tea", "<p>Tea", "- [x] a\n\n| a |\n| - |\n", "$$x$$", "\0", "\ud800", "<table><tr><td>", "x" * 300),
        [{"type": "paragraph", "content": [{"type": "text", "text": "Tea"}]}],
        {"type": "doc", "content": [{"type": "horizontalRule"}]},
    ]
)


def of_schema(schema: dict[str, Any], depth: int = 0) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one for each kind
    """What a schema of the description allows."""
    match schema:
        case {"$ref": str(reference)}:
            return of_schema(SCHEMAS[reference.rsplit("/", 1)[1]], depth + 1)
        case {"anyOf": choices}:
            return st.one_of([of_schema(each, depth + 1) for each in choices])
        case {"enum": values}:
            return st.sampled_from(values)
        case {"type": "array", "items": items}:
            least = schema.get("minItems", 0)
            return st.lists(of_schema(items, depth + 1), min_size=least, max_size=least + 2)
        case {"type": "object", "properties": properties}:
            needed = {
                name: member(name, each, depth) for name, each in properties.items() if name in schema["required"]
            }
            others = {name: member(name, each, depth) for name, each in properties.items() if name not in needed}
            return st.fixed_dictionaries(needed, optional=others)
        case {"type": "string"}:
            return st.text(max_size=20) | st.sampled_from(["1.1", "4711.1", "ann@example.com", "0" * 22])
        case {"type": "integer"}:
            return st.integers(schema.get("minimum", -5), schema.get("maximum", 10**6))
        case {"type": "boolean"}:
            return st.booleans()
        case {"type": "null"}:
            return st.none()
        case _:
            return JUNK


def member(name: str, schema: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
    return CONTENTS if name == "content" else of_schema(schema, depth + 1)


@st.composite
def requests(draw: st.DrawFn) -> tuple[int, dict[str, Any]]:
    """An operation's number, and what a client sends. `{document}` is one that is there."""
    number = draw(st.integers(0, len(OPERATIONS) - 1))
    method, path, operation = OPERATIONS[number]
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    for each in operation.get("parameters", []):
        value = draw(of_schema(each["schema"]))
        if each["in"] == "path":
            known = KNOWN[each["name"]]
            odd = draw(st.sampled_from(ODD_BYTES))
            path = path.replace("{" + each["name"] + "}", draw(st.sampled_from([known] * 6 + ["x", odd, known + odd])))
        elif draw(st.booleans()):
            at = query if each["in"] == "query" else headers
            at[each["name"]] = draw(st.sampled_from(["*", '"1.1"', "one"])) if at is headers else str(value)
    sent: dict[str, Any] = {"method": method.upper(), "url": path, "params": query}
    body = operation.get("requestBody", {}).get("content", {})
    if (schema := body.get("application/json", {}).get("schema")) is not None:
        sent["content"] = json.dumps(draw(of_schema(schema) | JUNK)).encode()
        headers["content-type"] = draw(st.sampled_from(["application/json"] * 5 + ["text/plain"]))
    elif body:
        sent["content"] = draw(CONTENTS.filter(lambda content: isinstance(content, str))).encode(errors="replace")
        headers["content-type"] = draw(st.sampled_from(sorted(body)))
    return number, {**sent, "headers": headers}


@pytest.mark.slow
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(requests(), min_size=20, max_size=60))
def test_every_operation_answers_as_declared(asked: list[tuple[int, dict[str, Any]]]) -> None:
    asyncio.run(ask_all(asked))


async def ask_all(asked: list[tuple[int, dict[str, Any]]]) -> None:
    async with whole_server() as server, server.browser() as client:
        await client.get("/api/me")
        document = (await client.post("/api/documents", json={"content": "Tea"})).json()["id"]
        for number, sent in asked:
            _, path, operation = OPERATIONS[number]
            answer = await client.request(**{**sent, "url": sent["url"].replace("{document}", document)})
            status = str(answer.status_code)
            assert answer.status_code < 500, (sent, answer.text)
            assert status in operation["responses"], (path, sent, answer.text)
            check(operation["responses"][status], answer)


def check(declared: dict[str, Any], answer: httpx.Response) -> None:
    """The answer has a media type that is declared for its status, and JSON the members."""
    content = declared.get("content")
    if not content:
        assert not answer.content
        return
    media_type = answer.headers["content-type"].partition(";")[0]
    assert media_type in content
    reference = content[media_type].get("schema", {}).get("$ref")
    if reference is not None:
        schema = SCHEMAS[reference.rsplit("/", 1)[1]]
        assert set(schema["required"]) <= set(answer.json()) <= set(schema["properties"])
