"""Which other nodes live, as far as one node can tell: those that it has heard lately.

A node beats every second or so; one that has been silent for a few beats is given up, and its
people with it. If it only was slow or cut off, it is new again when it is next heard.
"""

from crdt.ids import NodeId

SILENCE = 5.0
"""Seconds without a word after which a node is given up: four beats may get lost."""


class LiveNodes:
    """Nodes by when they were last heard, in monotonic seconds of the node that listens."""

    def __init__(self) -> None:
        self._heard: dict[NodeId, float] = {}
        self._new: dict[NodeId, None] = {}

    def __contains__(self, node: NodeId) -> bool:
        return node in self._heard

    def heard(self, node: NodeId, now: float) -> None:
        """A node has said something."""
        if node not in self._heard:
            self._new[node] = None
        self._heard[node] = now

    def take_new(self) -> tuple[NodeId, ...]:
        """The nodes that were not here at the last call."""
        new = tuple(self._new)
        self._new.clear()
        return new

    def forget(self, node: NodeId) -> None:
        """A node has said goodbye."""
        self._heard.pop(node, None)
        self._new.pop(node, None)

    def take_silent(self, now: float) -> tuple[NodeId, ...]:
        """Give up the nodes that have been silent too long, and say which."""
        silent = tuple(node for node, heard in self._heard.items() if now - heard > SILENCE)
        for node in silent:
            self.forget(node)
        return silent
