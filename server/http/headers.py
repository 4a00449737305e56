"""What browsers are told to forbid our pages, on every answer that does not say otherwise itself.

Over https, as a trusted proxy says it is, they are told to come by nothing else from then on.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'self'",
        "img-src 'self' blob: data:",
        # The editor sets widths and colours on elements, and its libraries add style sheets of
        # their own.
        "style-src 'self' 'unsafe-inline'",
        # Includes our own WebSocket.
        "connect-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}


STRICT_TRANSPORT = {"Strict-Transport-Security": "max-age=31536000"}
"""For a year, and for this host alone: what its neighbours do is not for us to say."""


class HeadersMiddleware:
    """Adds HEADERS to HTTP answers, and STRICT_TRANSPORT where it applies."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Be an ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        orders = HEADERS | STRICT_TRANSPORT if scope["scheme"] == "https" else HEADERS

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in orders.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, with_headers)
