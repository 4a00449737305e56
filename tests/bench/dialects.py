"""Members in the protocols of the servers compared: the same edits, each in a message of its own.

A member that has `synced` holds what the document had. What comes afterwards goes to the meter as
it is, whatever it is wrapped in.
"""

import asyncio
import json
import re
from abc import abstractmethod
from dataclasses import dataclass

from crdt.yjs.varint import read_varuint
from tests.bench.edits import Pen, marker
from tests.bench.meter import Meter
from tests.bench.websocket import BINARY, TEXT, WebSocketClient, frame
from tests.harness.update_writer import number as varuint
from tests.harness.update_writer import string


@dataclass(frozen=True)
class Past:
    """What somebody has already: a state vector, and with servers that count rows, the epoch and the row that it reaches to."""

    state_vector: bytes = b"\0"
    row: tuple[int, int] | None = None


class Member(WebSocketClient):
    """One page in one document."""

    def __init__(self, document: str, client_id: int, meter: Meter, past: Past) -> None:
        super().__init__(self.path(document))
        self.document = document
        self.meter = meter
        self.pen = Pen(client_id)
        self.seen: set[int] = set()
        self.timed = True
        self.past = past
        self.asked_at = 0
        """How many bytes it had received when it asked for what is missing."""
        self.row: tuple[int, int] | None = None
        """Epoch and row up to which it had everything when it was synced, where there is such a thing."""
        self.missing: bytes | None = None
        """The update that brought it up to date."""
        self.synced: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @staticmethod
    @abstractmethod
    def path(document: str) -> str:
        """Where to connect."""

    @abstractmethod
    def write_update(self, number: int, update: bytes) -> bytes:
        """The frames of an edit."""

    @abstractmethod
    def write_move(self, number: int, state: str) -> bytes:
        """The frames of a cursor's move; `state` is JSON."""

    def type(self, others: int) -> None:
        """Send the next edit."""
        number = self.meter.send(self, others)
        self.transport.write(self.write_update(number, self.pen.write(number)))

    def move(self, others: int) -> None:
        """Send where the cursor is now."""
        number = self.meter.send(self, others)
        self.transport.write(self.write_move(number, cursor(number)))

    @abstractmethod
    def ask(self) -> None:
        """Ask for what is missing."""

    def ask_again(self, past: Past) -> None:
        """Ask once more over the open connection."""
        self.past, self.missing = past, None
        self.synced = asyncio.get_running_loop().create_future()
        self.asked_at = self.octets
        self.ask()

    def is_synced(self, missing: bytes) -> None:
        """It has what it lacked."""
        self.missing = missing
        if not self.synced.done():
            self.synced.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if not self.synced.done():
            self.synced.set_exception(ConnectionError(f"hung up before {self.document} was synced"))


LOOK = {"name": "Somebody", "color": "#30bced"}


def cursor(number: int) -> str:
    """A cursor and a name, as an editor shows them."""
    place = {"type": {"client": 1000 + number, "clock": number}, "tname": None, "item": None, "assoc": 0}
    return json.dumps({"user": LOOK, "cursor": {"anchor": place, "head": place}, "n": marker(number)})


