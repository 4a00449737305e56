"""Direct door: the server itself as an author, for REST, restores, imports and agents.

An author sits in a room like everybody else, with the same gate, the same rights and the same log.
Content is not read here. An edit is made from `Author.state`, in the sandbox, as an update under
`Author.client_id`.
"""

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from crdt.errors import Code, ManyhandsError, ProtocolError, Unavailable
from crdt.ids import ClientId, DocumentId, Epoch, Seq
from crdt.protocol.batch import decode_batch, encode_batch
from crdt.protocol.messages import (
    ClosedMessage,
    Format,
    JoinAnswer,
    JoinRequest,
    Refused,
    Request,
    ResyncMessage,
    Role,
    RoleMessage,
    ServerMessage,
    UpdateMessage,
)
from server.auth.base import Identity
from server.rooms import Circle, Rooms, Seat

REMEMBERED_DOCUMENTS = 1000
"""Documents whose free client ids are remembered.

Each id takes room in a document for ever, so it is used again.
"""

NEW_ID_BITS = 32
"""Bits of a client id, which is a random number as in Yjs."""

READ_AGAIN = "The document has moved on without this author: join again and make the edit anew."


def _random_id() -> ClientId:
    return ClientId(secrets.randbits(NEW_ID_BITS))


class DirectDoor:
    """Lets the server's own authors into rooms."""

    def __init__(self, rooms: Rooms, new_id: Callable[[], ClientId] = _random_id) -> None:
        self._rooms = rooms
        self._new_id = new_id
        self._key = secrets.token_urlsafe(24)
        """The key that binds this node's client ids, so that nobody else writes under them."""
        self._free: OrderedDict[DocumentId, list[ClientId]] = OrderedDict()

    @asynccontextmanager
    async def author(
        self,
        document_id: DocumentId,
        identity: Identity,
        *,
        agent_for: str | None = None,
        declares: Format | None = None,
    ) -> AsyncIterator["Author"]:
        """Yield an author who has joined a document and may write there.

        With `agent_for` None, the person wrote the edit themselves. Otherwise `identity` is an
        agent's, and `agent_for` is the user id of the person that the agent writes for, or empty.
        `declares`: the format that the edits are made for.
        Raises ManyhandsError, as every join does.
        """
        author = Author(self, document_id, identity, agent_for, declares)
        try:
            await author.join()
            yield author
        finally:
            author.leave()
            if not author.in_doubt:
                self._free_id(document_id, author.client_id)

    def take_id(self, document_id: DocumentId) -> ClientId:
        """Return a client id for an author: one that is free again, or a new one."""
        free = self._free.get(document_id)
        return free.pop() if free else self._new_id()

    def _free_id(self, document_id: DocumentId, client_id: ClientId) -> None:
        self._free.setdefault(document_id, []).append(client_id)
        self._free.move_to_end(document_id)
        if len(self._free) > REMEMBERED_DOCUMENTS:
            self._free.popitem(last=False)

    async def seat(self, author: "Author") -> tuple[Seat, JoinAnswer]:
        """Return a seat for an author, and the answer to the join; raises ManyhandsError."""
        request = JoinRequest(b"\0", author.client_id, self._key, format=author.declares)
        seat, answer, _ = await self._rooms.join(author.document_id, request, author.identity, author)
        return seat, answer

    # What rooms ask of a door.

    def say(
        self,
        circle: Circle,
        document_id: DocumentId,  # noqa: ARG002 - an author has one document
        message: ServerMessage,
        but: Seat | None,
    ) -> Sequence[Seat]:
        """Tell authors. An author who does not take the news falls behind, as at any door."""
        slow = []
        for seat in circle.seats:
            author = seat.ears
            if seat is not but and isinstance(author, Author):
                author.hear(message)
                if author.backlog > self._rooms.limits.backlog_bytes:
                    slow.append(seat)
        return slow


