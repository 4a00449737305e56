"""Refusals as HTTP answers. Only here a code gets its status, and an exception its JSON."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from crdt.errors import Code, ManyhandsError, ProtocolError
from server.observe import log
from server.people.access import NotPossible

STATUS: Mapping[Code, int] = {
    Code.MALFORMED: 400,
    Code.UNKNOWN_EVENT: 400,
    Code.NOT_JOINED: 400,
    Code.BAD_UPDATE: 400,
    Code.MISSING_PAST: 409,
    Code.CLIENT_ID_TAKEN: 409,
    Code.CONFLICT: 409,
    Code.EPOCH_CHANGED: 409,
    Code.QUARANTINED: 409,
    Code.OTHER_FORMAT: 409,
    Code.UNAUTHENTICATED: 401,
    Code.FORBIDDEN: 403,
    Code.NOT_A_SUGGESTION: 403,
    Code.WRONG_ORIGIN: 403,
    Code.WRONG_HOST: 403,
    Code.NOT_FOUND: 404,
    Code.DELETED: 404,
    Code.TOO_LARGE: 413,
    Code.DOCUMENT_FULL: 413,
    Code.TOO_COSTLY: 413,
    Code.UNSUPPORTED_CONTENT: 415,
    Code.TOO_MANY: 429,
    Code.RATE_LIMITED: 429,
    Code.UNAVAILABLE: 503,
    Code.DRAINING: 503,
    Code.INTERNAL: 500,
}

RETRY_SECONDS = 2
"""Seconds in Retry-After, for clients that are told to come again later."""


class Refusal(Struct):
    """The reason of a refusal: a code for programs, and a sentence for people."""

    code: Code
    message: str


class BlockNow(Struct):
    """A block as it is now. `block` is null if it is not there any more."""

    id: str
    block: Raw


class Error(Struct):
    """An answer with a status from 400 on. `sign_in` comes with 401, if there is a sign-in page.

    `revision` and `blocks` come with `conflict`: the revision, and the blocks of it that stood in
    the way.
    """

    error: Refusal
    sign_in: Annotated[str | UnsetType, Meta(description="where to sign in")] = UNSET
    revision: str | UnsetType = UNSET
    blocks: list[BlockNow] | UnsetType = UNSET


class Problem(Error, kw_only=True):
    """An `Error` as a problem of RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    code: str


class NotSignedIn(ProtocolError):
    """A request of somebody who is not known. `sign_in` is the path of the sign-in page, if any."""

    def __init__(self, message: str, sign_in: str | None) -> None:
        super().__init__(Code.UNAUTHENTICATED, message)
        self.sign_in = sign_in


class Conflict(ProtocolError):
    """Blocks that have changed, or a document, since the revision that an edit builds on.

    `revision` is the present one. `is_precondition`: the request's `If-Match` was not met.
    """

    def __init__(
        self, message: str, revision: str, blocks: list[BlockNow] | None = None, *, is_precondition: bool = False
    ) -> None:
        super().__init__(Code.CONFLICT, message)
        self.revision = revision
        self.blocks = blocks
        self.is_precondition = is_precondition


class NoPrecondition(ProtocolError):
    """A request that replaces everything must say what it replaces, and does not."""

    def __init__(self) -> None:
        message = "Say by If-Match which revision this replaces: the ETag that reading has given, or *."
        super().__init__(Code.MALFORMED, message)


class KeyUsed(ProtocolError):
    """An `Idempotency-Key` that belongs to another request."""

    def __init__(self) -> None:
        super().__init__(Code.MALFORMED, "This Idempotency-Key belongs to another request. Take a new one.")


class WrongMediaType(ProtocolError):
    """A body of a media type that this address does not take."""

    def __init__(self, message: str) -> None:
        super().__init__(Code.MALFORMED, message)


def status_of(error: ManyhandsError) -> int:
    """Return the HTTP status of a refusal."""
    match error:
        case NotPossible():
            return 409
        case WrongMediaType():
            return 415
        case Conflict(is_precondition=True):
            return 412
        case NoPrecondition():
            return 428
        case KeyUsed():
            return 422
        case _:
            return STATUS[error.code]


def refusal(code: Code, message: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error as the protocol writes it."""
    return _answer(Error(Refusal(code, message)), status, headers or {})


def _answer(error: Error, status: int, headers: Mapping[str, str]) -> Response:
    body = msgspec.json.encode(error)
    return Response(body, status, {"Cache-Control": "no-store", **headers}, "application/json")


async def _on_refusal(_request: Request, error: Exception) -> Response:
    if not isinstance(error, ManyhandsError):
        raise error
    status = status_of(error)
    headers: dict[str, str] = {}
    if status in (429, 503):
        headers["Retry-After"] = str(RETRY_SECONDS)
    if status == 413:
        headers["Connection"] = "close"  # because the rest of the body is not read
    if status >= 500:
        log.error("request_failed", reason=error.message)
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    told = Error(Refusal(error.code, error.outward))
    match error:
        case NotSignedIn(sign_in=str(sign_in)):
            told.sign_in = sign_in
        case Conflict(revision=revision, blocks=blocks):
            told.revision, told.blocks = revision, blocks or UNSET
        case _:
            pass
    return _answer(told, status, headers)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    match error.status_code:
        case 404:
            return refusal(Code.NOT_FOUND, "There is nothing at this address.", 404)
        case 405:
            message = f"{request.method} is not possible here."
            return refusal(Code.MALFORMED, message, 405, error.headers)
        case status:
            return refusal(Code.MALFORMED, error.detail, status, error.headers)


async def _on_disconnect(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)  # nobody is there to read it


async def _on_bug(request: Request, _error: Exception) -> Response:
    log.error("request_failed", method=request.method, reason="see the traceback that follows")
    return refusal(Code.INTERNAL, "The server made a mistake; it has been logged.", 500)


EXCEPTION_HANDLERS: Mapping[Any, Any] = {
    ManyhandsError: _on_refusal,
    HTTPException: _on_http_exception,
    ClientDisconnect: _on_disconnect,
    Exception: _on_bug,
}
"""The argument `exception_handlers` of Starlette."""
