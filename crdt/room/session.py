"""Session: a person's place in one room, from a join to a leave.

    Joining ── all parts fetched ──► Synced ── backlog over its limit ──► Behind
       │                                ▲                                   │
       │                                └───── drained, must join again ────┘
       └── not fetched in time, or the memory is needed ──► Lapsed

A Lapsed session hears everything, and must join again to fetch. A Joining or Lapsed session may
fall Behind as well. A session that has left is in no room, so `Left` needs no class.
"""

from dataclasses import dataclass

from crdt.budget import Lease
from crdt.ids import ClientId, PresenceId, Seq
from crdt.protocol.messages import Role, User
from crdt.protocol.row import Contributor
from crdt.room.authors import Author

FETCH_SECONDS = 30.0
"""Seconds from one part to the next. A part of 256 KiB takes this long at 9 kB/s."""

FETCH_BYTES_PER_SECOND = 16 * 2**10
"""Slowest pace of fetching an announced update. A slower one would hold its memory too long."""


@dataclass(frozen=True, slots=True)
class Joining:
    """The session fetches its missing update in parts.

    Updates are sent to it all the same. The client keeps them until it has everything.
    """

    missing: bytes
    part_bytes: int
    lease: Lease

    @property
    def count(self) -> int:
        """How many parts there are."""
        return -(-len(self.missing) // self.part_bytes)

    def part(self, index: int) -> bytes:
        """Return one part, counted from 0."""
        return self.missing[index * self.part_bytes : (index + 1) * self.part_bytes]


@dataclass(frozen=True, slots=True)
class Lapsed:
    """The missing update was given up before all of it was fetched; `why` says the reason.

    The session hears everything, and must join again to know what that builds on.
    """

    why: str


@dataclass(frozen=True, slots=True)
class Synced:
    """The session hears everything."""


@dataclass(frozen=True, slots=True)
class Behind:
    """The session is too slow: it is sent nothing until it has drained.

    `since`: when the session fell behind, seconds.
    """

    since: float


State = Joining | Lapsed | Synced | Behind


class Session:
    """A person's place in a room. A door makes one, and `Room.join` fills in the rest.

    The room names people by their sessions in everything that it says. A door can extend this
    class, and find there what it has put there.

    Attributes:
        after: the last row that the author had applied on making what came last; None if they do
            not say.
        author: the writer of the session's updates.
        begun: whether the person has sent something to be written.
        contributor: the person or program, as the log names who wrote.
        may_write: whether the role takes updates.
        owned: the client id that the log has bound to the author's key; None if it is not known to
            be bound.
        agent_for: for a program that writes by itself, the user id of the person for whom it
            writes, or empty; None for a person.
        arrival: a number that grows with each connection. Of two connections with one client id,
            the later one is alive.
    """

    __slots__ = (
        "after",
        "agent_for",
        "arrival",
        "author",
        "begun",
        "contributor",
        "may_write",
        "owned",
        "presence_id",
        "role",
        "state",
        "user",
    )

    author: Author
    contributor: Contributor
    may_write: bool
    owned: ClientId | None
    presence_id: PresenceId
    role: Role
    user: User

    def __init__(self, agent_for: str | None = None, arrival: int = 0) -> None:
        self.agent_for, self.arrival = agent_for, arrival
        self.after: Seq | None = None
        self.state: State = Synced()
        self.begun = False

    def enter(self, presence_id: PresenceId, author: Author, user: User, role: Role, state: State) -> None:
        """Begin, or begin again after the same person has joined again."""
        self.presence_id, self.author, self.begun, self.owned = presence_id, author, False, None
        self.rule(role)
        self.identify(user)
        self.become(state)

    def rule(self, role: Role) -> None:
        """Give the person this role from now on."""
        self.role, self.may_write = role, role.may_write

    def identify(self, user: User) -> None:
        """Let the session belong to this person from now on."""
        self.user = user
        kind = "person" if self.agent_for is None else "agent"
        self.contributor = Contributor(user.user_id, user.name, kind, self.agent_for or "")

    def become(self, state: State) -> None:
        """Go over to another state, and let go of what was kept for the state before."""
        if isinstance(self.state, Joining):
            self.state.lease.release()
        self.state = state

    @property
    def client_id(self) -> ClientId:
        return self.author.client_id

    @property
    def listens(self) -> bool:
        """Whether messages are sent to the session now."""
        return not isinstance(self.state, Behind)
