"""Doctor for updates that are set aside: list them, show them, put them back, or drop them.

A server sets an update aside when it opens the document, and so does `check`, which opens documents
in the sandbox. All commands may run beside servers on PostgreSQL. Servers notice a change at their
next look into the database.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import count

from msgspec import Struct
from msgspec.structs import replace

from crdt.errors import ManyhandsError
from crdt.ids import DocumentId, Epoch, Seq, UpdateId, is_document_id
from crdt.log.put_back import put_back
from crdt.log.replica import Replica
from crdt.log.stand_ins import ANY_NUMBER, holds
from crdt.protocol.batch import decode_batch, encode_batch
from crdt.protocol.row import WHOLE_ROW, Found, Row
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from crdt.yjs.varint import check_state_vector
from server.cli import CannotDo
from server.cli.adopt import pages_of
from server.cli.contents import authors_of, in_words
from server.config import Config
from server.rooms.mending import mend
from server.sandbox import Sandbox, SandboxRejected
from server.store.base import Append, Appended, Loaded, Store
from server.store.set_aside_base import Kept, State, UpdatePlace
from server.store.sql import SqlStore, url_of


class Advice(Struct, frozen=True):
    """Lines for the operator. `well` is False if something still needs attention."""

    lines: Sequence[str]
    well: bool = True


@asynccontextmanager
async def doctor(config: Config) -> AsyncIterator["Doctor"]:
    """Open the database that the settings name, and a sandbox. Raises Unavailable."""
    bounds = config.sandbox
    async with (
        SqlStore(url_of(config.places.database_url, config.places.data_dir)) as store,
        Sandbox(memory_bytes=bounds.sandbox_memory_bytes, job_seconds=bounds.sandbox_seconds) as sandbox,
    ):
        yield Doctor(store, sandbox, GateLimits(update_bytes=config.documents.limits.update_bytes))


def place_of(found: Found) -> UpdatePlace:
    return UpdatePlace(found.seq, found.set_aside.position)


class Doctor(Struct, frozen=True):
    """The commands, on an open store. Documents are opened in `sandbox`."""

    store: Store
    sandbox: Sandbox
    limits: GateLimits

    async def overview(self, *, everything: bool = False) -> Advice:
        """List the updates that are set aside; with `everything`, also those that are settled."""
        kept = [each for each in await self.store.set_aside.list() if everything or each.state is State.KEPT]
        lines = [_line(each) for each in kept]
        return Advice([_HEAD, *lines] if lines else ["Nothing is set aside."])

    async def show(self, document_id: str, place: str, *, as_hex: bool = False) -> Advice:
        """Show an update's contents in words, or its bytes."""
        kept = await self._kept(document_id, place)
        reason = f"Set aside at {kept.found_at:%Y-%m-%d %H:%M:%S} UTC, {kept.state}: {kept.found.set_aside.reason}"
        if as_hex:
            return Advice([reason, kept.found.raw.hex()])
        return Advice([reason, *(line for update in _updates(kept.found) for line in in_words(update))])

    async def drop(self, document_id: str, place: str) -> Advice:
        """Give an update up: people are no longer told of it. Its bytes stay in the log."""
        kept = await self._kept(document_id, place)
        await self._settle(kept, State.DROPPED)
        return Advice([f"Dropped {place_of(kept.found)} of {document_id}."])

    async def put_back(self, document_id: str, place: str) -> Advice:
        """Write an update's contents again as a new row, if the document can be opened with it."""
        kept = await self._kept(document_id, place)
        if kept.state is State.PUT_BACK:
            raise CannotDo("The update has been put back already.")
        if kept.found.set_aside.position == WHOLE_ROW:
            raise CannotDo("The row is damaged as a whole. `show` prints the part that can be read; write it anew.")
        if holds(kept.found.set_aside, kept.found.raw):
            raise CannotDo("The update is applied already; only the changes that it builds on are lost. Drop it.")
        loaded = await self._loaded(kept.document_id)
        update = await self._rewritten(kept, loaded)
        row_id = UpdateId(f"put-back-{loaded.epoch}-{place_of(kept.found)}")
        append = Append(kept.document_id, Epoch(loaded.epoch), row_id, encode_batch([update]))
        (outcome,) = await self.store.log.append([append])
        if not isinstance(outcome, Appended):
            raise CannotDo("The document was deleted or restored meanwhile.")
        await self._settle(kept, State.PUT_BACK)
        return Advice([f"Put {place_of(kept.found)} of {document_id} back, as row {outcome.seq}."])

    async def _rewritten(self, kept: Kept, loaded: Loaded) -> bytes:
        try:
            trial = await self.sandbox.trial(loaded, self.limits)
            fresh = _unused(check_state_vector(trial.state_vector))
            raw = put_back(kept.found.raw, kept.found.set_aside, lambda: next(fresh))
            update = inspect(raw, self.limits, durable=True)
            rows = [*loaded.rows, Row(Seq(loaded.head + 1), encode_batch([update.raw]))]
            trial = await self.sandbox.trial(replace(loaded, rows=rows), self.limits)
        except ManyhandsError as error:
            raise CannotDo(f"The update still does not apply: {error.message}") from error
        except RecursionError as error:
            raise CannotDo("The update still does not apply: it is nested too deeply.") from error
        if bad := [each for each in trial.found if each.seq > loaded.head]:
            raise CannotDo(f"The update still does not apply: {bad[0].set_aside.reason}")
        # The sandbox has applied the update, so this process survives it as well.
        if not Replica(loaded, self.limits).knowledge.would_take([update]):
            raise CannotDo("The update does not fit into the document any more. Look at it with `show`.")
        return update.raw

    async def check(self, document_id: str | None) -> Advice:
        """Open one document, or all, in the sandbox, and set aside what does not apply.

        The advice has a line for each update that was set aside, and for each document that cannot
        be opened.
        """
        lines: list[str] = []
        sick = 0
        documents = (
            [await self._known(document_id)]
            if document_id
            else [each async for ids in pages_of(self.store) for each in ids]
        )
        for each in documents:
            try:
                lines += await self._mended(each)
            except (SandboxRejected, CannotDo) as error:
                sick += 1
                lines.append(
                    f"{each}: cannot be opened. {error.message if isinstance(error, SandboxRejected) else error}"
                )
        lines.append(f"Documents that were opened: {len(documents) - sick} of {len(documents)}.")
        return Advice(lines, well=not sick)

    async def _mended(self, document_id: DocumentId) -> list[str]:
        loaded = await self._loaded(document_id)
        found = await mend(loaded, self.sandbox, self.limits)
        if found:
            await self.store.set_aside.keep(document_id, loaded.epoch, found)
        return [f"{document_id}: {place_of(each)} is set aside. {each.set_aside.reason}" for each in found]

    async def _known(self, document_id: str) -> DocumentId:
        if not is_document_id(document_id) or await self.store.catalogue.get(DocumentId(document_id)) is None:
            raise CannotDo(f"There is no document {document_id}.")
        return DocumentId(document_id)

    async def _loaded(self, document_id: DocumentId) -> Loaded:
        try:
            loaded = await self.store.log.load(document_id)
        except ManyhandsError as error:
            raise CannotDo(error.message) from error
        if loaded is None:
            raise CannotDo(f"There is no document {document_id}.")
        return loaded

    async def _kept(self, document_id: str, place: str) -> Kept:
        known = await self._known(document_id)
        kept = await self.store.set_aside.list(known)
        for each in kept:
            if place == str(place_of(each.found)):
                return each
        if not kept:
            raise CannotDo(f"Nothing of {document_id} is set aside.")
        places = ", ".join(str(place_of(each.found)) for each in kept)
        raise CannotDo(f"{place} of {document_id} is not set aside; it is one of {places}.")

    async def _settle(self, kept: Kept, state: State) -> None:
        seq, position = kept.found.seq, kept.found.set_aside.position
        await self.store.set_aside.settle(kept.document_id, seq, position, state)


