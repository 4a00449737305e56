"""The open documents of this node: opened once, driven, closed when durable. What a room decides is crdt/room/room.py.

rooms.py is the way in; open_rooms.py opens and closes, open_room.py drives one, committer.py writes
for all.
"""

from server.rooms.open_room import info_of
from server.rooms.open_rooms import RoomSettings, shutting_down
from server.rooms.rooms import Rooms
from server.rooms.wire import Wire

__all__ = ["RoomSettings", "Rooms", "Wire", "info_of", "shutting_down"]
