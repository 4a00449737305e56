"""Sign-in pages: the way to the identity provider, the way back, and the sign-out."""

from html import escape
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from crdt.errors import ManyhandsError
from server.auth.cookies import SESSION, SIGN_IN, Cookie, forgotten, is_secure, request_cookie
from server.http.errors import status_of
from server.http.me import SignedIn
from server.observe import log

if TYPE_CHECKING:
    from server.auth.oidc import OidcSignIn  # imported where it is made (server/people/ways_in.py)

BEGIN = "/sign-in"
FINISH = "/sign-in/callback"

_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Sign in – Manyhands</title>
<h1>You are not signed in</h1><p>{sentence}</p><p><a href="/sign-in">Try again</a></p></html>
"""


class SignInPages:
    """`/sign-in`, the address that the provider sends people back to, and `/sign-out`."""

    def __init__(self, sign_in: "OidcSignIn", signed_in: SignedIn) -> None:
        self._sign_in = sign_in
        self._signed_in = signed_in

    def routes(self) -> list[Route]:
        return [
            Route(BEGIN, self._begin),
            Route(FINISH, self._finish),
            Route("/sign-out", self._end, methods=["POST"]),
        ]

    async def _begin(self, request: Request) -> Response:
        try:
            url, cookie = await self._sign_in.begin(request.query_params.get("next"))
        except ManyhandsError as error:
            return _refused(request, error)
        return _redirect(request, url, cookie)

    async def _finish(self, request: Request) -> Response:
        carried = request_cookie(request.scope, SIGN_IN)
        try:
            identity, next_path = await self._sign_in.finish(request.query_params, carried)
            await self._signed_in(identity)
        except ManyhandsError as error:
            return _refused(request, error)
        return _redirect(request, next_path, self._sign_in.sessions.cookie(identity), forgotten(SIGN_IN))

    async def _end(self, request: Request) -> Response:
        return _redirect(request, "/", forgotten(SESSION))


def _redirect(request: Request, url: str, *cookies: Cookie) -> Response:
    return _with(request, RedirectResponse(url, 303, {"Cache-Control": "no-store"}), cookies)


def _refused(request: Request, error: ManyhandsError) -> Response:
    log.warning("sign_in_failed", reason=error.message)
    page = HTMLResponse(_PAGE.format(sentence=escape(error.outward)), status_of(error), {"Cache-Control": "no-store"})
    return _with(request, page, [forgotten(SIGN_IN)])


def _with(request: Request, response: Response, cookies: tuple[Cookie, ...] | list[Cookie]) -> Response:
    for cookie in cookies:
        response.headers.append("Set-Cookie", cookie.header(secure=is_secure(request.scope)))
    return response
