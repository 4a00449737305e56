"""What routes have in common: one address with all its verbs, the document that it names, who asks, and who pays."""

import secrets
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crdt.budget import Account, Budget, unbounded
from crdt.ids import DocumentId, is_document_id
from crdt.protocol.messages import User
from server.address_groups import payer
from server.auth.base import Identity
from server.http.errors import not_found

Endpoint = Callable[[Request], Awaitable[Response]]


def resource(path: str, verbs: Mapping[str, Endpoint]) -> Route:
    """A route by method; HEAD goes with GET."""

    async def endpoint(request: Request) -> Response:
        verb = "GET" if request.method == "HEAD" else request.method
        return await verbs[verb](request)

    return Route(path, endpoint, methods=list(verbs))


def identity_of(request: Request) -> Identity:
    """Who asks, as whoever surrounds the routes has found out; without that, a guest who will not be known again."""
    identity = getattr(request.state, "identity", None)
    if isinstance(identity, Identity):
        return identity
    return Identity(User("guest-" + secrets.token_urlsafe(12), "Guest", "#5f6368"), "guest", lasting=False)


def account_of(request: Request) -> Account:
    """Who pays for what this request makes the server hold."""
    budget = getattr(request.app.state, "budget", None)
    address = request.client.host if request.client is not None else ""
    return (budget if isinstance(budget, Budget) else unbounded()).of(payer(identity_of(request), address))


def document_id_of(request: Request) -> DocumentId:
    """The document in the path; raises ProtocolError(not_found) for what can be none."""
    value = request.path_params["document_id"]
    if not is_document_id(value):
        raise not_found()
    return DocumentId(value)
