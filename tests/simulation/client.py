"""A person's browser in the simulation: a replica, and the client's side of the native protocol.

The browser behaves as the provider does. Edits are on its own screen at once, are gathered and
sent, and count as saved only when acknowledged. After a reconnect, the browser sends what the
server lacks. Every edit carries a token that nobody ever deletes, so tests can find the edit.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

from pycrdt import Doc, Map, Text, TransactionEvent

from crdt.ids import ClientId, ConnectionId
from crdt.protocol.batch import decode_batch, encode_batch
from crdt.protocol.messages import (
    Acknowledged,
    ClosedMessage,
    JoinAnswer,
    JoinRequest,
    Refused,
    ResyncMessage,
    ServerMessage,
    UpdateMessage,
)

GATHER = 0.03
LETTERS = "abcdefghijklmnopqrstuvwxyz \n"


class Server(Protocol):
    """The calls of a client on one connection."""

    def join(self, connection: ConnectionId, request: JoinRequest) -> None: ...
    def update(self, connection: ConnectionId, batch: bytes, request: object, after: int | None = None) -> None: ...
    def later(self, connection: ConnectionId, act: Callable[[], None]) -> None: ...


@dataclass
class SimClient:
    """One replica.

    `taken` has the tokens of edits that the server holds, `acknowledged` those that it confirmed.
    """

    name: str
    client_id: int
    random: Random
    server: Server
    doc: Doc[Any] = field(init=False)
    connection: ConnectionId | None = None
    joined: bool = False
    seq: int = 0
    acknowledged: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    refused: list[Refused] = field(default_factory=list)
    edits: int = 0

    def __post_init__(self) -> None:
        self.doc = Doc(client_id=self.client_id)
        self.text = self.doc.get("text", type=Text)
        self.tokens = self.doc.get("tokens", type=Map)
        self._unsent: list[bytes] = []
        self._unsent_tokens: set[str] = set()
        self._in_flight: dict[object, set[str]] = {}
        self._applying = False
        self._requests = 0
        self._subscription = self.doc.observe(self._observe)

    def _observe(self, event: TransactionEvent) -> None:
        if not self._applying:
            self._unsent.append(event.update)

    def edit(self) -> str:
        """Type or delete something. Return the edit's token."""
        self.edits += 1
        token = f"{self.name}.{self.edits}"
        length = len(str(self.text))
        with self.doc.transaction():
            if length > 3 and self.random.random() < 0.3:
                start = self.random.randrange(length - 1)
                del self.text[start : start + self.random.randint(1, min(5, length - start))]
            else:
                word = "".join(self.random.choice(LETTERS) for _ in range(self.random.randint(1, 6)))
                self.text.insert(self.random.randint(0, length), word)
            self.tokens[token] = True
        self._unsent_tokens.add(token)
        return token

    @property
    def unsaved(self) -> bool:
        """Whether the status line would say that edits are not saved."""
        return bool(self._unsent_tokens or self._in_flight)

    # Towards the server.

    def connected(self, connection: ConnectionId) -> None:
        """Join on a new connection."""
        self.connection = connection
        self._join()

    def _join(self) -> None:
        self.joined = False
        if self.connection is not None:
            request = JoinRequest(self.doc.get_state(), ClientId(self.client_id), f"key-of-{self.name}-0123456789")
            self.server.join(self.connection, request)

    def _rejoin_later(self) -> None:
        self.joined = False
        if self.connection is not None:
            self.server.later(self.connection, self._join)

    def disconnected(self) -> None:
        """Count everything in flight as unsaved, because it may not have arrived."""
        self.connection = None
        self.joined = False
        self._recall()

    def _recall(self) -> None:
        for tokens in self._in_flight.values():
            self._unsent_tokens |= tokens
        self._in_flight.clear()
        self._unsent.clear()

    def send_gathered(self) -> None:
        """Send the gathered edits as one batch."""
        if self.joined and self._unsent:
            self._send(self._unsent)
            self._unsent = []

    def _send(self, updates: list[bytes]) -> None:
        if self.connection is None:
            return
        self._requests += 1
        request = (self.name, self._requests)
        self._in_flight[request] = self._unsent_tokens
        self._unsent_tokens = set()
        self.server.update(self.connection, encode_batch(updates), request)

    # From the server.

    def join_answered(self, answer: JoinAnswer | Refused) -> None:
        """Apply the missing update, and send what the server lacks."""
        if isinstance(answer, Refused):
            self._rejoin_later()
            return
        assert answer.missing is not None, "the simulation's documents are small"
        self._apply(answer.missing)
        self.seq = answer.seq
        self.joined = True
        self._recall()
        self._offer(answer.state_vector)

    def _offer(self, state_vector: bytes) -> None:
        if self._unsent_tokens:
            self._send([self.doc.get_update(state_vector)])

    def arrived(self, request: object) -> None:
        """Note that the server holds an update, which may not be durable yet."""
        self.taken |= self._in_flight.get(request, set())

    def answered(self, request: object, answer: Acknowledged | Refused) -> None:
        """Note that an update is acknowledged or refused."""
        tokens = self._in_flight.pop(request, None)
        if tokens is None:
            return
        if isinstance(answer, Acknowledged):
            self.acknowledged |= tokens
            self._saw(answer.seq)
        else:
            self.refused.append(answer)
            self._unsent_tokens |= tokens
            self._rejoin_later()

    def told(self, message: ServerMessage) -> None:
        """Take in a message of the room."""
        match message:
            case UpdateMessage(seq, batch) if self.joined:
                for update in decode_batch(batch):
                    self._apply(update)
                self._saw(seq)
            case ResyncMessage() | ClosedMessage():
                self._join()
            case _:
                pass

    def _saw(self, seq: int) -> None:
        if seq == self.seq + 1:
            self.seq = seq
        elif seq > self.seq + 1 and self.joined:
            self._join()

    def _apply(self, update: bytes) -> None:
        self._applying = True
        try:
            self.doc.apply_update(update)
        finally:
            self._applying = False

    def state(self) -> tuple[str, frozenset[str]]:
        """The text on the screen."""
        return str(self.text), frozenset(self.tokens.keys())
