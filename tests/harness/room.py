"""A room without a server: people who type, and a store that commits when the test says so.

table = Table()
alice, bob = table.seat("alice", "bob")
alice.types("hi")
table.commit()
assert bob.text == "hi"
"""

from collections.abc import Sequence
from typing import Any, cast

from pycrdt import Doc, Text

from crdt.budget import Budget, unbounded
from crdt.ids import ClientId, Epoch, IdFactory, PresenceId, Seq, UpdateId
from crdt.log.document import Engine, apply_update
from crdt.protocol.batch import decode_batch, encode_batch
from crdt.protocol.hints import Hint
from crdt.protocol.messages import (
    Acknowledged,
    DocumentInfo,
    Format,
    JoinAnswer,
    JoinRequest,
    Limits,
    PresenceMessage,
    Refused,
    Request,
    ResyncMessage,
    Role,
    ServerMessage,
    UpdateMessage,
    User,
)
from crdt.protocol.row import Found, Row, SetAside, Stored
from crdt.room.effects import (
    Acknowledge,
    AppendRow,
    Broadcast,
    Dismiss,
    Effect,
    Ended,
    KeepAside,
    Publish,
    ReadRows,
    Refuse,
    Reload,
)
from crdt.room.pace import Pace
from crdt.room.room import Room
from crdt.room.session import Session
from crdt.yjs.limits import GateLimits

EMPTY = Stored(Epoch(7), None, Seq(0), (), {})


class Seat:
    """One person at the table: a replica, and the room's messages to it."""

    def __init__(self, table: "Table", name: str, client_id: int, key: str | None) -> None:
        self.name = name
        self.session = Session()
        self.client_id = ClientId(client_id)
        self.user = User(name, name.title(), "#336699")
        self.key = key
        self.doc: Doc[Any] = Doc(client_id=client_id)
        self.story = self.doc.get("story", type=Text)
        self.heard: list[ServerMessage] = []
        self.answers: list[Acknowledged | Refused] = []
        self.joined: JoinAnswer | None = None
        self._table = table

    @property
    def text(self) -> str:
        """The text on this person's screen."""
        return str(self.story)

    @property
    def seqs(self) -> list[Seq]:
        """The rows that this person was sent."""
        return [message.seq for message in self.heard if isinstance(message, UpdateMessage)]

    @property
    def acknowledged(self) -> list[Seq]:
        """The rows under which this person's changes were acknowledged."""
        return [answer.seq for answer in self.answers if isinstance(answer, Acknowledged)]

    @property
    def refusals(self) -> list[str]:
        """The codes of this person's refusals."""
        return [answer.code.value for answer in self.answers if isinstance(answer, Refused)]

    @property
    def sees(self) -> dict[str, object]:
        """The cursors of others by name, as far as this person was told."""
        seen: dict[str, object] = {
            change.user.name: change.state for change in (self.joined.presence if self.joined else ())
        }
        for message in self.heard:
            if isinstance(message, PresenceMessage):
                seen |= {change.user.name: change.state for change in message.changes}
        return seen

    def joins(
        self,
        *,
        epoch: int | None = None,
        seq: Seq | None = None,
        role: Role = Role.EDITOR,
        declares: Format | None = None,
    ) -> JoinAnswer:
        """Join, or join again. `seq` says up to which row this person has everything."""
        life = None if epoch is None else Epoch(epoch)
        answer = self.asks(self.doc.get_state(), epoch=life, seq=seq, role=role, declares=declares)
        if answer.missing:
            self.doc.apply_update(answer.missing)
        return answer

    def asks(
        self,
        state_vector: bytes,
        *,
        epoch: Epoch | None = None,
        seq: Seq | None = None,
        after: Seq | None = None,
        role: Role = Role.EDITOR,
        declares: Format | None = None,
    ) -> JoinAnswer:
        """Join with any state vector, without fetching what is missing."""
        request = JoinRequest(state_vector, self.client_id, self.key, epoch, seq, after, declares)
        account = self._table.budget.of(self.user.user_id)
        answer, effects = self._table.room.join(self.session, request, self.user, role, account)
        self.joined = answer
        self._table.carry_out(effects)
        return answer

    def writes(self, words: str) -> bytes:
        """Change only this person's own text. Return the change."""
        before = self.doc.get_state()
        self.story += words
        return self.doc.get_update(before)

    def types(self, words: str) -> None:
        """Change the text, and send the change."""
        self.sends(self.writes(words))

    def sends(self, *updates: bytes, awaited: bool = True) -> None:
        """Send updates as one batch."""
        inspected = self._table.room.replica.read(encode_batch(updates))
        request = Request(self) if awaited else None
        self._table.carry_out(self._table.room.receive(self.session, inspected, request))

    def leaves(self) -> None:
        self._table.room.members.leave(self.session)


