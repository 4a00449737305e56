"""An operation of the REST API, declared once: route, body, answers, right and handler.

`operation` stands above the method that carries an operation out. Everything else is read from
there: the routes (`routes_of`), the OpenAPI description, the table in server/PROTOCOL.md and the
types of the editor (all three in server/http/openapi.py).

The method's docstring tells people what the operation does. Its parameter `body` has the type of
the JSON that is taken, `query` that of the query's parameters, and what it returns is the answer's
JSON. Types are msgspec's, and strict: server/http/bodies.py.
"""

import re
import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from inspect import getdoc
from types import MappingProxyType
from typing import Any, TypeVar, get_type_hints

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crdt.budget import Account, Budget, unbounded
from crdt.errors import InvariantError
from crdt.ids import DocumentId, is_document_id
from crdt.permissions import Action
from crdt.protocol.messages import User
from server.address_groups import payer
from server.auth.base import Identity
from server.http.bodies import read_body, read_query
from server.people.access import Access, Ruling, no_such_document

Content = type[Struct] | tuple[str, ...] | None
"""What an answer holds: JSON of this type, a file of one of these media types, or nothing."""


class Nothing(Struct, forbid_unknown_fields=True):
    """An object without members, or no body at all."""


_ALWAYS = frozenset({400, 401, 403, 429, 503})
"""What any address below /api may answer: bad headers, nobody known, another site's page, too fast, no store."""

_DECLARED: dict[Any, "Operation"] = {}

Handler = TypeVar("Handler", bound=Callable[..., Awaitable[Struct | Response | None]])


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address.

    Attributes:
        name: of the handler; programs that are generated from the description call it so.
        method: in capitals.
        route: the path with its parameters in braces, as Starlette writes them.
        about: the handler's docstring: one sentence, and what else there is to know.
        needs: the right that it takes.
        asks: whether the right is asked for before the handler runs.
        body: the JSON that is taken; what changes something and takes none takes `Nothing`.
        query: the parameters that are taken.
        files: media types of a body that is a file.
        answers: what each status without error brings.
        errors: further statuses, beside those that are always possible; each brings an `Error`.
    """

    name: str
    method: str
    route: str
    about: str
    needs: Action | None
    asks: bool
    body: type[Struct] | None
    query: type[Struct] | None
    files: tuple[str, ...]
    answers: Mapping[int, Content]
    errors: frozenset[int]

    @property
    def path(self) -> str:
        """The path with its parameters in braces."""
        return self.route.replace(":path}", "}")

    @property
    def parameters(self) -> list[str]:
        """The names in the path's braces."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def statuses(self) -> frozenset[int]:
        """Everything that it may be answered with."""
        always = _ALWAYS if self.path.startswith("/api/") else frozenset({403})
        absent = frozenset({404}) if self.parameters else frozenset()
        taken = frozenset({413, 415}) if self.body or self.files else frozenset()
        return frozenset(self.answers) | self.errors | always | absent | taken


def operation(
    route: str,
    *,
    needs: Action | None = None,
    asks: bool = True,
    errors: Iterable[int] = (),
    answers: Mapping[int, Content] | None = None,
    files: tuple[str, ...] = (),
) -> Callable[[Handler], Handler]:
    """Declare the method below as an operation. `route`: method and path; see `Operation` for the rest.

    Args:
        route: the method, a space, the path.
        needs: the right that it takes; the method is called by somebody who has it.
        asks: False when the right depends on the body, so that the method asks by itself.
        errors: statuses beside those that every operation may answer.
        answers: what each status brings; by default 200 and what the method returns, or 204.
        files: media types of a body that is a file, which the method reads.
    """
    method, _, path = route.partition(" ")

    def declare(handler: Handler) -> Handler:
        types = get_type_hints(handler)
        content = types["return"]
        nothing = content is type(None)
        _DECLARED[handler] = Operation(
            name=handler.__name__,
            method=method,
            route=path,
            about=getdoc(handler) or "",
            needs=needs,
            asks=asks and needs is not None,
            body=types.get("body", Nothing if method in ("PATCH", "POST", "PUT") and not files else None),
            query=types.get("query"),
            files=files,
            answers=answers or {204 if nothing else 200: None if nothing else content},
            errors=frozenset(errors),
        )
        return handler

    return declare


