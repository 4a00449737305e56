"""The built pages as browsers get them."""

import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.routing import Mount, Route

from crdt.errors import Unavailable
from server.app import create_app
from server.config import Config, MailSettings
from server.config.people import PeopleSettings
from server.http.pages import read_build
from server.sandbox import Sandbox
from tests.harness.memory_store import memory_store
from tests.server.http_site import Site, error_of


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """A build, with a secret beside it and a link out of it."""
    (tmp_path / "secret.txt").write_text("secret")
    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<!doctype html><title>Manyhands</title>" + " " * 2000)
    script = b"export const answer = 42;\n" * 100
    (dist / "assets" / "index-a1b2.js").write_bytes(script)
    (dist / "assets" / "index-a1b2.js.gz").write_bytes(gzip.compress(script))
    (dist / "assets" / "index-a1b2.js.br").write_bytes(b"in Brotli")
    (dist / "assets" / "mark.png").write_bytes(b"\x89PNG")
    (dist / "sw.js").write_text("self.skipWaiting()")
    (dist / "manifest.webmanifest").write_text("{}")
    (dist / ".env").write_text("secret")
    (dist / "link.txt").symlink_to(tmp_path / "secret.txt")
    return dist


@pytest.fixture
async def client(build: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with Site(assets=read_build(build)).client() as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/d/Zm9vYmFyYmF6cXV4MTIzNA", "/d/anything", "/index.html"])
async def test_the_application_answers_for_its_addresses(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "default-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("path", "media_type", "kept"),
    [
        ("/assets/index-a1b2.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("/assets/mark.png", "image/png", "public, max-age=31536000, immutable"),
        ("/sw.js", "text/javascript; charset=utf-8", "no-cache"),
        ("/manifest.webmanifest", "application/manifest+json", "no-cache"),
    ],
)
async def test_files_have_their_types_and_are_kept_as_long_as_they_are_good(
    client: httpx.AsyncClient, path: str, media_type: str, kept: str
) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["content-type"], answer.headers["cache-control"]) == (
        200,
        media_type,
        kept,
    )
    again = await client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br, zstd", "br"),
        ("br;q=0, GZIP ; q=0.5", "gzip"),
        ("br;q=0.000", None),
        ("bracket, x-gzip", None),
        ("identity", None),
    ],
)
async def test_files_are_packed_for_who_can_unpack(
    client: httpx.AsyncClient, build: Path, accepted: str, coding: str | None
) -> None:
    path = "/assets/index-a1b2.js"
    async with client.stream("GET", path, headers={"Accept-Encoding": accepted}) as answer:
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["vary"] == "Accept-Encoding"
    suffix = {None: "", "gzip": ".gz", "br": ".br"}[coding]
    assert raw == (build / f"{path}{suffix}"[1:]).read_bytes()


async def test_packed_files_have_no_address_of_their_own(client: httpx.AsyncClient) -> None:
    assert error_of(await client.get("/assets/index-a1b2.js.gz")) == (404, "not_found")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "//etc/passwd",
        "/link.txt",
        "/.env",
        "/%00",
        "/assets",
    ],
)
async def test_nothing_outside_the_build_is_served(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert error_of(answer) == (404, "not_found")


async def test_a_person_who_is_lost_meets_the_application(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nowhere", headers={"Accept": "text/html,*/*"})
    assert answer.status_code == 404
    assert "<title>Manyhands</title>" in answer.text


async def test_a_missing_build_says_how_to_make_it(tmp_path: Path) -> None:
    async with Site(assets=read_build(tmp_path / "nothing")).client() as client:
        answer = await client.get("/")
        assert answer.status_code == 503
        assert "make serve" in answer.text
        assert (await client.get("/health")).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "language"),
    [("", "en"), ("de", "de"), ("de-AT,de;q=0.9,en;q=0.8", "de"), ("en-GB,de;q=0.9", "en"), ("fr,de;q=0.5", "de")],
)
async def test_the_servers_own_page_is_in_the_language_that_a_browser_asks_for(
    tmp_path: Path, wanted: str, language: str
) -> None:
    async with Site(assets=read_build(tmp_path / "nothing")).client() as client:
        answer = await client.get("/", headers={"Accept-Language": wanted})
        assert f'<html lang="{language}">' in answer.text
        assert (answer.headers["content-language"], answer.headers["vary"]) == (language, "Accept-Language")


async def test_pages_cannot_be_posted_to(client: httpx.AsyncClient) -> None:
    assert error_of(await client.post("/d/x")) == (405, "malformed")


def test_a_directory_that_is_no_build_is_refused(build: Path) -> None:
    with pytest.raises(Unavailable, match="too large to be a build"):
        read_build(build, max_bytes=1000)


def test_the_service_worker_leaves_the_server_s_own_addresses_to_the_server() -> None:
    """The worker answers an address that it does not know with the application, which would hide a page of the server."""
    people = PeopleSettings(
        auth="oidc",
        oidc_issuer="https://id.example.com",
        oidc_client_id="manyhands",
        oidc_client_secret="a secret",
        public_url="https://docs.example.com",
    )
    mail = MailSettings("smtp://127.0.0.1", "docs@example.com")
    app = create_app(Config(people=people, mail=mail), store=memory_store(), sandbox=Sandbox(starts_late=True))
    config = Path("client_web/editor/vite.config.ts").read_text()
    listed = re.search(r"const SERVER_PATHS = \[(.*?)\];", config, re.DOTALL)
    assert listed is not None
    left_alone = [each.replace("\\/", "/") for each in re.findall(r"^ +/(.+)/,$", listed[1], re.MULTILINE)]
    found = [route for route in app.site.routes if isinstance(route, Mount | Route)]
    *routes, pages = [f"{route.path}/" if isinstance(route, Mount) else route.path for route in found]
    assert pages == "/{path:path}"
    assert {"/api/", "/sign-in", "/unsubscribe/{seal}"} <= set(routes)
    assert [path for path in routes if not any(re.search(each, path) for each in left_alone)] == []
