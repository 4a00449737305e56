"""The HTTP side put together: who answers which address, and what surrounds every answer."""

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Router

from server.http.api import DocumentsApi
from server.http.attachments import AttachmentsApi
from server.http.errors import EXCEPTION_HANDLERS
from server.http.headers import HeadersMiddleware
from server.http.health import Health
from server.http.pages import Pages


def http_app(documents: DocumentsApi, attachments: AttachmentsApi, health: Health, pages: Pages) -> Starlette:
    """The REST API, health and pages; Socket.IO and the origins' rules stand before it."""
    site = Starlette(
        routes=[
            Mount("/api", Router([*documents.routes(), *attachments.routes()], redirect_slashes=False)),
            *health.routes(),
            *pages.routes(),
        ],
        middleware=[Middleware(HeadersMiddleware)],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    site.router.redirect_slashes = False  # a redirect would repeat whatever Host the request claimed
    return site
