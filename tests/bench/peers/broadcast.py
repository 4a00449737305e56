"""The least that python-socketio can do: pass each update on to everybody else in the room. `broadcast.py PORT`."""

import sys

import socketio
import uvicorn

sio = socketio.AsyncServer(async_mode="asgi")


async def join(sid: str, document: str) -> None:
    await sio.enter_room(sid, document)


async def update(sid: str, document: str, update: bytes) -> None:
    await sio.emit("update", update, room=document, skip_sid=sid)


async def presence(sid: str, document: str, state: object) -> None:
    await sio.emit("presence", state, room=document, skip_sid=sid)


for event in (join, update, presence):
    sio.on(event.__name__, event)
uvicorn.run(socketio.ASGIApp(sio), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
