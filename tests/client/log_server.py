"""A server without a network: a log, and messages that each client hears when a test likes."""

from collections import deque
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

from pycrdt import Doc, Text, TransactionEvent

from manyhands.outbox import MemoryOutbox, Outbox
from manyhands.replica import Replica
from manyhands.updates import decode_vector
from manyhands.wire import decode_batch, encode_batch

PART_BYTES = 100


class LogServer:
    """The log of one document."""

    def __init__(self) -> None:
        self.doc: Doc[Any] = Doc()
        self.rows: list[bytes] = []
        self.writers: list[Writer] = []

    def append(self, author: "Writer", number: int, data: bytes) -> None:
        """Append a batch, acknowledge it, and tell everybody else."""
        for update in decode_batch(data):
            self.doc.apply_update(update)
        self.rows.append(data)
        seq = len(self.rows)
        for writer in self.writers:
            if writer is author:
                writer.line.append(partial(author.hears_answer, number, seq))
            elif writer.connected:
                writer.line.append(partial(writer.hears_row, seq, data))

    def is_robbed(self, victim: "Writer", words: str) -> bool:
        """Let a stranger write under a client id whose owner is away, and has no word here."""
        client_id = victim.doc.client_id
        has_another = victim.replica.client_id != client_id
        if victim.connected or has_another or client_id in decode_vector(self.doc.get_state()):
            return False
        thief: Doc[Any] = Doc(client_id=client_id)
        thief.apply_update(self.doc.get_update())
        text = thief.get("text", type=Text)
        text.insert(victim.chance.randint(0, len(text)), words)
        update = thief.get_update(self.doc.get_state())
        self.doc.apply_update(update)
        self.rows.append(encode_batch([update]))
        for writer in self.writers:
            if writer.connected:
                writer.line.append(partial(writer.hears_row, len(self.rows), self.rows[-1]))
        return True


class Writer:
    """A client: a replica, and what has not reached it or the server yet."""

    def __init__(self, server: LogServer, chance: Random, outbox: Outbox | None = None) -> None:
        self.doc: Doc[Any] = Doc()
        self.text = self.doc.get("text", type=Text)
        self.faults: list[Exception] = []
        self.replica = Replica(self.doc, outbox or MemoryOutbox(), self.faults.append)
        self.doc.observe(self._changed)
        self.server = server
        self.chance = chance
        self.line: deque[Callable[[], Any]] = deque()
        """What the server has said."""
        self.way: deque[tuple[int, bytes]] = deque()
        """What is on its way to the server."""
        self.connected = False
        server.writers.append(self)

    def _changed(self, event: TransactionEvent) -> None:
        self.replica.changed(event.update)

    def connects(self) -> None:
        """Join; the answer comes in its turn."""
        if self.connected:
            self.loses_connection()
        self.connected = True
        seen = self.replica.begin_join()["state_vector"]
        seq, missing, vector = len(self.server.rows), self.server.doc.get_update(seen), self.server.doc.get_state()
        self.line.append(partial(self._settles, seq, missing, vector))

    def _settles(self, seq: int, missing: bytes, vector: bytes) -> None:
        if not self.replica.settle(seq, 1, missing, vector):
            self.connects()

    def loses_connection(self) -> None:
        """Lose what is on its way; some of that may have reached the server."""
        for _ in range(self.chance.randrange(len(self.way) + 1)):
            self.reaches_server()
        self.way.clear()
        self.line.clear()
        self.connected = False
        self.replica.part()

    def types(self, word: str) -> None:
        length = len(self.text)
        if length > 8 and self.chance.random() < 0.4:
            at = self.chance.randrange(length - 3)
            del self.text[at : at + 3]
        else:
            self.text.insert(self.chance.randint(0, length), word)

    def sends(self) -> None:
        batch = self.replica.next_batch(PART_BYTES)
        if batch is not None:
            self.way.append((batch.number, batch.data))

    def reaches_server(self) -> None:
        if self.way:
            self.server.append(self, *self.way.popleft())

    def hears(self) -> None:
        if self.line:
            self.line.popleft()()

    def hears_row(self, seq: int, data: bytes) -> None:
        assert not self.replica.row(seq, data)

    def hears_answer(self, number: int, seq: int) -> None:
        assert not self.replica.acknowledged(number, seq)

    def settles(self) -> None:
        """Do everything that is left to do."""
        if not self.connected:
            self.connects()
        while self.line or self.way or self.replica.unsaved:
            self.hears()
            self.sends()
            self.reaches_server()
