"""Members of a room: its sessions, their presence, and the client ids they may write under.

The document's content and its log are the room's affair. The room asks here who listens.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import ceil

from crdt.budget import Account, Rate, TokenBucket
from crdt.errors import Code, GivenUp, ProtocolError
from crdt.ids import ClientId, NodeId, PresenceId
from crdt.permissions import Action, forbidden, may, share_of
from crdt.protocol.hints import BroadcastHint, PresenceHint, PresenceWhole
from crdt.protocol.messages import (
    BROADCAST_BYTES,
    BroadcastMessage,
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
from crdt.rescue.scribe import RESCUER
from crdt.room.effects import Broadcast, Dismiss, Effect, Publish
from crdt.room.pace import Pace, Windows
from crdt.room.session import (
    FETCH_BYTES_PER_SECOND,
    FETCH_SECONDS,
    Author,
    Authors,
    Behind,
    Joining,
    Lapsed,
    Session,
    Synced,
    hash_key,
)

PRESENCE_GATHER = 0.05
"""Seconds between presence messages of a small room in a full node: a cursor moves smoothly."""

PRESENCE_WORTH = 1 / 9
"""What a cursor's waiting is worth, as a part of an edit's. A cursor waits three times as long."""

PRESENCE_FRAMES = 1000
"""Presence messages that a room in a full node sends in a second, to all its members together.

A message costs much the same however many moves are in it. Up to 50 people feel nothing of this
bound. 250 people see each other move four times a second.
"""

SLOWEST_GATHER = 0.5
"""Most seconds between presence messages, however large the room and however full the node."""

BROADCASTS = Rate(PRESENCE_FRAMES, 4 * PRESENCE_FRAMES)
"""Broadcasts of one room on one node, counted for each person who is told, and for each 4 KiB.

20 people may tell each other fifty things in a second.
"""

BROADCAST_UNIT = 4 * 2**10

NEW_CLIENT_IDS = Rate(1 / 30, 200)
"""Pages of one person that may begin to write in one document, each under an id of its own.

Ids are never forgotten (GateLimits.client_ids).
"""

MOST_KNOWN = 4 * 2**10
"""Bytes of a session's state vector that are kept, for some 400 client ids.

What a client says anew on coming back is told from what it has done by it.
"""

MOST_BEGINNERS = 10_000
"""People whose beginnings are counted. Past this, the first one counted is forgotten."""

PRESENCE_REPEAT = 30.0
"""Seconds between repetitions of all presence to other nodes that have the document open.

