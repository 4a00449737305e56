"""Native protocol (server/PROTOCOL.md) over Socket.IO, by WebSocket and long-polling.

gateway.py is the application. The files in engine/ make python-socketio withstand strangers. Those
in lane/ make it cheap.
"""

from server.doors.entrance import Origins
from server.doors.limits import GatewayLimits
from server.doors.native.gateway import Gateway

__all__ = ["Gateway", "GatewayLimits", "Origins"]
