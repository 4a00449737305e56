"""A session: carries a replica's changes to the server and the server's rows to the replica.

One task owns the connection, and connects again as often as it is lost. On each connection the task
keeps the session: it joins, and joins again when rows are missing or a refusal asks for that. Three
more tasks send changes, send presence, and renew the token.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from random import random
from typing import Any

from pycrdt import Doc

from manyhands.about import About, Person
from manyhands.address import Address, Options
from manyhands.caller import Caller
from manyhands.errors import (
    ManyhandsError,
    Refused,
    Remedy,
    Unauthenticated,
    Unreachable,
    refused,
    remedy_for_session,
    remedy_for_update,
)
from manyhands.link import ANSWER_SECONDS, Link, Lost, open_link
from manyhands.outbox import FileOutbox, MemoryOutbox
from manyhands.pause import pause_before
from manyhands.replica import Batch, Replica
from manyhands.wire import WireError

_MOST_IN_FLIGHT = 8
"""Batches that are sent and not answered. What is written meanwhile gathers into the next ones."""
_MOST_STRIKES = 2
"""So often in a row may joining again, or a fresh token, be the answer to a refusal."""
_PRESENCE_PAUSE = 0.1


@dataclass(frozen=True, slots=True)
class _Doubt:
    """Why the session has to be joined again. Without a refusal, rows are missing."""

    refusal: Refused | None
    remedy: Remedy


class Session:
    """One document's place at a server. Opened once, closed once."""

    def __init__(self, doc: Doc[Any], address: Address, options: Options) -> None:
        """Open the outbox. Raises ManyhandsError if that cannot be."""
        self._outbox = MemoryOutbox() if options.outbox is None else FileOutbox(options.outbox, address.document_id)
        self.replica = Replica(doc, self._outbox, _report)
        self.caller = Caller(address.server, options)
        self.closed: ManyhandsError | None = None
        self.refusal: Refused | None = None
        self.trouble = "The server did not answer in time."
        self.about = About()
        self.tries = 0
        """How often connecting has failed in a row."""
        self.listeners: list[Callable[[], None]] = []
        self.broadcast_listeners: list[Callable[[str, Person], None]] = []
        self._address = address
        self._options = options
        self._keeper: asyncio.Task[None] | None = None
        self._link: Link | None = None
        self._doubt: asyncio.Future[_Doubt] | None = None
        """Ends the session, so that the next join begins."""
        self._connect_now = asyncio.Event()
        self._not_before = 0.0
        self._sendable = asyncio.Event()
        self._presence: Mapping[str, Any] | None = None
        self._presence_changed = asyncio.Event()
        self._strikes = 0
        self._rests = 0
        """How often in a row the server has asked for a pause."""
        self._waiting: list[asyncio.Future[None]] = []

    # What the document asks.

    @property
    def verdict(self) -> ManyhandsError | None:
        """Why nothing more is sent, if that is so."""
        return self.closed or self.refusal

    def open(self) -> None:
        """Begin to connect."""
        self._keeper = asyncio.create_task(self._stay_connected())
        self._keeper.add_done_callback(self._kept)

    async def close(self) -> None:
        """Leave. What is not saved stays in the outbox."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        await self.caller.close()
        self._outbox.close()
        self.closed = self.closed or ManyhandsError("The program has left the document.")
        self.ring()

    def changed(self, update: bytes) -> None:
        """Take what a transaction of the document did."""
        if self.replica.changed(update):
            self._sendable.set()
            self.ring()

    def show(self, state: Mapping[str, Any] | None) -> None:
        """Tell the others a state. Raises TypeError or ValueError for what is no JSON."""
        self._presence = json.loads(json.dumps(state, allow_nan=False))
        self._presence_changed.set()

    async def broadcast(self, payload: str) -> None:
        """Tell everybody else something that nobody keeps. Raises Refused or Unreachable."""
        if self._link is None:
            raise Unreachable(f"There is no connection now. {self.trouble}")
        try:
            content = payload.encode()
        except UnicodeEncodeError:
            raise Refused("malformed", "`payload` must not hold half of a surrogate pair.") from None
        try:
            await self._link.ask("broadcast", self._address.document_id, content)
        except Lost as error:
            raise Unreachable(str(error)) from error

    def reconnect_now(self) -> None:
        self.tries = 0
        self._connect_now.set()

    def ring(self) -> None:
        """Say that something has changed."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)
        for listener in self.listeners:
            asyncio.get_running_loop().call_soon(listener)  # a listener that fails is not our end

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future

    # The connection.

    async def _stay_connected(self) -> None:
        while self.closed is None:
            try:
                await self._connect_once()
            except Lost as error:
                self.trouble = str(error)
            except Refused as error:
                self.trouble = str(error)
                self._judge_entry(error)
            self.replica.part()
            self.about.people.clear()
            self.ring()
            if self.closed is None:
                pause = max(pause_before(self.tries, random()), self._not_before - time.monotonic())
                self.tries += 1
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._connect_now.wait()
                self._connect_now.clear()

    def _kept(self, keeper: asyncio.Task[None]) -> None:
        """Tell whoever waits when the task has ended by a mistake of ours."""
        if not keeper.cancelled() and (error := keeper.exception()) is not None:
            self.closed = ManyhandsError(f"The client made a mistake: {error!r}")
            self.closed.__cause__ = error
        self.replica.part()
        self.ring()

    def _judge_entry(self, refusal: Refused) -> None:
        """Decide what a refused connection means. A token may just have run out."""
        if isinstance(refusal, Unauthenticated):
            self._strikes += 1
            if not self.caller.may_renew or self._strikes >= _MOST_STRIKES:
                self.closed = refusal

    async def _connect_once(self) -> None:
        """Connect, and keep the session until the connection is over. Raises Lost or Refused."""
        greeting, headers = await self.caller.introduce()
        address = self._address
        end: Lost | Refused | None = None
        async with open_link(address.server, address.document_id, greeting, headers, self._hear) as link:
            self._link = link
            async with asyncio.TaskGroup() as tasks:
                jobs = [tasks.create_task(job(link)) for job in (self._send, self._show, self._renew)]
                try:
                    while self.closed is None:
                        await self._keep_session(link)
                except (Lost, Refused) as error:
                    end = error
                finally:
                    self._link = None
                    for job in jobs:
                        job.cancel()
        if end is not None:
            raise end

    async def _renew(self, link: Link) -> None:
        """Bring a fresh token before the old one ends, as long as the connection lasts."""
        while await self.caller.next_renewal():
            with suppress(Lost, Refused):  # the next refusal asks for a token as well
                await self.caller.authenticate(link)

    # The session.

    async def _keep_session(self, link: Link) -> None:
        """Join, and stay until the next join is due. Raises Lost."""
        self._doubt = asyncio.get_running_loop().create_future()
        try:
            await self._join(link)
        except Refused as error:
            if error.code == "client_id_taken" and self.replica.take_other_ids(in_batch=False):
                return
            doubt = _Doubt(error, remedy_for_session(error.code))
        except (WireError, ValueError) as error:  # pycrdt raises ValueError for what it cannot read
            doubt = _Doubt(Refused("internal", str(error)), Remedy.REJOIN)
        else:
            ends: set[asyncio.Future[Any]] = {self._doubt, link.lost}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            if not self._doubt.done():
                raise Lost(link.lost.result())
            doubt = self._doubt.result()
        self.replica.part()
        if doubt.refusal is not None:
            await self._mend(link, doubt.refusal, doubt.remedy)
        self.ring()

    async def _mend(self, link: Link, refusal: Refused, remedy: Remedy) -> None:
        """Do what a refusal asks for, before the next join."""
        self.trouble = str(refusal)
        if remedy in (Remedy.REJOIN, Remedy.AUTHENTICATE):
            self._strikes += 1
        if self._strikes > _MOST_STRIKES or (remedy is Remedy.AUTHENTICATE and not self.caller.may_renew):
            remedy = Remedy.STOP
        match remedy:
            case Remedy.STOP:
                self.closed = refusal
            case Remedy.AUTHENTICATE:
                try:
                    await self.caller.authenticate(link)
                except Refused as error:
                    self.closed = error
            case Remedy.LATER:
                pause = pause_before(self._rests, 0.5 + random() / 2)
                self._rests += 1
                await asyncio.wait({link.lost}, timeout=pause)
            case Remedy.REJOIN:
                self.replica.resend_as_state |= refusal.code == "missing_past"

    async def _join(self, link: Link) -> None:
        """Join, and bring document and server together.

        Raises Refused, Lost, WireError or ValueError.
        """
        request = {**self.replica.begin_join(), "format": self._options.format}
        if self._address.link is not None:
            request["link"] = self._address.link
        answer = await link.ask("join", self._address.document_id, request)
        try:
            missing = answer["missing"]
            if missing is None:
                missing = await self._fetch(link, answer["chunks"]["count"])
            self.about.joined(answer)
            self._forgive()
            if not self.replica.settle(answer["seq"], answer["epoch"], missing, answer["state_vector"]):
                await self._join(link)
                return
        except (KeyError, TypeError) as error:
            raise WireError(f"The answer to a join has another form: {error!r}") from error
        self.tries = 0
        if self.replica.unsaved == 0:
            self._strikes = self._rests = 0
        self._sendable.set()
        self._presence_changed.set()
        self.ring()

    async def _fetch(self, link: Link, count: int) -> bytes:
        """Fetch a large missing update, part by part."""
        ask = partial(link.ask, "fetch", self._address.document_id)
        return b"".join([(await ask({"index": index}))["chunk"] for index in range(count)])

    def _forgive(self) -> None:
        """Drop a refusal whose reason has gone, so that the changes are sent again."""
        if self.refusal is not None and self.refusal.code in ("forbidden", "quarantined") and self.about.may_write:
            self.refusal = None
            self._sendable.set()

    def _join_again(self, refusal: Refused | None = None, remedy: Remedy = Remedy.REJOIN) -> None:
        if self._doubt is not None and not self._doubt.done():
            self._doubt.set_result(_Doubt(refusal, remedy))

    # The way out.

    async def _send(self, link: Link) -> None:
        """Send what waits, as long as the connection lasts."""
        while True:
            await self._sendable.wait()
            self._sendable.clear()
            while self.refusal is None and self.replica.in_flight < _MOST_IN_FLIGHT:
                batch = self.replica.next_batch(self.about.part_bytes)
                if batch is None:
                    break
                if len(batch.data) > self.about.part_bytes:
                    await self._upload(link, batch)
                else:
                    after = () if batch.after is None else (batch.after,)
                    answered = partial(self._answered, batch.number)
                    link.tell("update", self._address.document_id, *after, batch.data, answered=answered)

    async def _upload(self, link: Link, batch: Batch) -> None:
        """Send a large batch in parts. Whatever is behind it may build on it, and waits."""
        size, after = self.about.part_bytes, {} if batch.after is None else {"after": batch.after}
        answer: Any = None
        try:
            for offset in range(0, len(batch.data), size):
                place = {"offset": offset, "total": len(batch.data), **after}
                part = batch.data[offset : offset + size]
                answer = await link.ask("upload", self._address.document_id, place, part, seconds=2 * ANSWER_SECONDS)
        except Lost as error:
            link.hang_up(str(error))
        except Refused as error:
            self._refused(batch.number, error)
        else:
            self._answered(batch.number, answer)

    def _answered(self, number: int, answer: Any) -> None:
        """Take the answer to a batch."""
        if not isinstance(answer, dict) or not isinstance(answer.get("seq"), int):
            self._refused(number, refused(answer.get("error") if isinstance(answer, dict) else None))
            return
        if self.replica.acknowledged(number, answer["seq"]):
            self._join_again()
        self._strikes = self._rests = 0
        self._sendable.set()
        self.ring()

    def _refused(self, number: int, refusal: Refused) -> None:
        """Stop sending, or join again. The batches behind a refused one are refused with it."""
        if not self.replica.refused(number):
            return
        remedy = remedy_for_update(refusal.code)
        if refusal.code == "client_id_taken" and self.replica.take_other_ids(in_batch=True):
            self._join_again()
        elif remedy is Remedy.STOP or (remedy is Remedy.REJOIN and self._strikes == _MOST_STRIKES):
            self.refusal = refusal
        else:
            self.replica.part()
            self._join_again(refusal, remedy)
        self.ring()

    async def _show(self, link: Link) -> None:
        """Send the newest presence, one message at a time."""
        shown = False
        while True:
            await self._presence_changed.wait()
            self._presence_changed.clear()
            if self.replica.joined and (shown or self._presence is not None):
                with suppress(Lost, Refused):
                    await link.ask("presence", self._address.document_id, {"state": self._presence})
                    shown = True
            await asyncio.sleep(_PRESENCE_PAUSE)

    # The way in.

    def _hear(self, event: str, arguments: list[Any]) -> None:
        """Take an event. Joining again mends what cannot be read or applied."""
        try:
            if event == "draining":
                self._drain(arguments[0]["after_ms"] / 1000)
            elif arguments[0] == self._address.document_id:
                self._hear_of_document(event, arguments[1:])
        except (WireError, ValueError, KeyError, TypeError, IndexError) as error:
            self._join_again(Refused("internal", f"The server said what cannot be read: {error!r}"))
        self.ring()

    def _hear_of_document(self, event: str, arguments: list[Any]) -> None:
        match event:
            case "update":
                if self.replica.row(arguments[0], arguments[1]):
                    self._join_again()
            case "presence":
                self.about.meet(arguments[0])
            case "broadcast":
                payload, user = arguments[0].decode(errors="replace"), arguments[1]
                person = Person(user["id"], user["name"], user["color"], {})
                for listener in self.broadcast_listeners:
                    asyncio.get_running_loop().call_soon(listener, payload, person)
            case "resync":
                self.replica.doubt()
                self._join_again()
            case "role":
                self.about.role = arguments[0]
                self._forgive()
            case "durability":
                self.about.durability = arguments[0]
            case "document":
                self.about.describe(arguments[0])
                self._forgive()
            case "closed":
                refusal = refused(arguments[0])
                self.replica.part()
                self._join_again(refusal, remedy_for_session(refusal.code))

    def _drain(self, pause: float) -> None:
        """Stay for the server's pause, so that what is under way is saved, and move then."""
        self._not_before = time.monotonic() + pause
        if self._link is not None:
            asyncio.get_running_loop().call_later(pause, self._link.hang_up, "The server is shutting down.")


def _report(error: Exception) -> None:
    """Tell of an observer's mistake as asyncio tells of mistakes in callbacks."""
    context = {"message": "An observer of the document failed", "exception": error}
    asyncio.get_running_loop().call_exception_handler(context)
