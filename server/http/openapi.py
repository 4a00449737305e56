"""Descriptions of the REST API, made from the declared operations.

There are three: OpenAPI 3.1, a table for people, and types for TypeScript. `manyhands openapi`
writes them all. The first is served at /api/openapi.json. The table is in server/PROTOCOL.md, and
the types are in client_web/editor. Tests fail when one of these two is stale.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import Any

import msgspec
from msgspec import Struct
from starlette.responses import Response

from server.http.errors import Error, Problem
from server.http.operation import DOCUMENT_ID, Asked, Content, Nothing, Operation, operation
from server.http.sharing import MAX_USER_ID
from server.http.versions import PROBLEM, versioned

_REASONS = {
    200: "Done",
    201: "Made",
    204: "Done; the answer has no body",
    304: "Your copy is still valid",
    400: "The request does not have the right form",
    401: "Sign in, or bring a fresh token",
    403: "The request comes from another site's page, or the role does not include this",
    404: "There is no such thing, or it is not for this person",
    409: "Not possible in the document's present state",
    412: "The document has another revision than the one that If-Match names",
    413: "Too large, or the document is full",
    415: "The body has a media type that this address does not take",
    422: "The Idempotency-Key belongs to another request",
    428: "If-Match is missing",
    429: "Too much in too short a time, or too many: try again after Retry-After seconds",
    503: "The store does not answer now: try again after Retry-After seconds",
}

_PATH = {
    "document_id": ({"type": "string", "pattern": DOCUMENT_ID["pattern"]}, "The document"),
    "sha256": ({"type": "string", "pattern": "^[0-9a-f]{64}$"}, "The hash of the file's content"),
    "thread_id": ({"type": "string", "format": "uuid"}, "The thread"),
    "comment_id": ({"type": "string", "format": "uuid"}, "The comment"),
    "suggestion_id": ({"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"}, "The suggestion"),
    "emoji": ({"type": "string", "maxLength": 16}, "An emoji"),
    "user_id": (
        {"type": "string", "minLength": 1, "maxLength": MAX_USER_ID},
        "A person's id, or `email:` and the address of an invitation",
    ),
}

_HEADERS = {"Idempotency-Key": {"pattern": "^[!-~]{1,200}$"}}

_CREDENTIALS = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "manyhands",
        "description": "`__Host-manyhands` over https",
    },
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
}

_REFERENCE = "#/components/schemas/"


class OpenApi:
    """The description over HTTP. `operations`: everything that this server offers."""

    def __init__(self, operations: Sequence[Operation], version: str) -> None:
        self._operations = operations
        self._version = version

    @cached_property
    def _described(self) -> bytes:
        """Made for the first who asks: it would take a fifth of each server's start."""
        return msgspec.json.encode(description_of(self._operations, self._version))

    @operation("GET /api/openapi.json", answers={200: ("application/json",)})
    async def describe(self, _asked: Asked) -> Response:
        """Describe all of this as OpenAPI 3.1."""
        return Response(self._described, 200, {"Cache-Control": "no-cache"}, "application/json")


