"""The version in an address: `/api/v1/…` is the same operation as `/api/…`.

Below `/api/v1` an error is a problem of RFC 9457, with the members of `Error` beside its own. Below
`/api` an error keeps the form that present clients know. A change that would break clients gets
another version.
"""

from http import HTTPStatus
from typing import Any

import msgspec
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

VERSIONED = "/api/v1/"
"""Beginning of the addresses with a version."""

_PLAIN = "/api/"
PROBLEM = "application/problem+json"


def versioned(path: str) -> str:
    """Return an operation's address with the version, if it is one of the REST API."""
    return VERSIONED + path.removeprefix(_PLAIN) if path.startswith(_PLAIN) else path


class VersionedApp:
    """Leads addresses with a version to the operations, and makes problems of their errors.

    It takes such addresses alone: all others go to the application without this detour.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = _PLAIN + scope["path"].removeprefix(VERSIONED)
        plain = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(plain, receive, _Problems(send))


class _Problems:
    """Sends an answer on, and an error as a problem."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        if _is_error(message):
            self._start = message
            return
        if self._start is not None and message["type"] == "http.response.body":
            # Errors have one short body.
            start, self._start = self._start, None
            problem = _problem(start["status"], msgspec.json.decode(message["body"]))
            headers = MutableHeaders(scope=start)
            if "content-length" in headers:
                headers["content-length"] = str(len(problem))
            headers["content-type"] = PROBLEM
            await self._send(start)
            message = {**message, "body": problem}
        await self._send(message)


def _is_error(message: Message) -> bool:
    if message["type"] != "http.response.start" or message["status"] < HTTPStatus.BAD_REQUEST:
        return False
    return MutableHeaders(scope=message).get("content-type") == "application/json"


def _problem(status: int, said: dict[str, Any]) -> bytes:
    error = said["error"]
    own = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": error["message"]}
    return msgspec.json.encode({**own, "code": error["code"], **said})
