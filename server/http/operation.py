"""An operation of the REST API, declared once: route, body, answers, right and handler.

The decorator `operation` stands above the method that carries an operation out. Everything else is
derived from the declaration: the routes (`routes_of`), the OpenAPI description, the table in
server/PROTOCOL.md and the types of the editor (the last three in server/http/openapi.py).

The method's docstring tells people what the operation does. The type of its parameter `body`
declares the JSON that is taken. The type of `query` declares the query's parameters. The type of
the result declares the answer's JSON. Types are msgspec's, and are strict (requests.py).
"""

import re
import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from inspect import getdoc
from types import MappingProxyType
from typing import Any, TypeVar, get_type_hints

import msgspec
from msgspec import Struct, field
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crdt.budget import Account, Budget, payer, unbounded
from crdt.errors import InvariantError
from crdt.ids import ID_PATTERN, DocumentId
from crdt.permissions import Action
from crdt.protocol.messages import User
from server.auth.base import Identity
from server.http.requests import MAX_JSON_BYTES, read_body, read_query
from server.people.access import Access, Ruling, no_such_document

Content = type[Struct] | tuple[str, ...] | None
"""Content of an answer: JSON of this type, a file of one of these media types, or nothing."""


class Nothing(Struct, forbid_unknown_fields=True):
    """An object without members, or no body at all."""


_ALWAYS = frozenset({400, 401, 403, 429, 503})
"""Statuses that any address below /api may answer.

The reasons are bad headers, an unknown person, another site's page, too many requests, no store.
"""

_DECLARED: dict[Any, "Operation"] = {}

Handler = TypeVar("Handler", bound=Callable[..., Awaitable[Struct | Response | None]])


class Operation(Struct, frozen=True):
    """One method of one address.

    Attributes:
        name: the handler's name. Programs that are generated from the description use it too.
        method: the HTTP method, in capitals.
        route: the path with its parameters in braces, as Starlette writes them.
        about: the handler's docstring: one sentence, and what else there is to know.
        needs: the right that a person needs for it.
        asks: whether the right is checked before the handler runs.
        body: the type of the JSON that is taken. An operation that changes something and takes no
            JSON takes `Nothing`.
        query: the type of the query's parameters.
        files: the media types of a body that is a file.
        answers: the content of the answer for each status without error.
        errors: further statuses, beside those that are always possible. Each comes with an `Error`.
        most_bytes: most bytes of a body in JSON.
        headers: headers of the request that the method reads, and what each is to be.
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
    most_bytes: int
    headers: Mapping[str, str]

    @property
    def path(self) -> str:
        """The path with its parameters in braces, as OpenAPI writes them."""
        return re.sub(r":\w+}", "}", self.route)

    @property
    def parameters(self) -> list[str]:
        """The names in the path's braces."""
        return re.findall(r"{(\w+)}", self.path)

    @property
    def statuses(self) -> frozenset[int]:
        """All statuses of its answers."""
        always = _ALWAYS if self.path.startswith("/api/") else frozenset({403})
        absent = frozenset({404}) if self.parameters else frozenset()
        taken = frozenset({413, 415}) if self.body or self.files else frozenset()
        return frozenset(self.answers) | self.errors | always | absent | taken


