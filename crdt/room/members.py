"""The people of a room: its sessions, their presence, and the client ids they may write under.

It knows nothing of the document's content or its log; the room asks it who listens.
"""

from collections.abc import Callable, Mapping
from math import ceil
from typing import TYPE_CHECKING

from crdt.budget import Account
from crdt.errors import Code, GivenUp, ProtocolError
from crdt.ids import ClientId, ConnectionId, NodeId, PresenceId
from crdt.protocol.messages import (
    ClosedMessage,
    JoinRequest,
    Json,
    Limits,
    PresenceChange,
    PresenceMessage,
    ResyncMessage,
    Role,
    RoleMessage,
    ServerMessage,
    User,
)
from crdt.room.authors import Author, Authors, hash_key
from crdt.room.effects import AnnouncePresence, Broadcast, Effect, PublishPresence
from crdt.room.presence import PresenceTable
from crdt.room.session import FETCH_BYTES_PER_SECOND, FETCH_SECONDS, Behind, Joining, Lapsed, Session, Synced
from crdt.token_bucket import Rate, TokenBucket

if TYPE_CHECKING:
    from collections.abc import Iterable

PRESENCE_GATHER = 0.05
"""Seconds between presence messages of one room, at least: so often a cursor moves smoothly."""

PRESENCE_FRAMES = 1000
"""Presence messages that a room sends in a second, to all its people together: each costs much the same however many moves are in it.

Up to 50 people feel nothing of this; 250 see each other move four times a second."""

SLOWEST_GATHER = 0.5
"""Seconds between presence messages of the largest rooms."""

NEW_CLIENT_IDS = Rate(1 / 30, 200)
"""Of one person in one document: pages that begin to write under an id of their own. Ids are never forgotten (GateLimits.client_ids)."""

MOST_BEGINNERS = 10_000
"""People of whom that is remembered; past it, whoever began first is forgotten."""

PRESENCE_REPEAT = 30.0
"""Seconds after which people who share a document with another node's are told of anew: a lost hint is not lost for ever."""

_SHOWN_OUT = ClosedMessage(Code.FORBIDDEN, "You no longer have access to this document.")


