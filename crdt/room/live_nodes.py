"""Live nodes: those that this node has heard lately.

A node beats every second or so. A node that has been silent for a few beats is given up, and its
people with it. If the node was only slow or cut off, it counts as new when it is heard again.
"""

from crdt.ids import NodeId

SILENCE = 5.0
"""Seconds of silence after which a node is given up; four beats may get lost."""


class LiveNodes:
    """Nodes by when they were last heard, in monotonic seconds of the node that listens."""

    def __init__(self) -> None:
        self._heard: dict[NodeId, float] = {}
        self._new: dict[NodeId, None] = {}

    def __contains__(self, node: NodeId) -> bool:
        return node in self._heard

    def heard(self, node: NodeId, now: float) -> None:
        """Note that a node has said something."""
        if node not in self._heard:
            self._new[node] = None
        self._heard[node] = now

    def take_new(self) -> tuple[NodeId, ...]:
        """Return the nodes that are new since the last call."""
        new = tuple(self._new)
        self._new.clear()
        return new

    def forget(self, node: NodeId) -> None:
        """Forget a node that has said goodbye."""
        self._heard.pop(node, None)
        self._new.pop(node, None)

    def take_silent(self, now: float) -> tuple[NodeId, ...]:
        """Give up the nodes that have been silent too long, and return them."""
        silent = tuple(node for node, heard in self._heard.items() if now - heard > SILENCE)
        for node in silent:
            self.forget(node)
        return silent
