"""Session: a person's place in one room, and the client ids under which sessions may write.

    Joining ── all parts fetched ──► Synced ── backlog over its limit ──► Behind
       │                                ▲                                   │
       │                                └───── drained, must join again ────┘
       └── not fetched in time, or the memory is needed ──► Lapsed

A Lapsed session hears everything, and must join again to fetch. A Joining or Lapsed session may
fall Behind as well. A session that has left is in no room, so `Left` needs no class.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec import Struct

from crdt.budget import Lease
from crdt.errors import Unavailable
from crdt.ids import ClientId, PresenceId, Seq
from crdt.protocol.messages import Format, Role, User
from crdt.protocol.row import AuthorKeys, Contributor


def hash_key(key: str) -> bytes:
    """Return what is kept of a key: 16 bytes, of no use to a thief of the store."""
    return hashlib.sha256(key.encode()).digest()[:16]


def undecided() -> Unavailable:
    """Return the refusal of an update that depends on a claim which the store may refuse."""
    return Unavailable("It is not decided yet whose a new client id is. Keep the change and send it again.")


class Author(NamedTuple):
    """A writer: the client id of the join, the hash of its key, if it has one, and the person."""

    client_id: ClientId
    key_hash: bytes | None
    user_id: str


FETCH_SECONDS = 30.0
"""Seconds from one part to the next. A part of 256 KiB takes this long at 9 kB/s."""

FETCH_BYTES_PER_SECOND = 16 * 2**10
"""Slowest pace of fetching an announced update. A slower one would hold its memory too long."""


class Joining(Struct, frozen=True):
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


class Lapsed(Struct, frozen=True):
    """The missing update was given up before all of it was fetched; `why` says the reason.

    The session hears everything, and must join again to know what that builds on.
    """

    why: str


class Synced(Struct, frozen=True):
    """The session hears everything."""


class Behind(Struct, frozen=True):
    """The session is too slow: it is sent nothing until it has drained.

    `since`: when the session fell behind, seconds.
    """

    since: float


State = Joining | Lapsed | Synced | Behind


@dataclass(slots=True, eq=False, repr=False)
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
        format: the format that the author's editor knows; None if it does not say.
        known: the state vector with which the session joined; empty if it is not kept.
        may_write: whether the role takes updates.
        may_send: whether the role takes updates, of any kind or proven ones.
        only_suggests: whether the role takes updates that are proven to be only suggestions.
        owned: the client id that the log has bound to the author's key; None if it is not known to
            be bound.
        agent_for: for a program that writes by itself, the user id of the person for whom it
            writes, or empty; None for a person.
        arrival: a number that grows with each connection. Of two connections with one client id,
            the later one is alive.
    """

    agent_for: str | None = None
    arrival: int = 0
    after: Seq | None = None
    format: Format | None = None
    known: bytes = b""
    state: State = Synced()  # noqa: RUF009 - it cannot be changed
    begun: bool = False
    author: Author = field(init=False)
    contributor: Contributor = field(init=False)
    may_write: bool = field(init=False)
    may_send: bool = field(init=False)
    only_suggests: bool = field(init=False)
    owned: ClientId | None = field(init=False)
    presence_id: PresenceId = field(init=False)
    role: Role = field(init=False)
    user: User = field(init=False)

    def enter(self, presence_id: PresenceId, author: Author, user: User, role: Role, state: State) -> None:
        """Begin, or begin again after the same person has joined again."""
        self.presence_id, self.author, self.begun, self.owned = presence_id, author, False, None
        self.rule(role)
        self.identify(user)
        self.become(state)

    def rule(self, role: Role) -> None:
        """Give the person this role from now on."""
        self.role, self.may_write, self.only_suggests = role, role.may_write, role.only_suggests
        self.may_send = self.may_write or self.only_suggests

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