def description_of(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """Describe these operations as an OpenAPI document."""
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        paths.setdefault(versioned(each.path), {})[each.method.lower()] = _described(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Manyhands",
            "version": version,
            "summary": "Documents that several people edit at once: their list, their files, and who has access.",
            "description": "Each address is there without `/v1` too. An error has the form `Error` there, "
            "which are the members `error`, `sign_in`, `revision` and `blocks` of `Problem`.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {"schemas": _schemas(operations, Problem), "securitySchemes": _CREDENTIALS},
        "security": [{}, *({name: []} for name in _CREDENTIALS)],
    }


def _described(each: Operation) -> dict[str, Any]:
    summary, _, rest = each.about.partition("\n\n")
    right = "" if each.needs is None else f"It needs the right `{each.needs}`."
    described: dict[str, Any] = {
        "operationId": _camel(each.name),
        "summary": _line(summary),
        "responses": {str(status): _answer(each, status) for status in sorted(each.statuses)},
    }
    if rest or right:
        described["description"] = f"{_line(rest)} {right}".strip()
    if parameters := [*map(_path_parameter, each.parameters), *_query_parameters(each.query), *_headers(each)]:
        described["parameters"] = parameters
    if each.body is not None:
        content = {"application/json": {"schema": {"$ref": _REFERENCE + each.body.__name__}}}
        required = bool(_schemas([each])[each.body.__name__]["required"])
        described["requestBody"] = {"required": required, "content": content}
    if each.files:
        described["requestBody"] = {"required": True, "content": {media_type: {} for media_type in each.files}}
    return described


def _path_parameter(name: str) -> dict[str, Any]:
    schema, meaning = _PATH[name]
    return {"name": name, "in": "path", "required": True, "schema": schema, "description": meaning}


def _query_parameters(query: type[Struct] | None) -> Iterator[dict[str, Any]]:
    if query is not None:
        described = msgspec.json.schema(query)["$defs"][query.__name__]
        for name, schema in described["properties"].items():
            meaning, needed = schema.pop("description"), name in described["required"]
            yield {"name": name, "in": "query", "required": needed, "schema": schema, "description": meaning}


def _headers(each: Operation) -> Iterator[dict[str, Any]]:
    for name, meaning in each.headers.items():
        needed = name == "If-Match" and HTTPStatus.PRECONDITION_REQUIRED in each.statuses
        schema = {"type": "string", **_HEADERS.get(name, {})}
        yield {"name": name, "in": "header", "required": needed, "schema": schema, "description": meaning}


def _answer(each: Operation, status: int) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": _REASONS[status]}
    content: Content = each.answers.get(status, Problem)
    if isinstance(content, tuple):
        answer["content"] = {media_type: {} for media_type in content}
    elif content is not None:
        media_type = PROBLEM if content is Problem else "application/json"
        answer["content"] = {media_type: {"schema": {"$ref": _REFERENCE + content.__name__}}}
    if status in (429, 503) and status not in each.answers:
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds"}}
    return answer


def _schemas(operations: Sequence[Operation], error: type[Error] = Error) -> dict[str, Any]:
    """Return the schemas of all JSON that is taken and given, by name."""
    bodies = [each.body for each in operations if each.body is not None]
    answers = [content for each in operations for content in each.answers.values() if isinstance(content, type)]
    _, schemas = msgspec.json.schema_components([*bodies, *answers, error], ref_template=_REFERENCE + "{name}")
    return schemas


# The table for people and the types for TypeScript. Both write a type as TypeScript does.


def table_of(operations: Sequence[Operation]) -> str:
    """Write the operations, and the JSON that they take and give, as two tables in Markdown."""
    rows = ["| request | right | answer |", "|---|---|---|"]
    rows += [f"| {_request(each)} | {_right(each)} | {_told(each)} |" for each in operations]
    rows += ["", "| JSON | form | |", "|---|---|---|"]
    for name, schema in _forms(operations):
        rows.append(f"| `{name}` | `{_cell(_type(schema))}` | {_line(schema.get('description', ''))} |")
    return "\n".join(rows) + "\n"


def _request(each: Operation) -> str:
    query = "&".join(f"{one['name']}={one['schema'].get('default') or ''}" for one in _query_parameters(each.query))
    body = "" if each.body is None or not each.body.__struct_fields__ else f" `{each.body.__name__}`"
    return f"`{each.method} {versioned(each.path)}{'?' if query else ''}{query}`{' the bytes' if each.files else body}"


def _right(each: Operation) -> str:
    return "" if each.needs is None else f"`{each.needs}`"


def _told(each: Operation) -> str:
    answers = [f"{status}{_content(content)}" for status, content in each.answers.items()]
    return f"{', '.join(answers)}: {_line(each.about)}{_parameters(each)}"


def _content(content: Content) -> str:
    return " the bytes" if isinstance(content, tuple) else "" if content is None else f" `{content.__name__}`"


def _parameters(operation: Operation) -> str:
    given = (*_query_parameters(operation.query), *_headers(operation))
    meanings = [f"`{each['name']}`: {each['description']}" for each in given]
    return "".join(f" {meaning}." for meaning in meanings)


def types_of(operations: Sequence[Operation]) -> str:
    """Write the JSON that the operations take and give as types for TypeScript."""
    lines = ["/** The REST API's JSON. `manyhands openapi --types` writes this file: change the server instead. */"]
    for name, schema in _forms(operations):
        if description := _line(schema.get("description", "")):
            lines += ["", f"/** {description} */"]
        form = _type(schema)
        lines.append(f"export interface {name} {form}" if form.startswith("{") else f"export type {name} = {form};")
    return "\n".join(lines) + "\n"


def _forms(operations: Sequence[Operation]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the schemas of all JSON that is taken and given, by name, without `Nothing`."""
    return ((name, schema) for name, schema in _schemas(operations).items() if name != Nothing.__name__)


def _type(schema: Mapping[str, Any]) -> str:
    match schema:
        case {"$ref": str(reference)}:
            return reference.removeprefix(_REFERENCE)
        case {"anyOf": choices}:
            return " | ".join(map(_type, choices))
        case {"enum": values}:
            return " | ".join("null" if each is None else f'"{each}"' for each in values)
        case {"type": "array", "items": items}:
            each = _type(items)
            return f"readonly ({each})[]" if " | " in each or each.startswith("readonly") else f"readonly {each}[]"
        case {"type": "object", "properties": properties}:
            needed = schema["required"]
            fields = [
                f"  readonly {name}{'' if name in needed else '?'}: {_type(properties[name])};" for name in properties
            ]
            return "\n".join(["{", *fields, "}"])
        case {"type": "object"}:
            return f"Readonly<Record<string, {_type(schema.get('additionalProperties', {}))}>>"
        case {"type": str(name)}:
            return {"integer": "number"}.get(name, name)
        case {} if not schema.keys() - {"description"}:
            return "unknown"
        case _:
            raise NotImplementedError(f"No type of TypeScript is known for {schema}.")


def _cell(form: str) -> str:
    return _line(form).replace("readonly ", "").replace("; }", " }").replace("|", "\\|")


def _line(text: str) -> str:
    return " ".join(text.split())


def _camel(name: str) -> str:
    return re.sub("_(.)", lambda found: found[1].upper(), name)
