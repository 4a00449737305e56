"""Dialects of the doors: the frames in which clients speak, written by hand."""

import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

from crdt.protocol import hocuspocus as h
from crdt.protocol import yprotocols as y
from crdt.protocol.batch import encode_batch

Frames = Sequence[str | bytes]


class Dialect(NamedTuple):
    """What a client writes at a door. `begin` is said on connecting."""

    path: Callable[[str, str], str]
    begin: Callable[[str, str], Frames]
    join: Callable[[str], Frames]
    update: Callable[[str, bytes], Frames]


def socket_io(before: str, event: str, *arguments: object) -> str:
    place = {"_placeholder": True, "num": 0}
    return f"451-{before}{json.dumps([event, *arguments, place])}"


DIALECTS = {
    "native": Dialect(
        lambda _, __: "/socket.io/?EIO=4&transport=websocket",
        lambda _, shown: [f'40{{"token":"{shown}"}}'],
        lambda room: [
            f'451-1["join","{room}",{{"client_id":7,"state_vector":{{"_placeholder":true,"num":0}}}}]',
            b"\0",
        ],
        lambda room, update: [socket_io("2", "update", room), encode_batch([update])],
    ),
    "y-websocket": Dialect(
        lambda room, shown: f"/y/{room}?token={shown}",
        lambda _, __: [],
        lambda _: [y.encode_step_1(b"\0")],
        lambda _, update: [y.encode_update(update)],
    ),
    "hocuspocus": Dialect(
        lambda _, shown: f"/hocuspocus?token={shown}",
        lambda _, __: [],
        lambda room: [h.head(room) + y.encode_step_1(b"\0")],
        lambda room, update: [h.head(room) + y.encode_update(update)],
    ),
    "y-socket.io": Dialect(
        lambda _, __: "/socket.io/?EIO=4&transport=websocket",
        lambda room, shown: [f'40/yjs|{room},{{"token":"{shown}"}}'],
        lambda room: [socket_io(f"/yjs|{room},0", "sync-step-1"), b"\0"],
        lambda room, update: [socket_io(f"/yjs|{room},", "sync-update"), update],
    ),
}
