"""Entrance of all doors: which pages may connect, and how many connections wait or are in.

A connection waits at the entrance from its handshake until its person is known and let in, at the
native door by a Socket.IO CONNECT. Both counts are bounded, because handshakes cost an attacker
nothing. The counts take as much memory as there are connections.
"""

import itertools
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from crdt.budget import address_group
from crdt.errors import Code, ProtocolError
from server.doors.limits import GatewayLimits
from server.observe import address_shown, log

next_arrival = itertools.count(1).__next__
"""Return a number that grows with each connection of this node."""

FOREIGN_PAGE = "Pages from elsewhere may not connect. If they should: MANYHANDS_ALLOWED_ORIGINS."


def note_foreign_page(origin: str) -> None:
    """Tell the operator. Usually the page is ours, and a proxy has changed the Host."""
    log.warning("origin_refused", reason=FOREIGN_PAGE, origin=address_shown(origin))


class Entrance:
    """Counts of connections. Each one that was let in must `leave` once."""

    def __init__(self, limits: GatewayLimits) -> None:
        self._limits = limits
        self._waiting: Counter[str] = Counter()
        self._inside: Counter[str] = Counter()

    @property
    def waiting(self) -> int:
        """Connections of people who are not let in yet."""
        return self._waiting.total()

    @property
    def inside(self) -> int:
        """Connections that may speak."""
        return self._inside.total()

    def knock(self, address: str) -> bool:
        """Begin to wait. Return False if too many wait already, from this address or in all."""
        home = address_group(address)
        if self._waiting[home] >= self._limits.handshakes_per_address or self.waiting >= self._limits.connections:
            return False
        self._waiting[home] += 1
        return True

    def enter(self, address: str) -> None:
        """Let a connection in; raises ProtocolError(too_many), and then it waits as before."""
        home = address_group(address)
        if self.inside >= self._limits.connections:
            raise ProtocolError(Code.TOO_MANY, "The server has as many connections as it takes. Try again later.")
        if self._inside[home] >= self._limits.connections_per_address:
            raise ProtocolError(Code.TOO_MANY, "Too many connections come from your address. Close some pages.")
        _subtract(self._waiting, home)
        self._inside[home] += 1

    def step_out(self, address: str) -> None:
        """Wait at the entrance again."""
        home = address_group(address)
        _subtract(self._inside, home)
        self._waiting[home] += 1

    def leave(self, address: str, *, was_inside: bool) -> None:
        _subtract(self._inside if was_inside else self._waiting, address_group(address))


class UserConnections:
    """Counts of each person's connections. Each one that came in must `leave` once."""

    def __init__(self, connections_per_user: int) -> None:
        self._most = connections_per_user
        self._inside: Counter[str] = Counter()

    def enter(self, user_id: str) -> None:
        """Come in with one more connection; raises ProtocolError(too_many)."""
        if self._inside[user_id] >= self._most:
            raise ProtocolError(Code.TOO_MANY, f"You have {self._most} connections open. Close some pages.")
        self._inside[user_id] += 1

    def leave(self, user_id: str) -> None:
        """Close one of the connections."""
        _subtract(self._inside, user_id)


def _subtract(counter: Counter[str], name: str) -> None:
    counter[name] -= 1
    if counter[name] <= 0:
        del counter[name]


class Complaints:
    """The record of protocol errors, for the operator: all are counted, and few are logged.

    Each kind is logged once for each connection. server/ration.py bounds the lines in all. Lines
    hold no ids, tokens or content.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._left_out = 0

    def note(self, kind: str, address: str, told: set[str], reason: str = "") -> None:
        """Count a protocol error. `told` holds the kinds already logged for this connection.

        `reason`: what the peer is told, where a program of somebody else's has to be put right.
        """
        self.counts[kind] += 1
        if kind in told:
            self._left_out += 1
            return
        told.add(kind)
        why = {"reason": reason} if reason else {}
        log.warning("protocol_error", kind=kind, **why, address=address, left_out=self._left_out)
        self._left_out = 0


_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class Origins:
    """Origins of web pages that may connect: our own, and those that the operator names.

    Browsers do not keep a foreign page from opening a WebSocket. They only say in the Origin header
    whose page it is. A request without this header comes from a program, which has only its own
    cookies, or is a long-polling request of our own pages. Other pages may send a request without
    the header as well, but cannot read the answer, and our cookies do not go with it (SameSite).

    `allowed`: origins beside the server's own, for example `https://example.org`.
    """

    def __init__(self, allowed: tuple[str, ...] = ()) -> None:
        self._allowed = frozenset(allowed)

    def allow(self, origin: str, environ: Mapping[str, Any]) -> bool:
        """Whether pages of `origin` may connect by this request.

        Our own origin is recognised by the Host header alone. A proxy that ends TLS and does not
        say so would otherwise turn the scheme into a refusal that nobody can explain.
        """
        if origin in self._allowed:
            return True
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        host = environ.get("HTTP_HOST", "").lower()
        own = parts.netloc.lower()
        return bool(own) and parts.scheme in _DEFAULT_PORTS and host in {own, own + _DEFAULT_PORTS[parts.scheme]}
