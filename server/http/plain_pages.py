"""Plain pages: what the server says to people itself, in the language that their browsers ask for.

They need no file of the build, so they can be shown when the application cannot.
"""

from collections.abc import Mapping
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import Scope

from crdt.errors import Code
from server.http.errors import refusal
from server.http.requests import weights_of

ENGLISH = "en"
GERMAN = "de"

_PAGE = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{heading} – Manyhands</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<link rel="icon" href="/icon.svg">
<style>
:root {{ background: Canvas; color: CanvasText; font: 1rem/1.5 system-ui, sans-serif }}
body {{ margin: 10vh auto; max-width: 36rem; padding: 0 1rem }}
</style></head>
<body><main><h1>{heading}</h1>{text}</main></body></html>
"""


def language_of(request: Request) -> str:
    """Return the language in which somebody reads the server's own pages."""
    weights = weights_of(request.headers.get("accept-language", ""))
    languages: dict[str, float] = {}
    for wanted, weight in weights.items():
        language = wanted.partition("-")[0]
        languages[language] = max(weight, languages.get(language, 0.0))
    return GERMAN if languages.get(GERMAN, 0.0) > languages.get(ENGLISH, 0.0) else ENGLISH


def plain_page(request: Request, status: int, texts: Mapping[str, tuple[str, str]]) -> HTMLResponse:
    """Return a page. `texts` holds for each language a heading in plain text, and HTML below it."""
    language = language_of(request)
    heading, text = texts[language]
    headers = {"Cache-Control": "no-store", "Content-Language": language, "Vary": "Accept-Language"}
    return HTMLResponse(_PAGE.format(language=language, heading=escape(heading), text=text), status, headers)


_REFUSED_IN_GERMAN = {
    Code.RATE_LIMITED: "Das war zu viel in zu kurzer Zeit. Versuche es gleich noch einmal.",
    Code.WRONG_HOST: "Dieser Server kennt sich nicht unter diesem Namen. Den Namen erlaubt MANYHANDS_ALLOWED_ORIGINS.",
}


def refused(scope: Scope, code: Code, message: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Return a refusal: a page for somebody who opens a page's address in a browser, else JSON."""
    request = Request(scope)
    if "text/html" not in request.headers.get("accept", "") or scope["path"].startswith("/api/"):
        return refusal(code, message, status, headers)
    in_german = _REFUSED_IN_GERMAN.get(code, "Diese Anfrage wird hier nicht beantwortet.")
    texts = {
        ENGLISH: ("The server refuses this", f"<p>{escape(message)}</p>"),
        GERMAN: ("Der Server lehnt das ab", f"<p>{in_german}</p>"),
    }
    page = plain_page(request, status, texts)
    page.headers.update(headers or {})
    return page
