"""pycrdt-websocket as its documentation shows it, on uvicorn. `pycrdt_server.py PORT [SQLITE_FILE]`."""

import asyncio
import contextlib
import sys

import uvicorn
from pycrdt.store import SQLiteYStore, YDocNotFound  # type: ignore[import-not-found]
from pycrdt.websocket import ASGIServer, WebsocketServer, YRoom  # type: ignore[import-not-found]


class StoringServer(WebsocketServer):  # type: ignore[misc]
    """Rooms whose updates are kept, and read when the room is made.

    One room is opened at a time: pycrdt-websocket starts a room again for whoever comes while the
    room is being started, and that start waits for ever.
    """

    def __init__(self) -> None:
        super().__init__()
        self._opening = asyncio.Lock()

    async def get_room(self, name: str) -> YRoom:
        async with self._opening:
            return await self._room(name)

    async def _room(self, name: str) -> YRoom:
        if name not in self.rooms:
            store = type("Store", (SQLiteYStore,), {"db_path": sys.argv[2]})(name)
            room = YRoom(ready=False, ystore=store)
            self.rooms[name] = room
            await self.start_room(room)
            await store.started.wait()
            with contextlib.suppress(YDocNotFound):
                await store.apply_updates(room.ydoc)
            room.ready = True
        return self.rooms[name]


async def main() -> None:
    """Serve until killed."""
    server = StoringServer() if len(sys.argv) > 2 else WebsocketServer()
    config = uvicorn.Config(ASGIServer(server), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
    async with server:
        await uvicorn.Server(config).serve()


asyncio.run(main())