class Table:
    """The room and its surroundings.

    `appends` are under way until the test settles them. The log holds what was committed.
    """

    def __init__(
        self,
        stored: Stored = EMPTY,
        limits: Limits | None = None,
        engine: Engine = apply_update,
        budget: Budget | None = None,
    ) -> None:
        self.budget = budget or unbounded()
        self._counter = 0
        self.now = 100.0
        mint = IdFactory(lambda: UpdateId(f"u{self._count()}"), lambda: PresenceId(self._count()))
        self.pace = Pace(lambda: self.now)
        self.pace.share = 1.0  # of a full node, in which windows are as long as rooms allow
        info, limits = DocumentInfo("Title", None), limits or Limits()
        self.room = Room(stored, info, limits, GateLimits(), mint, self.pace, engine)
        self.seats: dict[Session, Seat] = {}
        self.appends: list[AppendRow] = []
        self.log: list[bytes] = [row.batch for row in stored.rows]
        self.bindings: dict[ClientId, bytes] = {}
        """Keys of client ids that the store has bound with the rows that it committed."""
        self.set_aside: dict[Seq, tuple[SetAside, ...]] = dict(stored.set_aside)
        """Updates that the store knows as set aside."""
        self.set_aside_version = stored.set_aside_version
        self.others: list[Effect] = []

    def _count(self) -> int:
        self._counter += 1
        return self._counter

    def seat(self, *names: str, keyed: bool = True, first_client_id: int = 1000) -> list[Seat]:
        """Let people join, and return their seats."""
        seats = []
        for name in names:
            key = f"key-of-{name}-0123456789" if keyed else None
            seats.append(Seat(self, name, first_client_id + len(self.seats), key))
            self.seats[seats[-1].session] = seats[-1]
            seats[-1].joins()
        return seats

    def carry_out(self, effects: list[Effect]) -> None:
        """Carry the room's effects out."""
        for effect in effects:
            match effect:
                case AppendRow():
                    self.appends.append(effect)
                case Broadcast(sessions, message, but):
                    self._tell_all(sessions, message, but)
                case Dismiss(sessions, message):
                    self._tell_all(sessions, message)
                case Acknowledge(requests, seq):
                    for _, request in requests:
                        cast(Seat, request).answers.append(Acknowledged(seq))
                case Refuse(_, request, refused):
                    cast(Seat, request).answers.append(refused)
                case KeepAside(_, found):
                    self._keep_aside(found)
                case Ended() | ReadRows() | Reload() | Publish() | _:
                    self.others.append(effect)

    def _tell_all(self, sessions: Sequence[Session], message: ServerMessage, but: Session | None = None) -> None:
        for session in sessions:
            if session in self.seats and session is not but:
                self._tell(self.seats[session], message)

    def _tell(self, seat: Seat, message: ServerMessage) -> None:
        seat.heard.append(message)
        if isinstance(message, UpdateMessage):
            for update in decode_batch(message.batch):
                seat.doc.apply_update(update)

    def _keep_aside(self, found: Sequence[Found]) -> None:
        for each in found:
            self.set_aside[each.seq] = (*self.set_aside.get(each.seq, ()), each.set_aside)
        before, self.set_aside_version = self.set_aside_version, self.set_aside_version + 1
        self.carry_out(self.room.kept_aside(before, self.set_aside_version))

    def reload(self) -> None:
        """Give the room the document as the store has it, and let people join again who must."""
        heard = {seat: len(seat.heard) for seat in self.seats.values()}
        self.carry_out(self.room.reloaded(self.stored()))
        for seat, before in heard.items():
            if any(isinstance(message, ResyncMessage) for message in seat.heard[before:]):
                seat.joins()

    def flush(self, after: float = 1.0) -> None:
        """Let time pass, and let the room flush."""
        self.now += after
        self.carry_out(self.room.flush(self.now))

    def settle(self) -> None:
        """Commit the append that is under way."""
        append = self.appends.pop(0)
        self.log.append(append.batch)
        self.bindings |= {client_id: key for client_id, key in append.author_keys if key}
        self.carry_out(self.room.committed(append.update_id, Seq(len(self.log))))

    def is_taken(self) -> None:
        """Refuse the append under way, because a client id belongs to a person on another node."""
        self.carry_out(self.room.append_refused(self.appends.pop(0).update_id, "taken"))

    def is_overtaken(self) -> None:
        """Refuse the append under way, because access or the trash has changed meanwhile."""
        self.carry_out(self.room.append_overtaken(self.appends.pop(0).update_id))

    def commit(self) -> None:
        self.flush()
        self.settle()

    def stored(self) -> Stored:
        """Return the document as the store would load it now."""
        aside, version = self.set_aside, self.set_aside_version
        rows = [Row(Seq(n), batch, set_aside=aside.get(Seq(n), ())) for n, batch in enumerate(self.log, 1)]
        return Stored(self.room.epoch, None, Seq(0), rows, self.bindings, aside, version)

    def asked(self, kind: type[Effect]) -> list[Effect]:
        """Return the effects of one kind that the test has to carry out itself."""
        return [effect for effect in self.others if isinstance(effect, kind)]

    def hints(self, kind: type[Hint]) -> list[Hint]:
        """Return the hints of one kind to other nodes."""
        return [effect.hint for effect in self.others if isinstance(effect, Publish) and isinstance(effect.hint, kind)]
