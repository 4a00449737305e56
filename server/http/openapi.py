"""The REST API's description, OpenAPI 3.1, made from the table in server/http/operations.py and served at /api/openapi.json.

A test compares the table with the routes that exist and with the REST section of
server/PROTOCOL.md.
"""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.http.operations import OPERATIONS, PARAMETERS, Operation
from server.http.routing import resource
from server.http.schemas import SCHEMAS

_REASONS = {
    200: "Done",
    201: "Made",
    204: "Done; there is nothing to say",
    304: "What you have is still right",
    400: "The request does not have the form that it should",
    401: "Sign in, or bring a fresh token",
    403: "The request comes from another site's page, or the role does not include this",
    404: "There is no such thing, or it is not for this person",
    409: "Not possible in the state that the document is in",
    413: "Too large, or the document is full",
    415: "The body is of a kind that this address does not take",
    429: "Too much in too short a time, or too many: try again after Retry-After seconds",
    503: "The store does not answer now: try again after Retry-After seconds",
}


_CREDENTIALS = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "manyhands",
        "description": "`__Host-manyhands` over https",
    },
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
}


class OpenApi:
    """The description over HTTP."""

    def __init__(self, version: str) -> None:
        self._description = description_of(OPERATIONS, version)

    def routes(self) -> list[Route]:
        """Its own address, below /api."""
        return [resource("/openapi.json", {"GET": self._get})]

    async def _get(self, _request: Request) -> Response:
        return JSONResponse(self._description, headers={"Cache-Control": "no-cache"})


def description_of(operations: Sequence[Operation], version: str) -> dict[str, Any]:
    """Describe these operations."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _described(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Manyhands",
            "version": version,
            "summary": "Documents that several people edit at once: their list, their files, and who has access.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": paths,
        "components": {"schemas": SCHEMAS, "parameters": PARAMETERS, "securitySchemes": _CREDENTIALS},
        "security": [{}, *({name: []} for name in _CREDENTIALS)],
    }


def _described(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "responses": {str(status): _answer(operation, status) for status in sorted(operation.statuses)},
    }
    if parameters := [*operation.path_parameters, *operation.query]:
        described["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in parameters]
    if operation.body is not None:
        content = {"schema": {"$ref": f"#/components/schemas/{operation.body}"}}
        described["requestBody"] = {"required": operation.body_required, "content": {"application/json": content}}
    if operation.file_types:
        described["requestBody"] = {"required": True, "content": {each: {} for each in operation.file_types}}
    return described


def _answer(operation: Operation, status: int) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": _REASONS[status]}
    if status >= 400 and status not in operation.answers:
        answer["content"] = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
        if status in (429, 503):
            answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds"}}
    elif isinstance(shown := operation.answers.get(status), str):
        answer["content"] = {"application/json": {"schema": {"$ref": f"#/components/schemas/{shown}"}}}
    elif shown:
        answer["content"] = {media_type: {} for media_type in shown}
    return answer
