"""The queue of messages to publish: bounded, and dropping the oldest first.

Dropping is safe, because the messages are hints, and the log has the rows themselves.
"""

from collections import deque

MAX_MESSAGES = 10_000
MAX_BYTES = 16 * 2**20
GROUP_BYTES = 2**20
"""Bytes that are sent in one round trip, exceeded by a message at most."""


class Outgoing:
    """Channels and payloads in order. `dropped` counts the messages that were dropped."""

    def __init__(self) -> None:
        self.dropped = 0
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, channel: str, payload: bytes) -> None:
        """Add a message, and drop the oldest ones if need be."""
        self._waiting.append((channel, payload))
        self._bytes += len(payload)
        while len(self._waiting) > MAX_MESSAGES or self._bytes > MAX_BYTES:
            self._pop()
            self.dropped += 1

    def take_group(self) -> list[tuple[str, bytes]]:
        """Take out the messages of one round trip."""
        before, group = self._bytes, []
        while self._waiting and before - self._bytes < GROUP_BYTES:
            group.append(self._pop())
        return group

    def clear(self) -> None:
        """Drop all messages, because they cannot leave any more."""
        self.dropped += len(self._waiting)
        self._waiting.clear()
        self._bytes = 0

    def _pop(self) -> tuple[str, bytes]:
        channel, payload = self._waiting.popleft()
        self._bytes -= len(payload)
        return channel, payload
