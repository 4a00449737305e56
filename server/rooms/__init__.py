"""The open documents of this node: opened once, driven, closed when durable. What a room decides is crdt/room/room.py.

`Rooms.join` gives a door a seat. registry.py opens and closes, driver.py drives one room,
committer.py writes for all.
"""

from server.rooms.driver import info_of, shutting_down
from server.rooms.registry import RoomSettings
from server.rooms.rooms import Rooms
from server.rooms.seat import Circle, Door, Ears, Seat

__all__ = ["Circle", "Door", "Ears", "RoomSettings", "Rooms", "Seat", "info_of", "shutting_down"]