class Members:
    """Sessions by connection."""

    def __init__(
        self, author_keys: Mapping[ClientId, bytes], limits: Limits, new_presence_id: Callable[[], PresenceId]
    ) -> None:
        self.presence = PresenceTable(limits.presence_bytes)
        self.authors = Authors(author_keys, self.presence.elsewhere_under)
        self._limits = limits
        self._new_presence_id = new_presence_id
        self._sessions: dict[ConnectionId, Session] = {}
        self._by_client: dict[ClientId, ConnectionId] = {}
        """Who is here under which client id: each lives once."""
        self._beginnings: dict[str, TokenBucket] = {}
        """By person: how many more of their pages may begin to write."""
        self._now = 0.0
        """When time was heard of last."""
        self._listeners: tuple[ConnectionId, ...] | None = None
        """Whoever is told things; None: to be found out again."""
        self._next_presence = 0.0
        self._asked = False
        """Another node wants to hear who is here."""
        self._given_up: set[NodeId] = set()
        """Nodes that had people here and fell silent."""
        self._repeat_at: float | None = None
        self._crowds: dict[NodeId, int] = {}
        """How many people other nodes have said to have; forgotten now and then, for a node that has nothing to say doesn't say so."""
        self._crowds_until = 0.0

    def __len__(self) -> int:
        return len(self._sessions)

    @property
    def crowd(self) -> int:
        """Sessions of this document on all nodes, as far as other nodes have shown cursors or said a number."""
        return len(self._sessions) + max(self.presence.elsewhere, sum(self._crowds.values()))

    def hear_crowd(self, node: NodeId, people: int) -> None:
        """Another node has said how many people it has."""
        self._crowds[node] = people

    def session(self, connection: ConnectionId) -> Session:
        """Whoever speaks; raises ProtocolError(not_joined)."""
        session = self._sessions.get(connection)
        if session is None:
            raise ProtocolError(Code.NOT_JOINED, "Join the document first.")
        return session

    def sessions(self) -> tuple[Session, ...]:
        """Everybody."""
        return tuple(self._sessions.values())

    def begin(self, session: Session, *, known: bool) -> None:
        """A session writes for the first time, under an id that the document knows or does not; raises ProtocolError(rate_limited)."""
        if not known:
            if len(self._beginnings) > MOST_BEGINNERS:
                del self._beginnings[next(iter(self._beginnings))]
            bucket = self._beginnings.setdefault(session.user.user_id, TokenBucket(NEW_CLIENT_IDS, self._now))
            if seconds := bucket.take(1, self._now):
                raise ProtocolError(
                    Code.RATE_LIMITED,
                    "Too many of your pages have begun to write here. Keep the change, close some of them, and send it again "
                    f"in {ceil(seconds)} s.",
                )
        session.begun = True

    # Coming and going.

    def may_join(self, connection: ConnectionId, request: JoinRequest, user: User) -> None:
        """Raise ProtocolError (too_many, client_id_taken) or Unavailable if this connection cannot be let in; changes nothing."""
        if connection not in self._sessions and len(self._sessions) >= self._limits.members:
            raise ProtocolError(
                Code.TOO_MANY, "This document has as many people in it as it can take. Try again later."
            )
        if not self.authors.allows(request.client_id, _author(request, user)):
            raise ProtocolError(Code.CLIENT_ID_TAKEN, "This client id belongs to somebody else; take a new one.")

    def join(
        self, connection: ConnectionId, request: JoinRequest, user: User, role: Role, parts: Joining | None
    ) -> tuple[Session, list[Effect]]:
        """Enter a session, which may have parts to fetch.

        It replaces the connection's earlier one, and a dead connection's with the same client id.
        """
        effects = self._evict_ghosts(connection, request.client_id)
        former = self._sessions.get(connection)
        if former is not None:
            former.become(Synced())
        presence_id = former.presence_id if former is not None else self._new_presence_id()
        if former is not None and former.client_id != request.client_id:
            self._release(former)
            self.presence.remove(presence_id)
        session = Session(connection, presence_id, _author(request, user), user, role, parts or Synced())
        self._sessions[connection] = session
        self._by_client[session.client_id] = connection
        self._listeners = None
        self.authors.reserve(session.client_id, session.author.key_hash)
        return session, effects

    def _evict_ghosts(self, connection: ConnectionId, client_id: ClientId) -> list[Effect]:
        """A client id lives once. Whoever shows up with one that is here already is the same browser, reconnected."""
        message = ClosedMessage(Code.CLIENT_ID_TAKEN, "The same client id has joined through another connection.")
        ghost = self._by_client.get(client_id, connection)
        return [] if ghost == connection else self.remove(ghost, message)

    def leave(self, connection: ConnectionId) -> None:
        """Take a session out, if it is here."""
        session = self._sessions.pop(connection, None)
        if session is not None:
            session.become(Synced())
            self.presence.remove(session.presence_id)
            self._release(session)
            self._listeners = None

    def _release(self, session: Session) -> None:
        self.authors.release(session.client_id)
        self._by_client.pop(session.client_id, None)

    def remove(self, connection: ConnectionId, message: ClosedMessage) -> list[Effect]:
        """Take a session out and tell it why."""
        self.leave(connection)
        return [Broadcast((connection,), message)]

    def dissolve(self, message: ClosedMessage) -> list[Effect]:
        """Take everybody out and tell them why."""
        connections = tuple(self._sessions)
        for connection in connections:
            self.leave(connection)
        return [Broadcast(connections, message)] if connections else []

    def judge(self, connection: ConnectionId, role: Role | None) -> list[Effect]:
        """A person may do more or less from now on, and is told so; None: nothing, so that they are shown out."""
        session = self._sessions.get(connection)
        if session is None or session.role is role:
            return []
        if role is None:
            return self.remove(connection, _SHOWN_OUT)
        session.role = role
        return [Broadcast((connection,), RoleMessage(role))]

    # Who listens.

    def tell(self, message: ServerMessage, but: ConnectionId | None = None) -> list[Effect]:
        """Say something to everybody who listens, except perhaps one."""
        if self._listeners is None:
            self._listeners = tuple([s.connection for s in self._sessions.values() if s.listens])
        nobody = not self._listeners or self._listeners == (but,)
        return [] if nobody else [Broadcast(self._listeners, message, but)]

    def joins_again(self, connection: ConnectionId) -> None:
        """Give up the missing update that was kept for a connection."""
        former = self._sessions.get(connection)
        if former is not None and isinstance(former.state, Joining):
            former.become(Lapsed("You have joined again since: fetch what was announced then."))

    def check_room(self, most: int, account: Account) -> None:
        """Raise ProtocolError(too_many) if a missing update of `most` bytes is too much for its person, before it is encoded.

        To encode a document of 16 MB takes 40 ms.
        """
        if most > self._limits.part_bytes:
            account.check(most)

    def announce(self, connection: ConnectionId, missing: bytes, account: Account) -> Joining | None:
        """Keep a missing update for a connection that will join, until it is fetched; None: it is small, and goes with the answer.

        Raises ProtocolError(too_many) or Unavailable: there is no room for it.
        """
        if len(missing) <= self._limits.part_bytes:
            return None
        lease = account.lease(lambda why: self._lapse(connection, why), missing)
        lease.grow(len(missing))
        lease.last(FETCH_SECONDS, at_most=FETCH_SECONDS + len(missing) / FETCH_BYTES_PER_SECOND)
        return Joining(missing, self._limits.part_bytes, lease)

    def _lapse(self, connection: ConnectionId, why: str) -> None:
        session = self._sessions.get(connection)
        if session is not None:
            session.become(Lapsed(why))

    def fetch(self, connection: ConnectionId, index: int) -> bytes:
        """One part of an announced missing update; the last part ends the joining. Raises ProtocolError or GivenUp."""
        session = self.session(connection)
        if isinstance(session.state, Lapsed):
            raise GivenUp(session.state.why)
        if not isinstance(session.state, Joining):
            raise ProtocolError(Code.MALFORMED, "No missing update is waiting to be fetched; join again.")
        if not 0 <= index < session.state.count:
            raise ProtocolError(Code.MALFORMED, f"Parts are counted from 0 to {session.state.count - 1}.")
        part = session.state.part(index)
        session.state.lease.last(FETCH_SECONDS)
        if index == session.state.count - 1:
            session.become(Synced())
        return part

    def congested(self, connection: ConnectionId, now: float) -> None:
        """The connection does not take in what it is sent: stop sending."""
        session = self._sessions.get(connection)
        if session is not None and session.listens:
            session.become(Behind(now))
            self._listeners = None

    def drained(self, connection: ConnectionId) -> list[Effect]:
        """The connection has taken everything in: tell it to join again for what it has missed."""
        session = self._sessions.get(connection)
        if session is None or session.listens:
            return []
        session.become(Synced())
        self._listeners = None
        return [Broadcast((connection,), ResyncMessage())]

    # Presence.

    def receive_presence(self, connection: ConnectionId, state: dict[str, Json] | None) -> None:
        """Take in where a session's cursor is; None: nowhere. Raises ProtocolError (not_joined, too_large)."""
        session = self.session(connection)
        if state is None:
            self.presence.remove(session.presence_id)
        else:
            self.presence.put(session.presence_id, session.client_id, session.user, state)

    def identify(self, connection: ConnectionId, user: User) -> None:
        """The connection belongs to this person from now on."""
        session = self._sessions.get(connection)
        if session is not None:
            session.identify(user)
            self.presence.identify(session.presence_id, user)

    def hear_presence(self, node: NodeId, changes: "Iterable[PresenceChange]") -> list[Effect]:
        """Take in presence from another node, and tell everybody here at once (it was gathered there)."""
        return self._tell_presence(self.presence.hear(node, changes))

    def hear_whole_presence(self, node: NodeId, people: "Iterable[PresenceChange]", *, asks: bool) -> list[Effect]:
        """Take in who is on another node; if it asks, it will hear who is here."""
        self._asked |= asks
        self._given_up.discard(node)
        return self._tell_presence(self.presence.hear_whole(node, people))

    def lose_node(self, node: NodeId) -> list[Effect]:
        """Another node has gone or fallen silent."""
        self._crowds.pop(node, None)
        if node in self.presence.nodes:
            self._given_up.add(node)
        return self._tell_presence(self.presence.lose(node))

    def find_node(self, node: NodeId) -> list[Effect]:
        """A node is heard again: if it had people here, ask who they are now."""
        if node not in self._given_up:
            return []
        self._given_up.discard(node)
        return self.announce_presence(asks=True)

    def announce_presence(self, *, asks: bool) -> list[Effect]:
        """Tell the other nodes of everybody here; on opening, and when something may have been missed, ask them for the same."""
        self._asked = False
        return [AnnouncePresence(self.presence.here(), asks)]

    def _tell_presence(self, changes: tuple[PresenceChange, ...]) -> list[Effect]:
        return self.tell(PresenceMessage(changes)) if changes else []

    def presence_deadline(self) -> float | None:
        """When presence is to be told next; None: nothing has changed."""
        return self._next_presence if self.presence.changed or self._asked else self._repeat_at

    @property
    def _presence_gather(self) -> float:
        return min(max(PRESENCE_GATHER, len(self._sessions) / PRESENCE_FRAMES), SLOWEST_GATHER)

    def flush_presence(self, now: float) -> list[Effect]:
        """Tell what has changed, and what was asked for, if it is time."""
        effects: list[Effect] = []
        self._now = now
        if now >= self._next_presence and (self.presence.changed or self._asked):
            self._next_presence = now + self._presence_gather
            if changes := self.presence.take_changes():
                effects += [*self.tell(PresenceMessage(changes)), PublishPresence(changes)]
            if self._asked:
                effects += self.announce_presence(asks=False)
        return effects + self._repeat(now)

    def _repeat(self, now: float) -> list[Effect]:
        if now >= self._crowds_until:
            self._crowds.clear()
            self._crowds_until = now + PRESENCE_REPEAT
        if not self.presence.nodes or not self._sessions:
            self._repeat_at = None
            return []
        due = self._repeat_at is not None and now >= self._repeat_at
        if due or self._repeat_at is None:
            self._repeat_at = now + PRESENCE_REPEAT
        return self.announce_presence(asks=True) if due else []


def _author(request: JoinRequest, user: User) -> Author:
    key_hash = hash_key(request.key) if request.key is not None else None
    return Author(request.client_id, key_hash, user.user_id)
