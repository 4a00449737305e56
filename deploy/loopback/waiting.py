"""Waiting until a server on loopback answers."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from deploy.loopback.program import CannotStart, Program

PATIENCE = 60.0
"""Seconds after which a program that should be up counts as broken: a slow disk makes a database in twenty."""
PAUSE = 0.05
"""Seconds between two looks: another process has no event to wait for."""


async def until_up(program: Program, answers: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a program that was started answers; raises CannotStart when it ends, or takes too long."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not await answers():
                if not program.running:
                    raise CannotStart(f"{program.name} ended at once: the lines above say why.")
                await asyncio.sleep(PAUSE)
    except TimeoutError:
        raise CannotStart(f"{program.name} has not answered for {PATIENCE:g} s.") from None


async def listens(port: int) -> bool:
    """Whether somebody takes connections there."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    await _close(writer)
    return True


async def status_of(port: int, path: str, seconds: float = 5.0) -> int | None:
    """The HTTP status of a GET; None: no answer in time."""
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
