"""Rooms: the open documents of this node, opened once, driven, and closed when durable.

`Rooms.join` gives a door a seat. registry.py opens and closes, driver.py drives one room,
committer.py writes for all. crdt/room/room.py is what a room decides.
"""

from server.rooms.driver import shutting_down
from server.rooms.registry import RoomSettings
from server.rooms.rooms import Rooms
from server.rooms.seat import Circle, Door, Ears, Seat

__all__ = ["Circle", "Door", "Ears", "RoomSettings", "Rooms", "Seat", "shutting_down"]