class Author:
    """The server's seat in one document.

    Attributes:
        client_id: the author's updates are written under this id.
        state: the document as one Yjs update, as it was at row `seq` when the author joined.
        state_vector: the state vector of `state`; empty for an empty document.
        epoch: the document's epoch.
        role: what the author may do.
        stale: the document has moved on unseen; `join` again before the next edit.
        in_doubt: something may come to be durable under `client_id` that `state` lacks, or the id
            belongs to somebody else. Other words under the same clocks would be taken for it and be
            lost, so nobody uses the id again: the next `join` takes another one.
    """

    gone = False
    arrival = 0

    def __init__(
        self,
        door: DirectDoor,
        document_id: DocumentId,
        identity: Identity,
        agent_for: str | None,
        declares: Format | None,
    ) -> None:
        self.door = door
        self.declares = declares
        self.document_id = document_id
        self.identity = identity
        self.client_id = door.take_id(document_id)
        self.agent_for = agent_for
        self.state, self.state_vector, self.seq, self.epoch = b"", b"", Seq(0), Epoch(0)
        self.role = Role.VIEWER
        self.stale = self.in_doubt = False
        self._seat: Seat | None = None
        self._closed: ClosedMessage | None = None
        self._news: list[bytes] = []
        self._answers: set[asyncio.Future[Seq]] = set()

    async def join(self) -> None:
        """Come in, or read the document again; raises ManyhandsError."""
        self._news.clear()
        self._closed, self.stale = None, False
        if self.in_doubt:
            self.client_id, self.in_doubt = self.door.take_id(self.document_id), False
        try:
            self._seat, answer = await self.door.seat(self)
        except ProtocolError as refusal:
            self.in_doubt = refusal.code is Code.CLIENT_ID_TAKEN
            raise
        missing = answer.missing
        if missing is None:
            missing = b"".join(self._seat.part(index) for index in range(answer.chunk_count))
        self.state, self.seq, self.role = missing, answer.seq, self._seat.role
        self.state_vector, self.epoch = answer.state_vector, answer.epoch

    def leave(self) -> None:
        """Go, and join nothing any more. What was taken goes on to the log."""
        self.gone = True
        if self._seat is not None:
            self._seat.leave()
            self._seat = None

    async def write(self, *updates: bytes) -> Seq:
        """Write updates as one batch, and return the row by which they are durable.

        Raises ManyhandsError, and then the document holds nothing of the updates. If the wait was
        cancelled from outside, they may come to be durable all the same: `join` again then.
        """
        if self.stale:
            raise Unavailable(READ_AGAIN)
        if self._seat is None:
            closed = self._closed
            raise (
                ProtocolError(closed.code, closed.message)
                if closed
                else ProtocolError(Code.NOT_JOINED, "The author is not in the document.")
            )
        answer: asyncio.Future[Seq] = asyncio.get_running_loop().create_future()
        self._answers.add(answer)
        try:
            checking = self._seat.receive(encode_batch(updates), Request(answer))
            if checking is not None:
                await checking
            return await answer
        except BaseException as error:
            self.in_doubt = True
            self.stale |= not isinstance(error, ManyhandsError)
            raise
        finally:
            self._answers.discard(answer)

    def take_news(self) -> list[bytes]:
        """Return the updates of others that have become durable since the last call.

        The first call returns those since the author joined.
        """
        news, self._news = self._news, []
        return news

    def hear(self, message: ServerMessage) -> None:
        """Take in what the room says."""
        match message:
            case UpdateMessage(_, batch):
                self._news += decode_batch(batch)
            case RoleMessage(role):
                self.role = role
            case ResyncMessage():
                self.stale = True
                self._news.clear()
            case ClosedMessage():
                self._closed = message
            case _:
                pass

    # What a seat hears.

    def seat(self, document_id: DocumentId) -> Seat | None:
        return self._seat if document_id == self.document_id else None

    def acknowledge(self, requests: Sequence[Request], seq: Seq) -> None:
        """Let writes return."""
        for request in requests:
            if (answer := self._waiting(request)) is not None:
                answer.set_result(seq)

    def refuse(self, request: Request, refused: Refused) -> None:
        """Let a write fail."""
        if (answer := self._waiting(request)) is not None:
            answer.set_exception(ProtocolError(refused.code, refused.message))

    def _waiting(self, request: Request) -> "asyncio.Future[Seq] | None":
        wanted: object = request
        return next((answer for answer in self._answers if answer is wanted and not answer.done()), None)

    def dismissed(self, seat: Seat) -> None:
        """Forget a seat that is free. The room itself answers writes that still wait."""
        if self._seat is seat:
            self._seat = None

    @property
    def backlog(self) -> int:
        """Bytes of news that the author has not taken."""
        return sum(map(len, self._news))

    def abort(self) -> None:
        """Cut off an author who takes no news. The author has to join again."""
        self.stale = True
        self._news.clear()
