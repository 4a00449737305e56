"""What waits to be published: bounded, the oldest gives way, for it is a hint and the log has what it speaks of."""

from collections import deque

MAX_MESSAGES = 10_000
MAX_BYTES = 16 * 2**20
GROUP_BYTES = 2**20
"""Bytes sent in one round trip, give or take a message."""


class Outgoing:
    """Channels and payloads in order. `dropped` counts what gave way."""

    def __init__(self) -> None:
        self.dropped = 0
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, channel: str, payload: bytes) -> None:
        """Add a message; makes room for it if need be."""
        self._waiting.append((channel, payload))
        self._bytes += len(payload)
        while len(self._waiting) > MAX_MESSAGES or self._bytes > MAX_BYTES:
            self._pop()
            self.dropped += 1

    def take_group(self) -> list[tuple[str, bytes]]:
        """Take out what goes in one round trip."""
        before, group = self._bytes, []
        while self._waiting and before - self._bytes < GROUP_BYTES:
            group.append(self._pop())
        return group

    def clear(self) -> None:
        """Nothing of it can leave any more."""
        self.dropped += len(self._waiting)
        self._waiting.clear()
        self._bytes = 0

    def _pop(self) -> tuple[str, bytes]:
        channel, payload = self._waiting.popleft()
        self._bytes -= len(payload)
        return channel, payload
