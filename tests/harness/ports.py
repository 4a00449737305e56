"""Ports for servers that must come back at the same address."""

import asyncio
import contextlib
import random
import socket


def quiet_port() -> int:
    """Return a free port that the system gives to nobody meanwhile.

    The port is outside of the range for outgoing connections.
    """
    chance = random.SystemRandom()
    while True:
        port = chance.randrange(20_000, 32_000)
        if is_quiet(port):
            return port


def is_quiet(port: int) -> bool:
    """Whether no socket has this port now."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


async def until_open(port: int, seconds: float) -> None:
    """Wait until a server takes connections at a port. Fails if none does in time."""
    async with asyncio.timeout(seconds):
        while not await _is_open(port):  # noqa: ASYNC110 - another process has no event to wait for
            await asyncio.sleep(0.005)


async def _is_open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
