"""Site: the HTTP side put together, with its routes and the middleware around them."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Router

from crdt.budget import Budget
from server.auth.base import Authenticator
from server.http.attachments import AttachmentsApi
from server.http.contents import ContentsApi
from server.http.documents import DocumentsApi
from server.http.edits import EditsApi
from server.http.errors import EXCEPTION_HANDLERS
from server.http.health import Health
from server.http.me import MeApi
from server.http.middleware import ApiCors, ApiRates, HeadersMiddleware, IdentityMiddleware, RatesMiddleware
from server.http.openapi import OpenApi
from server.http.operation import NO_SUCH_DOCUMENT, routes_of
from server.http.sharing import SharingApi
from server.http.sign_in import BEGIN, SignInPages
from server.people.access import Access

APIS = (DocumentsApi, ContentsApi, EditsApi, AttachmentsApi, SharingApi, MeApi, OpenApi, Health)
"""The classes that declare operations, in the order of the table in server/PROTOCOL.md."""


def http_app(  # noqa: PLR0913 - all that the HTTP side is made of
    apis: Sequence[object],
    access: Access,
    others: Sequence[BaseRoute],
    rates: ApiRates | None = None,
    *,
    authenticator: Authenticator | None = None,
    sign_in: SignInPages | None = None,
    budget: Budget | None = None,
    allowed_origins: Sequence[str] = (),
    frame_ancestors: Sequence[str] = (),
) -> Starlette:
    """Build the REST API and the rest of HTTP.

    Socket.IO, `OriginMiddleware` and `VersionedApp` stand before this. `others` are the routes of
    health and of the pages. Without an `authenticator` everybody is a newcomer. Without `budget`
    each body is bounded, but not their sum. Pages of `allowed_origins` may read the API's answers,
    and those of `frame_ancestors` may show pages in a frame.
    """
    router = Router([*routes_of(apis, access, below="/api"), NO_SUCH_DOCUMENT], redirect_slashes=False)
    identified = []
    if authenticator is not None:
        where = None if sign_in is None else BEGIN
        identified.append(Middleware(IdentityMiddleware, authenticator=authenticator, sign_in=where))
    site = Starlette(
        routes=[
            Mount("/api", router, middleware=identified),
            *(sign_in.routes() if sign_in is not None else []),
            *others,
        ],
        middleware=[
            Middleware(ApiCors, allowed_origins=allowed_origins),
            Middleware(HeadersMiddleware, frame_ancestors=frame_ancestors),
            Middleware(RatesMiddleware, rates or ApiRates()),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    site.state.budget = budget
    site.router.redirect_slashes = False  # a redirect would repeat whatever Host the request claimed
    return site