class Authors:
    """Authors of a document: which session may write under which client id.

    A session's own client id is the one that it joined with. The session's first words under this
    id bind the id to the session's key. So nobody can extend somebody else's id: a forged struct at
    a victim's next clock would silence the victim for ever. The store decides. If two nodes let in
    the same new id at once, the node whose row comes second is refused (server/store/base.py,
    promise 6). The key lives beside the browser's offline copy, not in the sign-in. Work that was
    done offline under an earlier sign-in shows the same key. So does a second tab that uploads what
    the first one typed.

    Other ids merely come along in an upload: an old document that is brought in, a copy from
    elsewhere. They stay free, because the uploader is not their author, who may yet return. An id
    that is used without a key stays free as well. While the owner of a free id is here, nobody else
    may write under it. A reservation ensures that for owners on this node, presence for owners on
    other nodes.

    There are durable bindings, claims on their way to the store, and reservations. `elsewhere`
    returns the user ids of the people that other nodes show under a client id.
    """

    def __init__(self, bound: Mapping[ClientId, bytes], elsewhere: Callable[[ClientId], frozenset[str]]) -> None:
        self._bound = dict(bound)
        self._claimed: dict[ClientId, bytes] = {}
        self._brought: dict[ClientId, bytes] = {}
        """Client ids that come along in updates on their way to the store, each with its uploader's
        key.
        """
        self._reserved: dict[ClientId, bytes] = {}
        self._elsewhere = elsewhere

    def allows(self, client_id: ClientId, author: Author) -> bool:
        """Whether a session may join or write under this id.

        Raises Unavailable while the store has yet to decide.
        """
        owner = self._bound.get(client_id)
        if owner is not None:
            return owner == author.key_hash
        key = author.key_hash
        if self._claimed.get(client_id, key) != key or self._brought.get(client_id, key) != key:
            raise undecided()
        if self._reserved.get(client_id, key) != key:
            return False
        return self._elsewhere(client_id) <= {author.user_id}

    def reserve(self, client_id: ClientId, key_hash: bytes | None) -> None:
        """Keep an announced id for its session before the session has written anything."""
        if key_hash is not None:
            self._reserved[client_id] = key_hash

    def release(self, client_id: ClientId) -> None:
        """Forget a reservation; a binding stays."""
        self._reserved.pop(client_id, None)

    def are_settled(self, client_ids: Iterable[int], author: Author) -> bool:
        """Whether an author who goes on writing under these ids has nothing to claim.

        Each id is bound already, or is the author's own and without a key.
        """
        bound, unkeyed = self._bound, author.client_id if author.key_hash is None else None
        for client_id in client_ids:  # noqa: SIM110 - asked for each edit: `all` with a generator takes four times as long
            if client_id not in bound and client_id != unkeyed:
                return False
        return True

    def owns(self, author: Author) -> bool:
        """Whether an author's own client id is bound to the author's key.

        Nothing can undo a binding.
        """
        return author.key_hash is not None and self._bound.get(author.client_id) == author.key_hash

    def claim(self, writes: Iterable[ClientId], new: Iterable[ClientId], author: Author) -> AuthorKeys:
        """Claim the ids that somebody writes under.

        Return the ids that the store must bind, or, with an empty key, must find bound to nobody
        else. `new`: the ids whose first words these are.
        """
        began, claims = set(new), list[tuple[ClientId, bytes]]()
        for client_id in writes:
            if client_id in self._bound or client_id in self._claimed:
                continue  # the store has decided for this very key, or is about to
            own, key = client_id == author.client_id, author.key_hash
            if key is not None:
                (self._claimed if own else self._brought)[client_id] = key
            if not own or key is not None or client_id in began:
                claims.append((client_id, key if own and key is not None else b""))
        return tuple(claims)

    def withdraw(self, claims: AuthorKeys) -> None:
        """Forget claims that are no longer on their way to the store."""
        for client_id, key in claims:
            (self._claimed if key else self._brought).pop(client_id, None)

    def settle(self, claims: AuthorKeys) -> None:
        """Turn claims that are durable into bindings."""
        self.withdraw(claims)
        self.learn([claim for claim in claims if claim[1]])

    def learn(self, bound: Iterable[tuple[ClientId, bytes]]) -> None:
        """Take over bindings from the store, which decides where memory says otherwise."""
        for client_id, key_hash in bound:
            self._claimed.pop(client_id, None)
            self._brought.pop(client_id, None)
            self._bound[client_id] = key_hash
