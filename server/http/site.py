"""The HTTP side put together: who answers which address, and what surrounds every answer."""

from collections.abc import Sequence
from typing import Protocol

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Router

from server.http.errors import EXCEPTION_HANDLERS
from server.http.headers import HeadersMiddleware
from server.http.health import Health
from server.http.pages import Pages
from server.http.rates import ApiRates, RatesMiddleware


class Api(Protocol):
    """A part of the REST API."""

    def routes(self) -> Sequence[BaseRoute]:
        """Its addresses, below /api."""


def http_app(apis: Sequence[Api], health: Health, pages: Pages, rates: ApiRates | None = None) -> Starlette:
    """The REST API, health and pages; Socket.IO and the origins' rules stand before it."""
    below_api = [route for api in apis for route in api.routes()]
    site = Starlette(
        routes=[
            Mount("/api", Router(below_api, redirect_slashes=False)),
            *health.routes(),
            *pages.routes(),
        ],
        middleware=[Middleware(HeadersMiddleware), Middleware(RatesMiddleware, rates or ApiRates())],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    site.router.redirect_slashes = False  # a redirect would repeat whatever Host the request claimed
    return site
