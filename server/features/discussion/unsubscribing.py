"""Unsubscribing: the way out of mail by a link in it, without signing in (RFC 8058).

The link holds the person's id under the server's seal. A mail program posts to it with one click.
Whoever opens it in a browser gets a button first, because scanners of mail open every link.
"""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crdt.errors import Unavailable
from server.auth.cookies import Seal, SecretKey
from server.http.middleware import CONTENT_SECURITY_POLICY
from server.http.plain_pages import ENGLISH, GERMAN, plain_page
from server.observe import log
from server.store.inbox_base import Inboxes

PATH = "/unsubscribe"
LASTING = 2 * 365 * 86_400
"""Seconds for which a link in a mail works."""

_QUESTION = '<p>{sentence}</p><form method="post"><button>{stop}</button></form>'
_ASKED = {
    ENGLISH: (
        "No more mail?",
        _QUESTION.format(
            sentence="Manyhands mails you what stays unread in your inbox. The inbox itself stays as it is.",
            stop="Send me no more mail",
        ),
    ),
    GERMAN: (
        "Keine Mails mehr?",
        _QUESTION.format(
            sentence="Manyhands schickt dir, was in deinem Posteingang ungelesen bleibt. Der Posteingang bleibt, wie er ist.",
            stop="Schick mir keine Mails mehr",
        ),
    ),
}
_ENDED = {
    ENGLISH: ("Done", "<p>You get no more mail. You can switch it on again in your inbox.</p>"),
    GERMAN: (
        "Erledigt",
        "<p>Du bekommst keine Mails mehr. In deinem Posteingang kannst du sie wieder einschalten.</p>",
    ),
}
_NOT_YET = {
    ENGLISH: ("Not done yet", "<p>This is not possible at the moment. Try again soon.</p>"),
    GERMAN: ("Noch nicht erledigt", "<p>Das geht im Moment nicht. Versuche es gleich noch einmal.</p>"),
}
_UNKNOWN = {
    ENGLISH: (
        "This link does not work",
        "<p>It is not whole, or too old. You can switch mail off in your inbox, below the entries.</p>",
    ),
    GERMAN: (
        "Dieser Link geht nicht",
        "<p>Er ist unvollständig oder zu alt. In deinem Posteingang kannst du Mails abschalten, unter den Einträgen.</p>",
    ),
}


_WITH_BUTTON = CONTENT_SECURITY_POLICY.replace("form-action 'none'", "form-action 'self'")
"""Our pages' policy, under which no browser would send a form."""


class Unsubscribing:
    """Links that end mail, and the pages behind them. `public_url`: where people reach us."""

    def __init__(self, inboxes: Inboxes, key: SecretKey, public_url: str, clock: Callable[[], float]) -> None:
        self._inboxes = inboxes
        self._seal = Seal(key, "unsubscribe", LASTING, clock)
        self._public_url = public_url

    def link(self, user_id: str) -> str:
        """Return the address that ends a person's mail."""
        return f"{self._public_url}{PATH}/{self._seal.close({'user': user_id})}"

    def routes(self) -> list[Route]:
        return [
            Route(f"{PATH}/{{seal}}", self._ask, methods=["GET"]),
            Route(f"{PATH}/{{seal}}", self._end, methods=["POST"]),
        ]

    def _user(self, request: Request) -> str | None:
        facts = self._seal.open(request.path_params["seal"])
        user_id = None if facts is None else facts.get("user")
        return user_id if isinstance(user_id, str) else None

    async def _ask(self, request: Request) -> Response:
        if self._user(request) is None:
            return plain_page(request, 404, _UNKNOWN)
        page = plain_page(request, 200, _ASKED)
        page.headers["Content-Security-Policy"] = _WITH_BUTTON
        return page

    async def _end(self, request: Request) -> Response:
        user_id = self._user(request)
        if user_id is None:
            return plain_page(request, 404, _UNKNOWN)
        try:
            await self._inboxes.set_mail(user_id, wanted=False)
        except Unavailable as error:
            log.warning("mail_not_ended", user=user_id, reason=error.message)
            return plain_page(request, 503, _NOT_YET)
        log.info("mail_ended", user=user_id)
        return plain_page(request, 200, _ENDED)
