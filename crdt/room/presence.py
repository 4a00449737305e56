"""Who is in a document and where their cursor is: a table kept by the server, one row per session.

A client sets its own state and nothing else. Who the person is comes from the server; rows go when
their session goes. Changes of this node's rows are gathered: what is sent is each row as it is at
that moment, once, however often it moved. Rows of other nodes belong to the node that speaks of
them: they go when it says so, or when it has fallen silent.
"""

import json
from collections.abc import Iterable

from crdt.errors import Code, ProtocolError
from crdt.ids import ClientId, NodeId, PresenceId
from crdt.protocol.messages import Json, Limits, PresenceChange, User


class PresenceTable:
    """Rows by presence id: those of this node's sessions, and those heard of from other nodes. `state_bytes`: of one row's state."""

    def __init__(self, state_bytes: int = Limits().presence_bytes) -> None:
        self._state_bytes = state_bytes
        self._rows: dict[PresenceId, PresenceChange] = {}
        self.changes: dict[PresenceId, PresenceChange] = {}
        """What is to be told."""
        self.nodes: dict[NodeId, dict[PresenceId, PresenceChange]] = {}
        """The nodes whose people are here, and those people's rows."""
        self._under: dict[ClientId, frozenset[str]] | None = None
        """Whom other nodes show under each client id; None: to be found out again."""

    # This node's people.

    def put(self, presence_id: PresenceId, client_id: ClientId, user: User, state: dict[str, Json]) -> None:
        """Enter or renew a row; one that says what it said before is no news. Raises ProtocolError(too_large)."""
        change, known = PresenceChange(presence_id, client_id, user, state), self._rows.get(presence_id)
        # The text, which is needed anyway, is never shorter than the state in it.
        if len(change.text) > self._state_bytes and _json_bytes(state) > self._state_bytes:
            raise ProtocolError(Code.TOO_LARGE, f"A presence state has at most {self._state_bytes} bytes as JSON.")
        if known == change and known.text == change.text:  # to Python, 1 is True
            return
        self._rows[presence_id] = self.changes[presence_id] = change

    def identify(self, presence_id: PresenceId, user: User) -> None:
        """Give a row another person's name, if there is such a row."""
        row = self._rows.get(presence_id)
        if row is not None and row.state is not None:
            self.put(presence_id, row.client_id, user, row.state)

    def remove(self, presence_id: PresenceId) -> None:
        """Take a row out; a row that was never told of is not told of now."""
        row = self._rows.pop(presence_id, None)
        if row is not None:
            self.changes[presence_id] = _gone(row)

    def take_changes(self) -> tuple[PresenceChange, ...]:
        """Everything that changed here since the last call, each row once, as it is now."""
        changes = tuple(self.changes.values())
        self.changes.clear()
        return changes

    def here(self) -> tuple[PresenceChange, ...]:
        """This node's rows."""
        return tuple(self._rows.values())

    def everybody(self, but: PresenceId) -> tuple[PresenceChange, ...]:
        """All rows of all nodes, except one's own."""
        here = tuple([row for presence_id, row in self._rows.items() if presence_id != but])
        return here + tuple([change for rows in self.nodes.values() for change in rows.values()])

    # Other nodes' people. Each verb returns what this node's sessions are to be told.

    @property
    def elsewhere(self) -> int:
        """How many people of other nodes are here."""
        return sum(map(len, self.nodes.values()))

    def elsewhere_under(self, client_id: ClientId) -> frozenset[str]:
        """The user ids of those whom other nodes show under a client id."""
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
        """Take in who is on another node, and that nobody else is."""
        people = tuple(people)
        there = {change.presence_id for change in people}
        known = self.nodes.get(node, {})
        gone = tuple(_gone(change) for presence_id, change in known.items() if presence_id not in there)
        return self.hear(node, gone + people)

    def lose(self, node: NodeId) -> tuple[PresenceChange, ...]:
        """A node has gone or fallen silent: so have its people."""
        self._under = None
        return tuple(map(_gone, self.nodes.pop(node, {}).values()))


def _json_bytes(state: dict[str, Json]) -> int:
    """How long it is as browsers write it."""
    return len(json.dumps(state, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))


def _gone(change: PresenceChange) -> PresenceChange:
    return PresenceChange(change.presence_id, change.client_id, change.user, None)
