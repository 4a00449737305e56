"""What nodes say to Redis about one document, and what it brings them, heard on the wire between."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from crdt.ids import NodeId
from crdt.protocol.hints import BatchHint, decode_hint
from server.bus.redis import CHANNEL
from tests.cluster.breakable import NODES, BreakableCluster
from tests.harness.relay import Relay

MESSAGE = re.compile(
    rb"\r\n(?P<verb>s?publish|s?message)\r\n\$\d+\r\n(?P<channel>[^\r]+)\r\n\$(?P<length>\d+)\r\n", re.IGNORECASE
)
"""The beginning of a message in Redis' protocol; its bytes follow."""


class Wiretap:
    """One node's two directions. `name` is what the node calls itself, as far as it has said something."""

    def __init__(self) -> None:
        self._said = bytearray()
        self._heard = bytearray()

    @contextmanager
    def listening(self, relay: Relay) -> Iterator[None]:
        relay.to_dependency, relay.from_dependency = self._said.extend, self._heard.extend
        try:
            yield
        finally:
            relay.to_dependency = relay.from_dependency = None

    def says(self, document_id: str) -> list[bytes]:
        """What the node has published about this document."""
        return list(_messages(self._said, document_id))

    def hears(self, document_id: str) -> list[bytes]:
        """What Redis has brought the node about this document, its own words included: Redis leaves them out for nobody."""
        return list(_messages(self._heard, document_id))


def _messages(wire: bytes | bytearray, document_id: str) -> Iterator[bytes]:
    for found in MESSAGE.finditer(bytes(wire)):
        if found["channel"].decode() == CHANNEL + document_id:
            yield bytes(wire[found.end() : found.end() + int(found["length"])])


def rows(messages: list[bytes]) -> list[tuple[NodeId, int]]:
    """Which rows of the log these messages speak of, and which node says so; presence is left out."""
    hints = map(decode_hint, messages)
    return [(node, hint.seq) for node, hint in hints if isinstance(hint, BatchHint)]


@contextmanager
def wiretaps(cluster: BreakableCluster) -> Iterator[list[Wiretap]]:
    """Listen in on each node's way to Redis for a while."""
    taps = [Wiretap() for _ in NODES]
    with ExitStack() as listening:
        for node, tap in enumerate(taps):
            listening.enter_context(tap.listening(cluster.way_to_redis(node)))
        yield taps
