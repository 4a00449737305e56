"""What one connection, and all of them together, may ask of the gateway."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GatewayLimits:
    """Bounds with their reasons; the limits of documents are crdt.protocol.Limits.

    Attributes:
        connections: all at once; each costs some 50 kB of memory when idle.
        connections_per_address: an office behind one address works, one visitor cannot take all.
        handshakes_per_address: connections that have not said CONNECT yet; after a restart a whole office comes back at once.
        documents_per_connection: a page holds one, a program that follows a project holds dozens.
        connect_seconds: from the handshake to CONNECT; bad links need half of it.
        ping_interval: seconds between pings; below the minute after which proxies cut silent connections.
        ping_timeout: seconds for the answer to one.
        stall_seconds: a connection with a backlog that takes nothing for so long is cut, whatever it says meanwhile.
        strikes: malformed or unknown messages that one connection is forgiven.
    """

    connections: int = 5000
    connections_per_address: int = 1000
    handshakes_per_address: int = 200
    documents_per_connection: int = 64
    connect_seconds: float = 10.0
    ping_interval: float = 25.0
    ping_timeout: float = 20.0
    stall_seconds: float = 30.0
    strikes: int = 50