def operations_of(*apis: type) -> Iterator[Operation]:
    """The operations that these classes declare, in the order in which they stand there."""
    for api in apis:
        for member in vars(api).values():
            if callable(member) and member in _DECLARED:
                yield _DECLARED[member]


@dataclass(slots=True)
class Asked:
    """One request for an operation, as its handler sees it.

    `headers`: of the answer, to be added to.
    """

    request: Request
    headers: dict[str, str] = field(default_factory=dict)
    allowed: Ruling | None = None

    @property
    def identity(self) -> Identity:
        """Who asks, as whoever surrounds the routes has found out; without that, a guest who will not be known again."""
        identity = getattr(self.request.state, "identity", None)
        if not isinstance(identity, Identity):
            stranger = User("guest-" + secrets.token_urlsafe(12), "Guest", "#5f6368")
            identity = self.request.state.identity = Identity(stranger, "guest", lasting=False)
        return identity

    @property
    def account(self) -> Account:
        """Who pays for what this request makes the server hold."""
        budget = getattr(self.request.app.state, "budget", None)
        address = self.request.client.host if self.request.client is not None else ""
        return (budget if isinstance(budget, Budget) else unbounded()).of(payer(self.identity, address))

    @property
    def document_id(self) -> DocumentId:
        """The document in the path; raises ProtocolError(not_found) for what can be none."""
        value = self.request.path_params["document_id"]
        if not is_document_id(value):
            raise no_such_document()
        return DocumentId(value)

    @property
    def ruling(self) -> Ruling:
        """What the person may do in the document; an operation that asks by itself has none."""
        if self.allowed is None:
            raise InvariantError("This operation does not say which right it needs.")
        return self.allowed


def reply(content: Struct, status: int = 200, headers: Mapping[str, str] = MappingProxyType({})) -> Response:
    """An answer in JSON."""
    return Response(msgspec.json.encode(content), status, headers, "application/json")


def routes_of(api: object, access: Access | None = None, *, below: str = "") -> list[Route]:
    """One route for each address of an API; HEAD goes with GET. `below`: what the routes are mounted under."""
    verbs: dict[str, dict[str, Callable[[Request], Awaitable[Response]]]] = {}
    for each in operations_of(type(api)):
        endpoint = _endpoint(each, getattr(api, each.name), access)
        verbs.setdefault(each.route.removeprefix(below), {})[each.method] = endpoint
    return [_route(path, by_method) for path, by_method in verbs.items()]


def _route(path: str, verbs: Mapping[str, Callable[[Request], Awaitable[Response]]]) -> Route:
    async def endpoint(request: Request) -> Response:
        return await verbs["GET" if request.method == "HEAD" else request.method](request)

    return Route(path, endpoint, methods=list(verbs))


def _endpoint(
    each: Operation, handler: Callable[..., Awaitable[Struct | Response | None]], access: Access | None
) -> Callable[[Request], Awaitable[Response]]:
    status = next(iter(each.answers))
    rights = access if each.asks else None
    if each.asks and access is None:
        raise InvariantError(f"Nobody can say who may {each.name}.")

    async def endpoint(request: Request) -> Response:
        asked, given = Asked(request), {}
        if rights is not None and each.needs is not None:
            asked.allowed = await rights.require(asked.identity, asked.document_id, each.needs)
        if each.query is not None:
            given["query"] = read_query(request, each.query)
        if each.body is not None:
            body = await read_body(request, asked.account, each.body)
            given |= {} if each.body is Nothing else {"body": body}
        answer = await handler(asked, **given)
        if isinstance(answer, Response):
            return answer
        if answer is None:
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=asked.headers)
        return reply(answer, status, asked.headers)

    return endpoint
