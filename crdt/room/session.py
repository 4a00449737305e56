"""One connection's place in one room.

    Joining ──all chunks fetched──► Synced ──backlog over its limit──► Behind ──drained──► (told to join again)
       └──── not fetched in time, or the memory is needed ────► Lapsed (hears everything; must join again to fetch)

A session that has left is in no room, so `Left` needs no class.
"""

from dataclasses import dataclass, field

from crdt.budget import Lease
from crdt.ids import ClientId, ConnectionId, PresenceId
from crdt.permissions import Action, forbidden
from crdt.protocol.messages import Role, User
from crdt.protocol.row import Contributor
from crdt.room.authors import Author

FETCH_SECONDS = 30.0
"""From one part to the next: a part of 256 KiB takes so long at 9 kB/s."""

FETCH_BYTES_PER_SECOND = 16 * 2**10
"""An announced update that is fetched more slowly than this holds its memory for too long."""


@dataclass(frozen=True, slots=True)
class Joining:
    """Fetches its missing update in parts. Updates are sent to it all the same; it holds them until it has everything."""

    missing: bytes
    part_bytes: int
    lease: Lease

    @property
    def count(self) -> int:
        """How many parts there are."""
        return -(-len(self.missing) // self.part_bytes)

    def part(self, index: int) -> bytes:
        """One part, counted from 0."""
        return self.missing[index * self.part_bytes : (index + 1) * self.part_bytes]


@dataclass(frozen=True, slots=True)
class Lapsed:
    """What it had to fetch was given up, and why: it hears everything, and must join again to know what that builds on."""

    why: str


@dataclass(frozen=True, slots=True)
class Synced:
    """Hears everything."""


@dataclass(frozen=True, slots=True)
class Behind:
    """Too slow: is sent nothing until it has drained, then told to join again. `since`: when it fell behind, seconds."""

    since: float


State = Joining | Lapsed | Synced | Behind


@dataclass(slots=True)
class Session:
    """A person's presence in a room through one connection. `author`: as whom they write."""

    connection: ConnectionId
    presence_id: PresenceId
    author: Author
    user: User
    role: Role
    state: State = field(default_factory=Synced)
    begun: bool = False
    """Whether it has sent something to be written."""
    contributor: Contributor = field(init=False)
    """What the log says of who wrote."""

    def __post_init__(self) -> None:
        self.identify(self.user)

    def identify(self, user: User) -> None:
        """The session belongs to this person from now on."""
        self.user = user
        self.contributor = Contributor(user.user_id, user.name)

    def become(self, state: State) -> None:
        """Go over to another state; what was kept for the one before is kept no longer."""
        if isinstance(self.state, Joining):
            self.state.lease.release()
        self.state = state

    @property
    def client_id(self) -> ClientId:
        """Which it joined with."""
        return self.author.client_id

    @property
    def listens(self) -> bool:
        """Whether messages are sent to it now."""
        return not isinstance(self.state, Behind)

    def must_write(self) -> None:
        """Raise ProtocolError(forbidden) unless this person may."""
        if not self.role.may_write:
            raise forbidden(self.role, Action.WRITE)
