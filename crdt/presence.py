"""Who is in a room and where their cursor is: a table kept by the server, one row per session.

A client sets its own state and nothing else. Who the person is comes from the server; rows go when their session goes. Changes are
gathered: what is sent is each row as it is at that moment, once, however often it moved.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from crdt.ids import ClientId, PresenceId
from crdt.protocol import Json, PresenceChange, User


@dataclass(frozen=True, slots=True)
class _Row:
    client_id: ClientId
    user: User
    state: dict[str, Json]


class PresenceTable:
    """Rows by presence id: those of this node's sessions and those heard of from other nodes."""

    def __init__(self) -> None:
        self._rows: dict[PresenceId, _Row] = {}
        self._changed: dict[PresenceId, PresenceChange] = {}

    @property
    def changed(self) -> bool:
        """Whether there is something to tell."""
        return bool(self._changed)

    def put(self, presence_id: PresenceId, client_id: ClientId, user: User, state: dict[str, Json]) -> None:
        """Enter or renew a row."""
        self._rows[presence_id] = _Row(client_id, user, state)
        self._changed[presence_id] = PresenceChange(presence_id, client_id, user, state)

    def identify(self, presence_id: PresenceId, user: User) -> None:
        """Give a row another person's name, if there is such a row."""
        row = self._rows.get(presence_id)
        if row is not None:
            self.put(presence_id, row.client_id, user, row.state)

    def remove(self, presence_id: PresenceId) -> None:
        """Take a row out; a row that was never told of is not told of now."""
        row = self._rows.pop(presence_id, None)
        if row is not None:
            self._changed[presence_id] = PresenceChange(presence_id, row.client_id, row.user, None)

    def hear(self, changes: Iterable[PresenceChange]) -> None:
        """Take in what another node says of its sessions."""
        for change in changes:
            if change.state is None:
                self.remove(change.presence_id)
            else:
                self.put(change.presence_id, change.client_id, change.user, change.state)

    def take_changes(self) -> tuple[PresenceChange, ...]:
        """Everything that changed since the last call, each row once, as it is now."""
        changes = tuple(self._changed.values())
        self._changed.clear()
        return changes

    def everybody(self, but: PresenceId) -> tuple[PresenceChange, ...]:
        """All rows, except one's own."""
        return tuple(
            PresenceChange(presence_id, row.client_id, row.user, row.state)
            for presence_id, row in self._rows.items()
            if presence_id != but
        )
