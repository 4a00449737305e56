"""Over which way browsers are told to come from then on; the browser's other orders are tried in a browser (tests/e2e/test_headers.py)."""

from pathlib import Path

import httpx
import pytest

from tests.server.http_site import Site
from tests.server.server_process import server_process

NAME = "strict-transport-security"


async def test_only_over_https_are_browsers_told_to_come_by_https_alone() -> None:
    transport = httpx.ASGITransport(Site().app())
    async with httpx.AsyncClient(transport=transport) as client:
        assert NAME not in (await client.get("http://127.0.0.1/health")).headers
        assert (await client.get("https://127.0.0.1/health")).headers[NAME] == "max-age=31536000"


@pytest.mark.slow
@pytest.mark.parametrize(("options", "believed"), [((), False), (("--trusted-proxies", "127.0.0.1"), True)])
async def test_a_proxy_says_so_if_it_is_trusted(tmp_path: Path, options: tuple[str, ...], believed: bool) -> None:
    async with server_process(tmp_path, *options) as server, httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.get("/health", headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.1"})
    assert (NAME in answer.headers) is believed
