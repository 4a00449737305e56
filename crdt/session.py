"""One connection's place in one room.

    Joining ──all chunks fetched──► Synced ──backlog over its limit──► Behind ──drained──► (told to join again)

A session that has left is in no room, so `Left` needs no class.
"""

from dataclasses import dataclass, field

from crdt.ids import ClientId, ConnectionId, PresenceId
from crdt.permissions import Action, forbidden
from crdt.protocol import Role, User


@dataclass(frozen=True, slots=True)
class Joining:
    """Fetches its missing update in parts. Updates are sent to it all the same; it holds them until it has everything."""

    missing: bytes
    part_bytes: int

    @property
    def count(self) -> int:
        """How many parts there are."""
        return -(-len(self.missing) // self.part_bytes)

    def part(self, index: int) -> bytes:
        """One part, counted from 0."""
        return self.missing[index * self.part_bytes : (index + 1) * self.part_bytes]


@dataclass(frozen=True, slots=True)
class Synced:
    """Hears everything."""


@dataclass(frozen=True, slots=True)
class Behind:
    """Too slow: is sent nothing until it has drained, then told to join again. `since`: when it fell behind, seconds."""

    since: float


State = Joining | Synced | Behind


@dataclass(slots=True)
class Session:
    """A person's presence in a room through one connection. `key_hash`: of the key shown on joining, if any."""

    connection: ConnectionId
    presence_id: PresenceId
    client_id: ClientId
    user: User
    role: Role
    key_hash: bytes | None
    state: State = field(default_factory=Synced)

    @property
    def listens(self) -> bool:
        """Whether messages are sent to it now."""
        return not isinstance(self.state, Behind)

    def must_write(self) -> None:
        """Raise ProtocolError(forbidden) unless this person may."""
        if not self.role.may_write:
            raise forbidden(self.role, Action.WRITE)
