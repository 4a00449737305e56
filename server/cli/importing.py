"""Imports: another server's documents come in by their rooms' names, with all that they hold.

An import is written by an author like any other. So the same gate, sandbox and limits judge what
comes, and people who have a document open see it at once.

Three rules hold:

1. **An import can be repeated.** It writes what the document lacks and nothing else, and merges
   with what people have written here meanwhile.
2. **A document is refused alone,** with its reason. The others go on.
3. **An import binds no client id.** The people whose words come are not here. Each of them may come
   back with an old copy, and go on under the client id that they had (crdt/room/session.py).
"""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from crdt.errors import Code, ManyhandsError, Unavailable
from crdt.ids import DocumentId
from crdt.log.foreign import Lacking
from crdt.yjs.limits import GateLimits
from server.cli.neighbours import Foreign
from server.sandbox import Sandbox

MOST_TRIES = 5
"""How often a document is read anew because others write there at the same moment."""

_PASSING = frozenset({Code.UNAVAILABLE, Code.NOT_JOINED, Code.MISSING_PAST})
"""Codes of refusals with which a document is read anew."""

EMPTY_BYTES = 2
"""Bytes of an empty document as an update."""

_TAKEN = (
    "A page here has gone on under a client id of this document, and the old server has later words under the same id. "
    "That page brings its own words when it connects."
)


class Outcome(StrEnum):
    """The end of a document's import."""

    IMPORTED = "imported"
    """The document was empty here, or is new."""
    CHANGED = "changed"
    """The document lacked some of what was found."""
    UNCHANGED = "unchanged"
    """The document has everything already, or there is nothing."""
    REFUSED = "refused"
    """Nothing of this document was written."""


class Result(Struct, frozen=True):
    """What came of one document, with a sentence if there is something to say."""

    name: str
    outcome: Outcome
    document_id: DocumentId | None = None
    written: int = 0
    note: str = ""

    @property
    def well(self) -> bool:
        """Whether everything that was found is here now."""
        return self.outcome is not Outcome.REFUSED and not self.note

    def __str__(self) -> str:
        place = f" {self.document_id}" if self.document_id else ""
        size = f" {self.written} bytes" if self.written else ""
        return f"{self.outcome:<9} {self.name!r}{place}{size}" + (f": {self.note}" if self.note else "")


async def told(results: AsyncIterator[Result], say: Callable[[str], None], *, dry_run: bool = False) -> bool:
    """Say what comes of each document, and how many there were of each kind.

    Return whether everything that was found is here now.
    """
    counts = dict.fromkeys(Outcome, 0)
    well = True
    async for result in results:
        say(str(result))
        counts[result.outcome] += 1
        well &= result.well
    numbers = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    say(f"Documents: {numbers}." + (" Nothing was written: this was a dry run." if dry_run else ""))
    return well


class Author(Protocol):
    """Port to a seat in the document of a name, by which an import is written.

    `state`: the document as one update, in the clients' form, as it was when the author joined.
    """

    @property
    def document_id(self) -> DocumentId | None:
        """The document's id, if it is known."""

    state: bytes

    async def join(self) -> None:
        """Read the document again."""

    async def write(self, update: bytes, /) -> object:
        """Write an update, and return when it is durable. Raises ManyhandsError."""


class Place(Protocol):
    """Port to where documents are brought (server/cli/import_places.py)."""

    async def knows(self, name: str) -> bool:
        """Whether a name has a document, as far as can be known without making one.

        Raises ProtocolError for what is no name.
        """

    def author(self, name: str) -> AbstractAsyncContextManager[Author]:
        """Yield an author who has joined the document of a name, made if need be."""


class Importer:
    """Takes documents in, one after the other."""

    def __init__(self, place: Place, sandbox: Sandbox, limits: GateLimits, *, dry_run: bool = False) -> None:
        self._place = place
        self._sandbox = sandbox
        self._limits = limits
        self._dry_run = dry_run
        self._names: set[str] = set()

    async def take_all(self, found: Iterable[Foreign]) -> AsyncIterator[Result]:
        """Take documents in, and yield what came of each."""
        for each in found:
            yield await self._take(each)

    async def _take(self, foreign: Foreign) -> Result:
        name = foreign.name
        if foreign.unreadable:
            return Result(name, Outcome.REFUSED, note=foreign.unreadable)
        if name in self._names:
            return Result(name, Outcome.REFUSED, note="Another document of this source has the same name here.")
        self._names.add(name)
        try:
            if not await self._place.knows(name):
                lacking = await self._lacking(b"", foreign)
                if self._dry_run or not lacking.update:
                    return _result(name, None, b"", lacking)
            async with self._place.author(name) as author:
                return await self._merge(foreign, author)
        except ManyhandsError as error:
            note = _TAKEN if error.code is Code.CLIENT_ID_TAKEN else error.message
            return Result(name, Outcome.REFUSED, note=note)

    async def _merge(self, foreign: Foreign, author: Author) -> Result:
        for tries_left in reversed(range(MOST_TRIES)):
            lacking = await self._lacking(author.state, foreign)
            result = _result(foreign.name, author.document_id, author.state, lacking)
            try:
                if lacking.update and not self._dry_run:
                    await author.write(lacking.update)
                return result
            except ManyhandsError as error:
                if not tries_left or error.code not in _PASSING:
                    raise
                await author.join()
        raise Unavailable("The document changes too fast to be imported.")

    async def _lacking(self, state: bytes, foreign: Foreign) -> Lacking:
        return await self._sandbox.lacking(state, foreign.updates, self._limits)


def _result(name: str, document_id: DocumentId | None, state: bytes, lacking: Lacking) -> Result:
    written = len(lacking.update)
    outcome = Outcome.UNCHANGED if not written else Outcome.CHANGED if len(state) > EMPTY_BYTES else Outcome.IMPORTED
    note = ""
    if lacking.left_out:
        note = f"Changes of {lacking.left_out} updates were left out: what they build on is not in the store."
    return Result(name, outcome, document_id, written, note)
