"""Sign-in pages: the way to the identity provider, the way back, and the sign-out."""

from html import escape
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from crdt.errors import Code, ManyhandsError
from server.auth.cookies import SESSION, SIGN_IN, Cookie, forgotten, is_secure, request_cookie
from server.http.errors import status_of
from server.http.me import SignedIn
from server.http.plain_pages import ENGLISH, GERMAN, plain_page
from server.observe import log

if TYPE_CHECKING:
    from server.auth.oidc import OidcSignIn  # imported where it is made (server/people/ways_in.py)

BEGIN = "/sign-in"
FINISH = "/sign-in/callback"

_AGAIN = '<p>{sentence}</p><p><a href="/sign-in">{again}</a></p>'

_IN_GERMAN = {
    Code.UNAUTHENTICATED: "Der Identitätsanbieter hat dich nicht hereingelassen, oder die Anmeldung dauerte zu lange.",
    Code.UNAVAILABLE: "Die Anmeldung ist im Moment nicht möglich. Versuche es gleich noch einmal.",
}
"""What German pages say. English ones say what is exact."""


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
    in_german = _IN_GERMAN.get(error.code, "Die Anmeldung ist nicht gelungen.")
    texts = {
        ENGLISH: ("You are not signed in", _AGAIN.format(sentence=escape(error.outward), again="Try again")),
        GERMAN: ("Du bist nicht angemeldet", _AGAIN.format(sentence=in_german, again="Noch einmal versuchen")),
    }
    return _with(request, plain_page(request, status_of(error), texts), [forgotten(SIGN_IN)])


def _with(request: Request, response: Response, cookies: tuple[Cookie, ...] | list[Cookie]) -> Response:
    for cookie in cookies:
        response.headers.append("Set-Cookie", cookie.header(secure=is_secure(request.scope)))
    return response