def operation(  # noqa: PLR0913 - all that is declared of an operation
    route: str,
    *,
    needs: Action | None = None,
    asks: bool = True,
    errors: Iterable[int] = (),
    answers: Mapping[int, Content] | None = None,
    files: tuple[str, ...] = (),
    most_bytes: int = MAX_JSON_BYTES,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Callable[[Handler], Handler]:
    """Declare the method below as an operation.

    Args:
        route: the method, a space, the path.
        needs: the right that a person needs. The method is called only for people who have it.
        asks: False if the method checks the right itself, because the right depends on the body.
        errors: statuses beside those that every operation may answer.
        answers: the content for each status. By default this is 200 with the method's return type,
            or 204 if the method returns nothing.
        files: the media types of a body that is a file. The method reads the file itself.
        most_bytes: most bytes of a body in JSON.
        headers: headers of the request that the method reads, and what each is to be.
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
            most_bytes=most_bytes,
            headers=headers,
        )
        return handler

    return declare


def operations_of(*apis: type) -> Iterator[Operation]:
    """Yield the operations that these classes declare, in the order of the source."""
    for api in apis:
        for member in vars(api).values():
            if callable(member) and member in _DECLARED:
                yield _DECLARED[member]


class Asked(Struct):
    """One request for an operation, as its handler sees it.

    `headers` are the answer's, and the handler may add to them.
    """

    request: Request
    headers: dict[str, str] = field(default_factory=dict)
    allowed: Ruling | None = None

    @property
    def identity(self) -> Identity:
        """The person who asks, as `IdentityMiddleware` has identified them.

        Without that middleware the person is a guest who will not be known again.
        """
        identity = getattr(self.request.state, "identity", None)
        if not isinstance(identity, Identity):
            stranger = User("guest-" + secrets.token_urlsafe(12), "Guest", "#5f6368")
            identity = self.request.state.identity = Identity(stranger, "guest", lasting=False)
        return identity

    @property
    def account(self) -> Account:
        """The account that pays for the memory that this request makes the server hold."""
        budget = getattr(self.request.app.state, "budget", None)
        address = self.request.client.host if self.request.client is not None else ""
        known = self.identity.user.user_id if self.identity.lasting else None
        return (budget if isinstance(budget, Budget) else unbounded()).of(payer(known, address))

    @property
    def document_id(self) -> DocumentId:
        """The document id in the path. The route takes ids of the right form alone."""
        return DocumentId(self.request.path_params["document_id"])

    @property
    def ruling(self) -> Ruling:
        """What the person may do in the document.

        Raises InvariantError in an operation that checks the right itself, or needs none.
        """
        if self.allowed is None:
            raise InvariantError("This operation has no ruling, because it declares no right or checks it itself.")
        return self.allowed


def reply(content: Struct, status: int = 200, headers: Mapping[str, str] = MappingProxyType({})) -> Response:
    """Return an answer in JSON."""
    return Response(msgspec.json.encode(content), status, headers, "application/json")


DOCUMENT_ID = {"pattern": ID_PATTERN.replace(r"\A", "^").replace(r"\Z", "$")}
"""A document's id in a schema. What a schema says is checked by the struct, in our own words."""


_ID = ID_PATTERN.removeprefix(r"\A").removesuffix(r"\Z")


class _DocumentIds(Convertor[str]):
    """Well-formed document ids in paths."""

    regex = _ID

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


class _NoDocumentIds(_DocumentIds):
    """The rest of a path that begins with anything else than a well-formed id."""

    regex = rf"(?!{_ID}(?:/|$)).+"


register_url_convertor("document_id", _DocumentIds())
register_url_convertor("no_document_id", _NoDocumentIds())


class _NoSuchDocument:
    """Answers for a document with an ill-formed id as for one that is absent or somebody else's."""

    async def __call__(self, *_: object) -> None:
        raise no_such_document()


NO_SUCH_DOCUMENT = Route("/documents/{document_id:no_document_id}", _NoSuchDocument())
"""What stands behind the operations: any method of any address of an ill-formed document id."""


def routes_of(apis: Sequence[object], access: Access | None = None, *, below: str = "") -> list[Route]:
    """Return one route for each address of the APIs, which may share it. HEAD is answered like GET.

    `below` is the path that the routes are mounted under.
    """
    verbs: dict[str, dict[str, Callable[[Request], Awaitable[Response]]]] = {}
    for api in apis:
        for each in operations_of(type(api)):
            endpoint = _endpoint(each, getattr(api, each.name), access)
            path = each.route.removeprefix(below).replace("{document_id}", "{document_id:document_id}")
            verbs.setdefault(path, {})[each.method] = endpoint
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
        raise InvariantError(f"The operation {each.name} needs a right, and no Access is there to check it.")

    async def endpoint(request: Request) -> Response:
        asked, given = Asked(request), {}
        if rights is not None and each.needs is not None:
            asked.allowed = await rights.require(asked.identity, asked.document_id, each.needs)
        if each.query is not None:
            given["query"] = read_query(request, each.query)
        if each.body is not None:
            body = await read_body(request, asked.account, each.body, each.most_bytes)
            given |= {} if each.body is Nothing else {"body": body}
        answer = await handler(asked, **given)
        if isinstance(answer, Response):
            return answer
        if answer is None:
            return Response(status_code=HTTPStatus.NO_CONTENT, headers=asked.headers)
        return reply(answer, status, asked.headers)

    return endpoint