_HEAD = "DOCUMENT PLACE STATE BYTES AUTHORS FOUND REASON"
_MOST_AUTHORS = 5


def _line(kept: Kept) -> str:
    authors = list(dict.fromkeys(author for update in _updates(kept.found) for author in authors_of(update)))
    named = ",".join(map(str, authors[:_MOST_AUTHORS])) + (",…" if len(authors) > _MOST_AUTHORS else "")
    facts = (kept.document_id, place_of(kept.found), kept.state.replace(" ", "-"), len(kept.found.raw), named or "?")
    return " ".join([*map(str, facts), f"{kept.found_at:%Y-%m-%dT%H:%M:%SZ}", kept.found.set_aside.reason])


def _updates(found: Found) -> Sequence[bytes]:
    """Return the updates that were set aside.

    A row that was set aside as a whole is a batch of them, if it can be decoded.
    """
    if found.set_aside.position != WHOLE_ROW:
        return [found.raw]
    try:
        return decode_batch(found.raw, max_updates=ANY_NUMBER)
    except ManyhandsError:
        return [found.raw]


def _unused(taken: Collection[int]) -> Iterator[int]:
    """Yield unused client ids from 1 on. Browsers take random ids of up to 32 bits."""
    return (client_id for client_id in count(1) if client_id not in taken)
