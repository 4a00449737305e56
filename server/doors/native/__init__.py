"""Native protocol (server/PROTOCOL.md) over Socket.IO, by WebSocket and long-polling.

gateway.py is the application. strict_server.py, engine_socket.py and frames.py make python-socketio
withstand strangers. fast_lane.py and outlet.py make it cheap.
"""

from server.doors.native.engine.origins import Origins
from server.doors.native.gateway import Gateway
from server.doors.native.limits import GatewayLimits

__all__ = ["Gateway", "GatewayLimits", "Origins"]