A lost hint is repaired by the next repetition.
"""

_AT_ONCE = float("-inf")
"""A moment that has passed. The next flush sets a real one."""

_SHOWN_OUT = ClosedMessage(Code.FORBIDDEN, "You no longer have access to this document.")


class Members:
    """Everybody who is in one room on this node."""

    def __init__(
        self,
        author_keys: Mapping[ClientId, bytes],
        limits: Limits,
        new_presence_id: Callable[[], PresenceId],
        pace: Pace,
    ) -> None:
        self.presence = PresenceTable(limits.presence_bytes)
        self.authors = Authors(author_keys, self.presence.elsewhere_under)
        self._limits = limits
        self._new_presence_id = new_presence_id
        self._pace = pace
        self._windows = Windows(pace, PRESENCE_WORTH)
        self.sessions: dict[Session, None] = {}
        """A set that keeps the order of joining."""
        self._by_client: dict[ClientId, Session] = {}
        """The session of each client id. Each id lives once."""
        self._beginnings: dict[str, TokenBucket] = {}
        """By user id: how many more of the person's pages may begin to write."""
        self.now = 0.0
        """The time that the room heard of last, monotonic seconds."""
        self._listeners: tuple[Session, ...] | None = None
        """The sessions that are told things; None until they are needed after a change."""
        self._broadcasts = TokenBucket(BROADCASTS, 0.0)
        self._next_presence = 0.0
        self._asked = False
        """Whether another node wants to hear who is here."""
        self._given_up: set[NodeId] = set()
        """Nodes that had people here and fell silent."""
        self._repeat_at: float | None = None
        self.due: float | None = None
        """When presence is to be told next; None if there is nothing to tell."""
        self._crowds: dict[NodeId, int] = {}
        """How many people each other node has said to have.

        Forgotten now and then, because a node that has nothing to say does not say so.
        """
        self._crowds_until: float | None = None

    def __len__(self) -> int:
        return len(self.sessions)

    def crowd(self, now: float) -> int:
        """Return the sessions of this document on all nodes, as far as they are known.

        Another node's sessions are known by the cursors that it shows or the number that it says.
        """
        if not self._crowds and not self.presence.nodes:
            return len(self.sessions)
        if self._crowds_until is None:
            self._crowds_until = now + PRESENCE_REPEAT
        elif now >= self._crowds_until:
            self._crowds.clear()
            self._crowds_until = None
        return len(self.sessions) + max(self.presence.elsewhere, sum(self._crowds.values()))

    def hear_crowd(self, node: NodeId, people: int) -> None:
        """Take in how many people another node has."""
        self._crowds[node] = people

    def __contains__(self, session: Session) -> bool:
        return session in self.sessions

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self.sessions))

    def check(self, session: Session) -> None:
        """Raise ProtocolError(not_joined) unless the session is here."""
        if session not in self.sessions:
            raise ProtocolError(Code.NOT_JOINED, "Join the document first.")

    def begin(self, session: Session, *, known: bool) -> None:
        """Let a session begin to write, under an id that the document knows or does not.

        Raises ProtocolError(rate_limited).
        """
        if not known:
            if len(self._beginnings) > MOST_BEGINNERS:
                del self._beginnings[next(iter(self._beginnings))]
            bucket = self._beginnings.setdefault(session.user.user_id, TokenBucket(NEW_CLIENT_IDS, self.now))
            if seconds := bucket.take(1, self.now):
                raise ProtocolError(
                    Code.RATE_LIMITED,
                    "Too many of your pages have begun to write here. Keep the change, close some of them, and send it again "
                    f"in {ceil(seconds)} s.",
                )
        session.begun = True

    # Coming and going.

    def may_join(self, session: Session, request: JoinRequest, user: User, role: Role) -> None:
        """Raise ProtocolError (too_many, client_id_taken) or Unavailable if a join is refused.

        Changes nothing.
        """
        if session not in self.sessions and len(self.sessions) >= share_of(self._limits.members, role):
            raise ProtocolError(
                Code.TOO_MANY, "This document has as many people in it as it can take. Try again later."
            )
        if request.client_id == RESCUER:
            raise ProtocolError(Code.CLIENT_ID_TAKEN, "This client id is the server's own; take a new one.")
        if not self.authors.allows(request.client_id, _author(request, user)):
            raise ProtocolError(Code.CLIENT_ID_TAKEN, "This client id belongs to somebody else; take a new one.")
        # A join may take so long that its connection is dead by then, though nobody has noticed.
        if self._by_client.get(request.client_id, session).arrival > session.arrival:
            raise ProtocolError(Code.CLIENT_ID_TAKEN, "This client id is in use through a newer connection.")

    def join(
        self, session: Session, request: JoinRequest, user: User, role: Role, parts: Joining | None
    ) -> list[Effect]:
        """Enter a session, which may have parts to fetch, or enter it again.

        The session takes the place of a dead connection's session with the same client id.
        """
        # First, because the ghost's end releases the client id that this session reserves below.
        effects = self._evict_ghosts(session, request.client_id)
        known = session in self.sessions
        presence_id = session.presence_id if known else self._new_presence_id()
        if known and session.client_id != request.client_id:
            self._release(session)
            self.presence.remove(presence_id)
        session.enter(presence_id, _author(request, user), user, role, parts or Synced())
        session.format = request.format
        session.known = request.state_vector if len(request.state_vector) <= MOST_KNOWN else b""
        self.sessions[session] = None
        self._by_client[session.client_id] = session
        self._listeners = None
        self.authors.reserve(session.client_id, session.author.key_hash)
        self._repeat_later()
        return effects

    def renumber(self, session: Session, client_id: ClientId) -> list[Effect]:
        """Let a session that has joined write under another client id.

        It takes the place of a dead connection of the same person. Raises ProtocolError
        (client_id_taken, not_joined) or Unavailable.
        """
        self.check(session)
        if client_id == session.client_id:
            return []
        if self._by_client.get(client_id, session).user.user_id != session.user.user_id:
            raise ProtocolError(Code.CLIENT_ID_TAKEN, "Somebody else writes under this client id now.")
        self.may_join(session, JoinRequest(b"\0", client_id), session.user, session.role)
        effects = self._evict_ghosts(session, client_id)
        self._release(session)
        self.presence.remove(session.presence_id)
        session.author = session.author._replace(client_id=client_id)
        session.begun, session.owned = False, None
        self._by_client[client_id] = session
        self._schedule()
        return effects

    def _evict_ghosts(self, session: Session, client_id: ClientId) -> list[Effect]:
        """Take out another session with this client id, because a client id lives once.

        The newcomer is the same browser, reconnected. The ghost is the session of its old
        connection, which is dead without having been closed.
        """
        message = ClosedMessage(Code.CLIENT_ID_TAKEN, "The same client id has joined through another connection.")
        ghost = self._by_client.get(client_id, session)
        return [] if ghost is session else self.remove(ghost, message)

    def leave(self, session: Session) -> None:
        """Take a session out, if it is here."""
        if session in self.sessions:
            del self.sessions[session]
            session.become(Synced())
            self.presence.remove(session.presence_id)
            self._schedule()
            self._release(session)
            self._listeners = None

    def _release(self, session: Session) -> None:
        self.authors.release(session.client_id)
        self._by_client.pop(session.client_id, None)

    def remove(self, session: Session, message: ClosedMessage) -> list[Effect]:
        """Take a session out, and tell it why."""
        self.leave(session)
        return [Dismiss((session,), message)]

    def dissolve(self, message: ClosedMessage) -> list[Effect]:
        """Take everybody out, and tell them why."""
        sessions = tuple(self.sessions)
        for session in sessions:
            self.leave(session)
        return [Dismiss(sessions, message)] if sessions else []

    def judge(self, session: Session, role: Role | None) -> list[Effect]:
        """Give a person another role, and tell them. None shows them out."""
        if session not in self.sessions or session.role is role:
            return []
        if role is None:
            return self.remove(session, _SHOWN_OUT)
        session.rule(role)
        return [Broadcast((session,), RoleMessage(role))]

    # Who listens.

    def tell(self, message: ServerMessage, but: Session | None = None) -> list[Effect]:
        """Say something to everybody who listens, except perhaps to one session."""
        if self._listeners is None:
            self._listeners = tuple([session for session in self.sessions if session.listens])
        nobody = not self._listeners or self._listeners == (but,)
        return [] if nobody else [Broadcast(self._listeners, message, but)]

    def tell_permitted(self, action: Action, message: ServerMessage) -> list[Effect]:
        """Say something to everybody who listens and has this right."""
        those = tuple([session for session in self.sessions if session.listens and may(session.role, action)])
        return [Broadcast(those, message)] if those else []

    def broadcast(self, session: Session, payload: bytes) -> list[Effect]:
        """Tell everybody else, here and on other nodes, what somebody's application says.

        Raises ProtocolError (not_joined, forbidden, too_large, malformed, rate_limited).
        """
        self.check(session)
        if not may(session.role, Action.BROADCAST):
            raise forbidden(session.role, Action.BROADCAST)
        hint = broadcast_of(payload, session.user)
        return [*self.pass_on(hint, but=session), Publish(hint)]

    def pass_on(self, hint: BroadcastHint, but: Session | None = None) -> list[Effect]:
        """Tell everybody here, except perhaps one session, what somebody's application says.

        Raises ProtocolError(rate_limited).
        """
        cost = len(self.sessions) * max(1, ceil(len(hint.payload) / BROADCAST_UNIT))
        if seconds := self._broadcasts.take(cost, self.now):
            raise ProtocolError(
                Code.RATE_LIMITED,
                f"The people of this document are told too much at once. Try again in {ceil(seconds)} s.",
            )
        return self.tell(BroadcastMessage(hint.payload, hint.user), but)

    def joins_again(self, session: Session) -> None:
        """Give up the missing update that was kept for a session."""
        if isinstance(session.state, Joining):
            session.become(Lapsed("You have joined again since: fetch what was announced then."))

    def check_room(self, most: int, account: Account) -> None:
        """Raise ProtocolError(too_many) if a missing update of `most` bytes is too much.

        The account of its person decides. Ask before the update is encoded, because encoding a
        document of 16 MB takes 40 ms.
        """
        if most > self._limits.part_bytes:
            account.check(most)

    def announce(self, session: Session, missing: bytes, account: Account) -> Joining | None:
        """Keep a missing update for a session that will join, until the update is fetched.

        Return None for a small update, which goes with the answer. Raises ProtocolError(too_many)
        or Unavailable if there is no room for the update.
        """
        if len(missing) <= self._limits.part_bytes:
            return None
        lease = account.lease(lambda why: self._lapse(session, why), missing)
        lease.grow(len(missing))
        lease.last(FETCH_SECONDS, at_most=FETCH_SECONDS + len(missing) / FETCH_BYTES_PER_SECOND)
        return Joining(missing, self._limits.part_bytes, lease)

    def _lapse(self, session: Session, why: str) -> None:
        if session in self.sessions:
            session.become(Lapsed(why))

    def fetch(self, session: Session, index: int) -> bytes:
        """Return one part of an announced missing update. The last part ends the joining.

        Raises ProtocolError or GivenUp.
        """
        self.check(session)
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

    def congested(self, session: Session, now: float) -> None:
        """Stop sending to a session that does not take in what it is sent."""
        if session in self.sessions and session.listens:
            session.become(Behind(now))
            self._listeners = None

    def drained(self, session: Session) -> list[Effect]:
        """Tell a session that has taken everything in to join again, for what it has missed."""
        if session not in self.sessions or session.listens:
            return []
        session.become(Synced())
        self._listeners = None
        return [Broadcast((session,), ResyncMessage())]

    # Presence.

    def receive_presence(self, session: Session, state: dict[str, Json] | None) -> None:
        """Take in where a session's cursor is; None is nowhere.

        Raises ProtocolError (not_joined, too_large).
        """
        self.check(session)
        if state is None:
            self.presence.remove(session.presence_id)
        else:
            self.presence.put(session.presence_id, session.client_id, session.user, state)
        self._schedule()

    def identify(self, session: Session, user: User) -> None:
        """Let the session belong to this person from now on."""
        if session in self.sessions:
            session.identify(user)
            self.presence.identify(session.presence_id, user)
            self._schedule()

    def hear_presence(self, node: NodeId, changes: Iterable[PresenceChange]) -> list[Effect]:
        """Take in presence from another node, and tell everybody here.

        Nothing is gathered here, because the other node has gathered it.
        """
        return self._tell_presence(self.presence.hear(node, changes))

    def hear_whole_presence(self, node: NodeId, people: Iterable[PresenceChange], *, asks: bool) -> list[Effect]:
        """Take in who is on another node. If the node asks, it will hear who is here."""
        self._asked |= asks
        self._schedule()
        self._given_up.discard(node)
        return self._tell_presence(self.presence.hear_whole(node, people))

    def lose_node(self, node: NodeId) -> list[Effect]:
        """Take out the people of a node that has gone or fallen silent."""
        self._crowds.pop(node, None)
        if node in self.presence.nodes:
            self._given_up.add(node)
        return self._tell_presence(self.presence.lose(node))

    def find_node(self, node: NodeId) -> list[Effect]:
        """Ask a node that is heard again who its people are now, if it had people here."""
        if node not in self._given_up:
            return []
        self._given_up.discard(node)
        return self.announce_presence(asks=True)

    def announce_presence(self, *, asks: bool) -> list[Effect]:
        """Tell the other nodes of everybody here.

        `asks`: ask them for the same, on opening, and when something may have been missed.
        """
        self._asked = False
        self._schedule()
        return [Publish(PresenceWhole(self.presence.here(), asks))]

    def _tell_presence(self, changes: tuple[PresenceChange, ...]) -> list[Effect]:
        self._repeat_later()
        return self.tell(self.presence.message(changes)) if changes else []

    def _repeat_later(self) -> None:
        if self._repeat_at is None and self.presence.nodes:
            self._repeat_at = _AT_ONCE
        self._schedule()

    def _schedule(self) -> None:
        """Set when presence is due, after anything that changes it."""
        self.due = self._next_presence if self.presence.changes or self._asked else self._repeat_at

    def flush_presence(self, now: float) -> list[Effect]:
        """Tell what has changed, and what was asked for, if it is time."""
        effects: list[Effect] = []
        if now >= self._next_presence and (self.presence.changes or self._asked):
            self._pace.look(now)
            people, moves = len(self), len(self.presence.changes)
            most = min(max(PRESENCE_GATHER, people / PRESENCE_FRAMES), SLOWEST_GATHER)
            self._next_presence = now + self._windows.next(now, moves, people, most)
            if changes := self.presence.take_changes():
                effects += [*self.tell(self.presence.message(changes)), Publish(PresenceHint(changes))]
            if self._asked:
                effects += self.announce_presence(asks=False)
        if self._repeat_at is not None and now >= self._repeat_at:
            before, self._repeat_at = self._repeat_at, None
            if self.presence.nodes and self.sessions:
                self._repeat_at = now + PRESENCE_REPEAT
                # After `_AT_ONCE` nothing is told: it only begins the first interval.
                effects += [] if before == _AT_ONCE else self.announce_presence(asks=True)
        self._schedule()
        return effects


