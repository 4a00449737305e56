"""python-socketio, imported without the clients of brokers that it could work with.

Its package imports redis-py wherever redis-py is installed, for a manager that is not used here.
That takes a tenth of a server's start. So while the package is imported for the first time,
redis-py seems to be missing. Nodes that have a bus over Redis import redis-py by themselves.
"""

import sys

_is_there = "redis" in sys.modules
if not _is_there:
    sys.modules["redis"] = None  # type: ignore[assignment]
try:
    import socketio
    from socketio import packet as socketio_packet
finally:
    if not _is_there:
        del sys.modules["redis"]

__all__ = ["socketio", "socketio_packet"]
