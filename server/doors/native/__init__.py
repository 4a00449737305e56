"""Native protocol (server/PROTOCOL.md) over Socket.IO, by WebSocket and long-polling.

gateway.py is the application. The files in engine/ make python-socketio withstand strangers. Those
in lane/ make it cheap.
"""

from server.doors.native.engine.entrance import Origins
from server.doors.native.gateway import Gateway
from server.doors.native.limits import GatewayLimits

__all__ = ["Gateway", "GatewayLimits", "Origins"]
