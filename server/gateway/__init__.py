"""Socket.IO, and nothing else of the server: the native protocol (server/PROTOCOL.md) over WebSocket and long-polling.

gateway.py is the application; strict_server.py, engine_socket.py and frames.py are what makes python-socketio withstand strangers;
fast_lane.py and outlet.py are what makes it cheap.
"""

from server.gateway.gateway import Gateway
from server.gateway.limits import GatewayLimits
from server.gateway.origins import Origins

__all__ = ["Gateway", "GatewayLimits", "Origins"]
