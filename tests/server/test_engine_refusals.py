"""What is refused below /socket.io/, and how: by name, once, and never to be kept by anybody on the way."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from server.app import create_app
from server.config import Config
from tests.harness.bell import PATIENCE
from tests.harness.live_server import LiveServer, serving
from tests.harness.log_lines import log_lines
from tests.harness.memory_store import memory_store
from tests.harness.raw_socket import raw_socket

POLLING = "/socket.io/?EIO=4&transport=polling"
WEBSOCKET = (
    "Host: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
)


@pytest.fixture
async def server() -> AsyncIterator[LiveServer]:
    async with serving() as live:
        yield live


@pytest.fixture
async def http(server: LiveServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}") as client:
        yield client


@pytest.mark.parametrize("query", ["EIO=4", "", "EIO=4&Transport=polling", "EIO=4&transports=polling", "EIO=4&sid=abc"])
async def test_who_names_no_transport_is_not_taken_for_somebody_who_polls(
    server: LiveServer, http: httpx.AsyncClient, query: str
) -> None:
    answer = await http.get(f"/socket.io/?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed")
    assert "transport" in answer.json()["error"]["message"]
    assert server.gateway.handshakes == 0


@pytest.mark.parametrize(
    "query", ["EIO=4&transport=polling", "EIO=4&%74ransport=polling", "transport=polling&EIO=4&document=a"]
)
async def test_who_names_one_is_let_in(server: LiveServer, http: httpx.AsyncClient, query: str) -> None:
    assert (await http.get(f"/socket.io/?{query}")).text.startswith("0{")
    assert server.gateway.handshakes == 1


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("EIO=4&transport=carrier-pigeon", "Invalid transport"),
        ("EIO=3&transport=polling", "version"),
        ("EIO=4&transport=polling&sid=somebody-elses", "There is no such session here"),
    ],
)
async def test_refusals_are_named_and_repeat_nothing(http: httpx.AsyncClient, query: str, says: str) -> None:
    answer = await http.get(f"/socket.io/?{query}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed")
    assert says in answer.json()["error"]["message"]
    assert "somebody-elses" not in answer.text


async def test_pages_from_elsewhere_are_refused_by_name(http: httpx.AsyncClient) -> None:
    """The page can read why, and so can the operator, who has to name the page's origin."""
    with log_lines() as lines:
        answer = await http.get(POLLING, headers={"Origin": "https://evil.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "wrong_origin")
    assert "MANYHANDS_ALLOWED_ORIGINS" in answer.json()["error"]["message"]
    assert "evil" not in answer.text
    assert answer.headers["access-control-allow-origin"] == "*"
    assert [(line["event"], line["origin"]) for line in lines if "origin" in line] == [
        ("origin_refused", "https://evil.example")
    ]


async def test_a_websocket_of_a_page_from_elsewhere_is_logged_too(server: LiveServer) -> None:
    with log_lines() as lines:
        assert not await opens_websocket(
            server, "/socket.io/?EIO=4&transport=websocket", "Origin: https://evil.example/<b>\r\n"
        )
    assert [(line["event"], line["origin"]) for line in lines if "origin" in line] == [
        ("origin_refused", "https://evil.example/?b?")
    ]


@pytest.mark.parametrize(
    ("query", "opens"),
    [
        ("EIO=4&transport=websocket", True),
        ("transport=websocket&EIO=4&document=x&t=abc", True),
        ("EIO=4&%74ransport=web%73ocket", True),
        ("EIO=4&transport=websocket&j=1", True),
        ("EIO=4&transport=websocket&transport=polling", True),
        ("EIO=4&transport=websocket&j=x", False),
        ("EIO=4&transport=websocket&sid=nobody", False),
        ("EIO=4&transport=websocket&%73id=nobody", False),
        ("EIO=4&transport=polling", False),
        ("EIO=4&transport=polling&transport=websocket", False),
        ("EIO=3&EIO=4&transport=websocket", False),
        ("EIO=4&EIO=4&transport=websocket", False),
        ("EIO=3&transport=websocket", False),
        ("transport=websocket", False),
        ("EIO=4", False),
        ("", False),
    ],
)
async def test_a_websocket_opens_a_session_only_by_the_rules_of_engineio(
    server: LiveServer, query: str, opens: bool
) -> None:
    assert await opens_websocket(server, f"/socket.io/?{query}") == opens


@pytest.mark.parametrize(
    ("headers", "opens"),
    [
        ("Origin: http://here\r\n", True),
        ("Origin: http://here\r\nOrigin: https://evil.example\r\n", False),
        ("Origin: https://evil.example\r\nOrigin: http://here\r\n", False),
        ("Origin: https://evil.example\r\nX-Forwarded-Host: evil.example\r\n", False),
    ],
)
async def test_no_second_header_opens_a_websocket_to_pages_from_elsewhere(
    server: LiveServer, headers: str, opens: bool
) -> None:
    assert await opens_websocket(server, "/socket.io/?EIO=4&transport=websocket", headers) == opens


async def opens_websocket(server: LiveServer, path: str, headers: str = "") -> bool:
    """Ask for a WebSocket by hand; whether it was granted."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"GET {path} HTTP/1.1\r\n{WEBSOCKET}{headers}\r\n".encode())
    async with asyncio.timeout(PATIENCE):
        answer = await reader.readline()
    writer.close()
    return answer.startswith(b"HTTP/1.1 101 ")


async def test_no_answer_is_to_be_kept_or_guessed_at(http: httpx.AsyncClient) -> None:
    opened = await http.get(POLLING)
    sid = opened.text.partition('"sid":"')[2].partition('"')[0]
    posted = await http.post(f"{POLLING}&sid={sid}", content=b"40")
    refused = await http.get("/socket.io/")
    for answer in (opened, posted, refused, await http.put(POLLING), await http.options(POLLING)):
        guards = answer.headers.get("Cache-Control"), answer.headers.get("X-Content-Type-Options")
        assert guards == ("no-store", "nosniff"), answer.request.method


async def test_the_answer_that_begins_a_session_names_it_for_balancers(http: httpx.AsyncClient) -> None:
    opened = await http.get(POLLING)
    assert f'"sid":"{opened.headers["Manyhands-Session"]}"' in opened.text


async def test_a_server_that_is_leaving_begins_no_session_and_serves_those_that_it_has(
    server: LiveServer, http: httpx.AsyncClient
) -> None:
    mine = f"{POLLING}&sid={(await http.get(POLLING)).headers['Manyhands-Session']}"
    await http.post(mine, content=b"40")
    server.gateway.drain(0)
    for somebody in (POLLING, f"{POLLING}&sid=of-another-node"):
        for answer in (await http.get(somebody), await http.post(somebody, content=b"40")):
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "draining")
            assert answer.headers["Connection"] == "close", "or a balancer would come back over the same connection"
    assert "draining" in (await http.get(mine)).text
    assert (await http.post(mine, content=b'42["leave","aaaaaaaa"]')).status_code == 200


async def test_another_namespace_is_refused_as_the_protocol_writes_it(server: LiveServer) -> None:
    async with raw_socket(server.port) as stranger:
        await stranger.send('40/admin,{"token":"x"}')
        answer = str(await stranger.receive())
        assert answer.startswith('44/admin,{"message":"Connect to the namespace /.","data":{"code":"malformed"')
        assert "admin" not in answer[len("44/admin,") :]


async def test_a_request_that_names_two_hosts_is_refused() -> None:
    app = create_app(Config(), store=memory_store())
    async with app.running(), httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        for path in (POLLING, "/api/documents", "/health", "/"):
            for second in ("docs.example.com", "localhost"):
                answer = await client.get(f"http://localhost{path}", headers=[("Host", "localhost"), ("Host", second)])
                assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed")
