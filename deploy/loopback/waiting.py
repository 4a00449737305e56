"""Waiting until a server on loopback answers."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from deploy.loopback.program import CannotStart, Program

PATIENCE = 60.0
"""Seconds after which a program that does not answer counts as broken.

A slow disk makes a database in twenty.
"""
PAUSE = 0.05
"""Seconds between two looks, because another process has no event to wait for."""


async def until_up(program: Program, answers: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a started program answers. Raises CannotStart if it ends, or takes too long."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not await answers():
                if not program.running:
                    raise CannotStart(f"{program.name} ended at once. The lines above say why.")
                await asyncio.sleep(PAUSE)
    except TimeoutError:
        raise CannotStart(f"{program.name} has not answered for {PATIENCE:g} s.") from None


async def listens(port: int) -> bool:
    """Whether a program takes connections at this port."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    await _close(writer)
    return True


async def status_of(port: int, path: str, seconds: float = 5.0) -> int | None:
    """Return the HTTP status of a GET, or None if there is no answer in time."""
    try:
        async with asyncio.timeout(seconds):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
                words = (await reader.readline()).split()
                return int(words[1]) if len(words) > 1 else None
            finally:
                await _close(writer)
    except (OSError, TimeoutError):
        return None


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
