"""The HTTP side put together: who answers which address, and what surrounds every answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Router

from crdt.budget import Budget
from server.auth.base import Authenticator
from server.http.attachments import AttachmentsApi
from server.http.documents import DocumentsApi
from server.http.errors import EXCEPTION_HANDLERS
from server.http.health import Health
from server.http.me import MeApi
from server.http.middleware import ApiRates, HeadersMiddleware, IdentityMiddleware, RatesMiddleware
from server.http.openapi import OpenApi
from server.http.operation import routes_of
from server.http.sharing import SharingApi
from server.http.sign_in import BEGIN, SignInPages
from server.people.access import Access

APIS = (DocumentsApi, AttachmentsApi, SharingApi, MeApi, OpenApi, Health)
"""Whatever declares operations, in the order in which people read of them."""


@dataclass(frozen=True, slots=True)
class Doors:
    """How people come in. `sign_in`: the pages for it, where there are some."""

    authenticator: Authenticator
    sign_in: SignInPages | None = None


def http_app(
    apis: Sequence[object],
    access: Access,
    others: Sequence[BaseRoute],
    rates: ApiRates | None = None,
    doors: Doors | None = None,
    budget: Budget | None = None,
) -> Starlette:
    """The REST API and what else is served; Socket.IO and the origins' rules stand before it.

    `others`: health and the pages.
    Without `doors` everybody is a newcomer, without `budget` bodies are bounded one by one only.
    """
    router = Router([route for api in apis for route in routes_of(api, access, below="/api")], redirect_slashes=False)
    sign_in = doors.sign_in if doors is not None else None
    identified = []
    if doors is not None:
        where = None if sign_in is None else BEGIN
        identified.append(Middleware(IdentityMiddleware, authenticator=doors.authenticator, sign_in=where))
    site = Starlette(
        routes=[
            Mount("/api", router, middleware=identified),
            *(sign_in.routes() if sign_in is not None else []),
            *others,
        ],
        middleware=[Middleware(HeadersMiddleware), Middleware(RatesMiddleware, rates or ApiRates())],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    site.state.budget = budget
    site.router.redirect_slashes = False  # a redirect would repeat whatever Host the request claimed
    return site