class Native(Member):
    """This project's own protocol: Socket.IO events, and one frame for each update (server/PROTOCOL.md)."""

    PROTOCOL = 3

    _ACK = re.compile(rb"43(\d+)\[\{")
    _JOIN = 90_000_000
    """The join's ack id; fetches have those above it, edits those below."""

    @staticmethod
    def path(document: str) -> str:
        return f"/socket.io/?EIO=4&transport=websocket&document={document}"

    def opened(self) -> None:
        greeting = {"protocol": self.PROTOCOL, "guest": LOOK}
        self.transport.write(frame(TEXT, b"40" + json.dumps(greeting).encode()))

    def ask(self) -> None:
        self._attachments: list[bytes] = []
        self._announced = 0
        self._parts = 0
        options: dict[str, object] = {"state_vector": {"_placeholder": True, "num": 0}, "client_id": self.pen.client_id}
        # As the page says it, beside which no other format may write.
        options["format"] = {"name": "manyhands", "version": 3}
        if self.past.row:
            options["epoch"], options["seq"] = self.past.row
        join = f"451-{self._JOIN}" + json.dumps(["join", self.document, options])
        self.transport.write(frame(TEXT, join.encode()) + frame(BINARY, self.past.state_vector))

    def write_update(self, number: int, update: bytes) -> bytes:
        head = b"\1" + string(self.document) + varuint(number) + b"\0"
        return frame(BINARY, head + varuint(len(update)) + update)

    def write_move(self, number: int, state: str) -> bytes:
        # As the provider does: who somebody is, the server says.
        told = {key: value for key, value in json.loads(state).items() if key != "user"}
        return frame(TEXT, f'42["presence","{self.document}",{{"state":{json.dumps(told)}}}]'.encode())

    def received(self, first: int, payload: bytes) -> None:
        if payload == b"2":
            self.transport.write(frame(TEXT, b"3"))
        elif first == TEXT and (ack := self._ACK.match(payload)):
            self._take_ack(int(ack[1]), payload)
        elif self.missing is None:
            self._come_in(first, payload)
        elif payload.startswith(b'42["resync"'):
            self.missing = None
            self.ask()
        else:
            self.meter.arrive(self, payload)

    def _take_ack(self, number: int, payload: bytes) -> None:
        answer = json.loads(payload[payload.index(b"[") :])[0]
        if "error" in answer:
            raise AssertionError(answer)
        if number == self._JOIN:
            self._answer = answer
            self._take_answer()
        else:
            self.meter.acknowledge(number)

    def is_synced(self, missing: bytes) -> None:
        if self.synced.done():
            self.meter.arrive(self, missing)  # after having been too slow
        super().is_synced(missing)

    def _come_in(self, first: int, payload: bytes) -> None:
        """The way from CONNECT to having everything: the answer to the join, and its parts if it comes in parts."""
        if payload.startswith(b"40"):
            self.asked_at = self.octets
            self.ask()
        elif first == TEXT:
            self._announced = int(payload[2 : payload.index(b"-")]) if payload.startswith(b"46") else 0
            if self._announced and not self._parts:
                self._answer = json.loads(payload[payload.index(b"[") :])[0]
        elif self._announced:
            self._attachments.append(payload)
            if self._parts:
                self._take_part()
            elif len(self._attachments) == self._announced:
                self._take_answer()
        else:
            self.meter.arrive(self, payload)

    def _take_answer(self) -> None:
        missing, chunks = self._answer["missing"], self._answer.get("chunks")
        self.row = self._answer["epoch"], self._answer["seq"]
        if chunks is None:
            self.is_synced(self._attachments[missing["num"]] if missing else b"")
            return
        self._parts = chunks["count"]
        self._attachments.clear()
        asks = (f'42{self._JOIN + 1 + at}["fetch","{self.document}",{{"index":{at}}}]' for at in range(self._parts))
        self.transport.write(b"".join(frame(TEXT, ask.encode()) for ask in asks))

    def _take_part(self) -> None:
        if len(self._attachments) == self._parts:
            self.is_synced(b"".join(self._attachments))


class NativeOfOld(Native):
    """The same in protocol 1: an update is a text and its attachment."""

    PROTOCOL = 1

    def write_update(self, number: int, update: bytes) -> bytes:
        head = f'451-{number}["update","{self.document}",{{"_placeholder":true,"num":0}}]'
        return frame(TEXT, head.encode()) + frame(BINARY, varuint(len(update)) + update)


class Hocuspocus(Member):
    """Hocuspocus 4: every message begins with the document's name."""

    @staticmethod
    def path(document: str) -> str:
        return f"/{document}"

    def opened(self) -> None:
        self._name = string(self.document)
        self.transport.write(frame(BINARY, self._name + b"\2\0" + string("") + string("4.7.0")))
        self._acknowledges: list[int] = []
        self.asked_at = self.octets
        self.ask()

    def ask(self) -> None:
        self.transport.write(frame(BINARY, self._name + b"\0\0" + string(self.past.state_vector)))

    def write_update(self, number: int, update: bytes) -> bytes:
        self._acknowledges.append(number)
        return frame(BINARY, self._name + b"\0\2" + string(update))

    def write_move(self, number: int, state: str) -> bytes:
        return frame(BINARY, self._name + b"\1" + string(awareness(self.pen.client_id, number, state)))

    def received(self, first: int, payload: bytes) -> None:
        at = len(self._name)
        if payload[at : at + 2] == b"\x08\1":
            if self._acknowledges:
                self.meter.acknowledge(self._acknowledges.pop(0))
        elif self.missing is None:
            if payload[at : at + 2] == b"\0\1":
                self.is_synced(_without_length(payload[at + 2 :]))
        else:
            self.meter.arrive(self, payload)