def broadcast_of(payload: bytes, user: User) -> BroadcastHint:
    """Return what nodes tell each other of a broadcast; raises ProtocolError."""
    if len(payload) > BROADCAST_BYTES:
        raise ProtocolError(
            Code.TOO_LARGE,
            f"A broadcast has at most {BROADCAST_BYTES} bytes. Send a reference to what is larger.",
        )
    try:
        payload.decode()
    except UnicodeDecodeError:
        raise ProtocolError(Code.MALFORMED, "`payload` must be a text in UTF-8.") from None
    return BroadcastHint(payload, user)


def _author(request: JoinRequest, user: User) -> Author:
    key_hash = hash_key(request.key) if request.key is not None else None
    return Author(request.client_id, key_hash, user.user_id)


class PresenceTable:
    """Presence in a document: who is here and where their cursor is, one row for each session.

    A client sets its own state and nothing else. The server says who the person is, and takes a row
    out when its session goes. Changes of this node's rows are gathered. Each changed row is sent
    once, as it is at that moment, however often it moved. Rows of another node belong to that node.
    They go when the node says so, or when it has fallen silent.

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
        self._told: dict[PresenceId, PresenceChange] = {}
        """What everybody here has been told of each row last.

        Whoever comes later is told of all rows on joining. A row that goes is forgotten at once,
        because somebody may join before it is back.
        """

    def message(self, changes: tuple[PresenceChange, ...]) -> PresenceMessage:
        """Return what everybody here is to be told of these changes now."""
        moves, cursors = set(), set()
        for change in changes:
            presence_id = change.presence_id
            if change.state is None:
                moves.add(presence_id)
                continue
            told = self._told.get(presence_id)
            if told is not None and (told.client_id, told.user) == (change.client_id, change.user):
                moves.add(presence_id)
                if told.rest == change.rest:
                    cursors.add(presence_id)
            self._told[presence_id] = change
        return PresenceMessage(changes, frozenset(moves), frozenset(cursors))

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
            self._told.pop(presence_id, None)
            self.changes[presence_id] = _gone(row)

    def take_changes(self) -> tuple[PresenceChange, ...]:
        """Return every row that changed here since the last call, once, as it is now."""
        changes = tuple(self.changes.values())
        self.changes.clear()
        return changes

    def here(self) -> tuple[PresenceChange, ...]:
        """Return this node's rows."""
        return tuple(self._rows.values())

    def show(self, presence_id: PresenceId) -> tuple[PresenceChange, ...]:
        """Return all rows for somebody who joins under this number.

        They hear of changes before the others do. So these are told in full to everybody: what the
        others were told last says nothing to the newcomer.
        """
        for changed in self.changes:
            self._told.pop(changed, None)
        return self.everybody(but=presence_id)

    def everybody(self, but: PresenceId | None = None) -> tuple[PresenceChange, ...]:
        """Return all rows of all nodes, except perhaps one."""
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
            else:
                self._told.pop(change.presence_id, None)
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
        gone = tuple(map(_gone, self.nodes.pop(node, {}).values()))
        for change in gone:
            self._told.pop(change.presence_id, None)
        return gone


def _json_bytes(state: dict[str, Json]) -> int:
    """Return how many bytes a state has as browsers write it."""
    return len(json.dumps(state, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))


def _gone(change: PresenceChange) -> PresenceChange:
    return PresenceChange(change.presence_id, change.client_id, change.user, None)
