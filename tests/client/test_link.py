"""A connection of the Python client to what is no server of ours."""

import pytest
from websockets.asyncio.server import ServerConnection, serve

from manyhands.link import Lost, open_link


def _deaf(event: str, arguments: list[object]) -> None:
    """Hear nothing."""


OPENED = '0{"pingInterval":25000,"pingTimeout":20000}'


@pytest.mark.parametrize(
    ("greeting", "is_one_frame"),
    [
        ("40", False),
        ("40null", False),
        ("40[1]", False),
        ('40"2"', False),
        ('40{"protocol":"2"}', False),
        ('40{"protocol":null}', False),
        ('40{"protocol":1}', False),
        ('40{"protocol":2}', True),
    ],
)
async def test_protocol_2_is_spoken_where_it_is_answered_and_nowhere_else(greeting: str, is_one_frame: bool) -> None:
    heard = list[str | bytes]()

    async def greet(socket: ServerConnection) -> None:
        await socket.send(OPENED)
        await socket.recv()
        await socket.send(greeting)
        heard.append(await socket.recv())

    async with serve(greet, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        async with open_link(url, "a-document", {}, {}, _deaf) as link:
            with pytest.raises(Lost):
                await link.ask("update", "a-document", b"batch")
    assert [isinstance(frame, bytes) for frame in heard] == [is_one_frame]


@pytest.mark.parametrize("opened", ["", "1", "0", "0[]", "0{}", '0{"pingInterval":"x","pingTimeout":1}'])
async def test_what_is_no_server_counts_as_none(opened: str) -> None:
    async def greet(socket: ServerConnection) -> None:
        await socket.send(opened)
        await socket.send("40")

    async with serve(greet, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        with pytest.raises(Lost):
            async with open_link(url, "a-document", {}, {}, _deaf):
                pass
