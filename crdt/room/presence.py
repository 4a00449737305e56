"""Presence in a document: who is here and where their cursor is, one row for each session.

A client sets its own state and nothing else. The server says who the person is, and takes a row out
when its session goes. Changes of this node's rows are gathered. Each changed row is sent once, as
it is at that moment, however often it moved. Rows of another node belong to that node. They go when
the node says so, or when it has fallen silent.
"""

import json
from collections.abc import Iterable

from crdt.errors import Code, ProtocolError
from crdt.ids import ClientId, NodeId, PresenceId
from crdt.protocol.messages import Json, Limits, PresenceChange, User


class PresenceTable:
    """Rows by presence id: those of this node's sessions, and those of other nodes' sessions.

    `state_bytes` bounds the state of one row.
    """

    def __init__(self, state_bytes: int = Limits().presence_bytes) -> None:
        self._state_bytes = state_bytes
        self._rows: dict[PresenceId, PresenceChange] = {}
        self.changes: dict[PresenceId, PresenceChange] = {}
        """Changes that are to be told."""
        self.nodes: dict[NodeId, dict[PresenceId, PresenceChange]] = {}
        """The nodes whose people are here, and the rows of those people."""
        self._under: dict[ClientId, frozenset[str]] | None = None
        """The user ids that other nodes show under each client id; None until needed again."""

    # This node's people.

    def put(self, presence_id: PresenceId, client_id: ClientId, user: User, state: dict[str, Json]) -> None:
        """Enter or renew a row. A row that says what it said before is no change.

        Raises ProtocolError(too_large).
        """
        change, known = PresenceChange(presence_id, client_id, user, state), self._rows.get(presence_id)
        # The text, which is needed anyway, is never shorter than the state in it.
        if len(change.text) > self._state_bytes and _json_bytes(state) > self._state_bytes:
            raise ProtocolError(Code.TOO_LARGE, f"A presence state has at most {self._state_bytes} bytes as JSON.")
        # To Python, 1 equals True, so the texts are compared as well
        if known == change and known.text == change.text:
            return
        self._rows[presence_id] = self.changes[presence_id] = change

    def identify(self, presence_id: PresenceId, user: User) -> None:
        """Give a row another person's name, if the row is there."""
        row = self._rows.get(presence_id)
        if row is not None and row.state is not None:
            self.put(presence_id, row.client_id, user, row.state)

    def remove(self, presence_id: PresenceId) -> None:
        """Take a row out, if it is there."""
        row = self._rows.pop(presence_id, None)
        if row is not None:
            self.changes[presence_id] = _gone(row)

    def take_changes(self) -> tuple[PresenceChange, ...]:
        """Return every row that changed here since the last call, once, as it is now."""
        changes = tuple(self.changes.values())
        self.changes.clear()
        return changes

    def here(self) -> tuple[PresenceChange, ...]:
        """Return this node's rows."""
        return tuple(self._rows.values())

    def everybody(self, but: PresenceId) -> tuple[PresenceChange, ...]:
        """Return all rows of all nodes, except one."""
        here = tuple([row for presence_id, row in self._rows.items() if presence_id != but])
        return here + tuple([change for rows in self.nodes.values() for change in rows.values()])

    # Other nodes' people. Each verb returns what this node's sessions are to be told.

    @property
    def elsewhere(self) -> int:
        """How many people of other nodes are here."""
        return sum(map(len, self.nodes.values()))

    def elsewhere_under(self, client_id: ClientId) -> frozenset[str]:
        """Return the user ids that other nodes show under a client id."""
        if self._under is None:
            self._under = {}
            for row in [row for rows in self.nodes.values() for row in rows.values()]:
                self._under[row.client_id] = self._under.get(row.client_id, frozenset()) | {row.user.user_id}
        return self._under.get(client_id, frozenset())

    def hear(self, node: NodeId, changes: Iterable[PresenceChange]) -> tuple[PresenceChange, ...]:
        """Take in what another node says of its sessions."""
        rows = self.nodes.setdefault(node, {})
        news = []
        for change in changes:
            known = rows.get(change.presence_id)
            if change.presence_id in self._rows or known == change:
                continue
            # A move alone changes nobody's client id, and most changes are moves.
            if (
                known is None
                or change.state is None
                or known.user != change.user
                or known.client_id != change.client_id
            ):
                self._under = None
            if change.state is not None:
                rows[change.presence_id] = change
            elif rows.pop(change.presence_id, None) is None:
                continue
            news.append(change)
        if not rows:
            del self.nodes[node]
        return tuple(news)

    def hear_whole(self, node: NodeId, people: Iterable[PresenceChange]) -> tuple[PresenceChange, ...]:
        """Take in who is on another node. Nobody else is there."""
        people = tuple(people)
        there = {change.presence_id for change in people}
        known = self.nodes.get(node, {})
        gone = tuple(_gone(change) for presence_id, change in known.items() if presence_id not in there)
        return self.hear(node, gone + people)

    def lose(self, node: NodeId) -> tuple[PresenceChange, ...]:
        """Take out the people of a node that has gone or fallen silent."""
        self._under = None
        return tuple(map(_gone, self.nodes.pop(node, {}).values()))


def _json_bytes(state: dict[str, Json]) -> int:
    """Return how many bytes a state has as browsers write it."""
    return len(json.dumps(state, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))


def _gone(change: PresenceChange) -> PresenceChange:
    return PresenceChange(change.presence_id, change.client_id, change.user, None)