class YWebsocket(Member):
    """The protocol of y-websocket, which pycrdt-websocket speaks as well."""

    @staticmethod
    def path(document: str) -> str:
        return f"/{document}"

    def opened(self) -> None:
        self.asked_at = self.octets
        self.ask()

    def ask(self) -> None:
        self.transport.write(frame(BINARY, b"\0\0" + string(self.past.state_vector)))

    def write_update(self, number: int, update: bytes) -> bytes:
        return frame(BINARY, b"\0\2" + string(update))

    def write_move(self, number: int, state: str) -> bytes:
        return frame(BINARY, b"\1" + string(awareness(self.pen.client_id, number, state)))

    def received(self, first: int, payload: bytes) -> None:
        if self.missing is None:
            if payload[:2] == b"\0\1":
                self.is_synced(_without_length(payload[2:]))
        else:
            self.meter.arrive(self, payload)


class YSocketIo(Member):
    """y-socket.io: Socket.IO events in the document's namespace."""

    @staticmethod
    def path(document: str) -> str:
        return f"/socket.io/?EIO=4&transport=websocket&document={document}"

    def opened(self) -> None:
        self._space = f"/yjs|{self.document},"
        self._answered = False
        self.transport.write(frame(TEXT, f"40{self._space}".encode()))

    def ask(self) -> None:
        self._emit("0", "sync-step-1", self.past.state_vector)

    def _emit(self, ack_id: str, event: str, content: bytes) -> None:
        self.transport.write(self._frames(ack_id, event, content))

    def _frames(self, ack_id: str, event: str, content: bytes) -> bytes:
        head = f'451-{self._space}{ack_id}["{event}",{{"_placeholder":true,"num":0}}]'
        return frame(TEXT, head.encode()) + frame(BINARY, content)

    def write_update(self, number: int, update: bytes) -> bytes:
        return self._frames("", "sync-update", update)

    def write_move(self, number: int, state: str) -> bytes:
        return self._frames("", "awareness-update", awareness(self.pen.client_id, number, state))

    def received(self, first: int, payload: bytes) -> None:
        if payload == b"2":
            self.transport.write(frame(TEXT, b"3"))
        elif first == TEXT:
            self._answered = payload.startswith(b"461-")
            if payload.startswith(b"40"):
                self.asked_at = self.octets
                self.ask()
        elif self.missing is not None:
            self.meter.arrive(self, payload)
        elif self._answered:
            self.is_synced(payload)


class OurYWebsocket(YWebsocket):
    """The same, at this project's door."""

    @staticmethod
    def path(document: str) -> str:
        return f"/y/{document}"


class OurHocuspocus(Hocuspocus):
    """The same, at this project's door."""

    @staticmethod
    def path(document: str) -> str:
        return f"/hocuspocus?document={document}"


class Broadcast(Member):
    """A plain Socket.IO server that passes `update` on to everybody else in the room."""

    @staticmethod
    def path(document: str) -> str:
        return f"/socket.io/?EIO=4&transport=websocket&document={document}"

    def opened(self) -> None:
        self.transport.write(frame(TEXT, b"40"))

    def write_update(self, number: int, update: bytes) -> bytes:
        head = f'451-["update","{self.document}",{{"_placeholder":true,"num":0}}]'
        return frame(TEXT, head.encode()) + frame(BINARY, update)

    def write_move(self, number: int, state: str) -> bytes:
        return frame(TEXT, f'42["presence","{self.document}",{state}]'.encode())

    def received(self, first: int, payload: bytes) -> None:
        if payload == b"2":
            self.transport.write(frame(TEXT, b"3"))
        elif self.missing is not None:
            self.meter.arrive(self, payload)
        elif payload.startswith(b"40"):
            self.ask()
        elif payload.startswith(b"431"):
            self.is_synced(b"\0\0")

    def ask(self) -> None:
        self.transport.write(frame(TEXT, f'421["join","{self.document}"]'.encode()))


def awareness(client_id: int, clock: int, state: str) -> bytes:
    """One client's state in the format of y-protocols."""
    return b"\1" + varuint(client_id) + varuint(clock + 1) + string(state)


def _without_length(payload: bytes) -> bytes:
    length, start = read_varuint(payload, 0)
    return payload[start : start + length]
