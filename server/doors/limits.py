"""Limits of the gateway: for one connection, and for all of them together."""

from msgspec import Struct

from crdt.budget import Rate


class GatewayLimits(Struct, frozen=True):
    """Bounds, with their reasons. The limits of documents are crdt.protocol.messages.Limits.

    Attributes:
        connections: all at once; each costs some 27 kB of memory when idle.
        connections_per_address: an office behind one address works, one visitor cannot take all.
        connections_per_user: one person's pages and programs, wherever they are.
        handshakes_per_address: connections that have not said CONNECT yet; after a restart a whole
            office comes back at once.
        greeting_bytes: one message from a peer before CONNECT. A token and a name fit many times
            over. With `handshakes_per_address`, this bounds the memory of strangers.
        documents_per_connection: a page holds one, a program that follows a project holds dozens.
        connect_seconds: from the handshake to CONNECT; bad links need half of it.
        ping_interval: seconds between pings; below the minute after which proxies cut silent
            connections.
        ping_timeout: seconds for the answer to a ping.
        stall_seconds: a connection whose backlog does not move for so long is cut, whatever it says
            meanwhile.
        strikes: malformed or unknown messages that one connection is forgiven.
        joins: joins of one connection, also repeated ones; a program that follows a project joins
            all of it at once.
        updates: batches of one connection; a page sends one for some keystrokes, a program that
            writes a file one for each line.
        content_bytes: bytes of those batches, and of uploads' parts.
        presence: cursors of one connection; a mouse that selects text moves sixty times a second.
    """

    connections: int = 5000
    connections_per_address: int = 1000
    connections_per_user: int = 100
    handshakes_per_address: int = 200
    greeting_bytes: int = 64 * 2**10
    documents_per_connection: int = 64
    connect_seconds: float = 10.0
    ping_interval: float = 25.0
    ping_timeout: float = 20.0
    stall_seconds: float = 30.0
    strikes: int = 50
    joins: Rate = Rate(10, 200)
    updates: Rate = Rate(500, 5000)
    content_bytes: Rate = Rate(8 * 2**20, 64 * 2**20)
    presence: Rate = Rate(100, 300)
