"""Socket.IO, and nothing else of the server: the native protocol (server/PROTOCOL.md) over WebSocket and long-polling.

gateway.py is the application; strict_server.py, engine_socket.py and frames.py are what makes
python-socketio withstand strangers; fast_lane.py and outlet.py are what makes it cheap.
"""

from server.doors.native.engine.origins import Origins
from server.doors.native.gateway import Gateway
from server.doors.native.limits import GatewayLimits

__all__ = ["Gateway", "GatewayLimits", "Origins"]
