"""Imports: another server's documents come in by their rooms' names, with all that they hold.

The importer is a node for a while. It writes by the direct door like every author. So the same
gate, sandbox and limits judge what comes, and people who have a document open see it at once.
Beside other nodes it needs the database and the Redis that they have.

Three rules hold:

1. **An import can be repeated.** It writes what the document lacks and nothing else, and merges
   with what people have written here meanwhile.
2. **A document is refused alone,** with its reason. The others go on.
3. **An import binds no client id.** The people whose words come are not here. Each of them may come
   back with an old copy, and go on under the client id that they had (crdt/room/session.py).
"""

import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from crdt.errors import Code, ManyhandsError, Unavailable
from crdt.ids import DocumentId
from crdt.log.foreign import Lacking
from crdt.permissions import Role
from crdt.protocol.messages import User
from crdt.yjs.limits import GateLimits
from server.app import bus_of, database_url, gate_limits, room_settings, sandbox_of
from server.auth.base import EVERY_DOCUMENT, Identity
from server.cli import CannotDo
from server.cli.neighbours import Foreign
from server.config import Config
from server.doors.direct import DirectDoor
from server.doors.names import existing, make_named
from server.people.access import Access
from server.people.ways_in import default_link_role
from server.rooms import Rooms
from server.sandbox import Sandbox
from server.store.base import Catalogue
from server.store.database import utc_now
from server.store.deeds_base import OPERATOR
from server.store.sql import SqlStore

IMPORTER = Identity(
    User("import", "Import", "#57606a"),
    "service",
    document_roles={EVERY_DOCUMENT: Role.EDITOR},
    agent_for="",
    lasting=False,
)
"""The author of an import, as the history shows it. The words' own authors stand in the words."""

MOST_TRIES = 5
"""How often a document is read anew because others write there at the same moment."""

LINGER = 0.001
"""Seconds for which a document stays open. Nobody comes back to it by this node."""

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


@dataclass(frozen=True, slots=True)
class Result:
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


@asynccontextmanager
async def importer(config: Config, owner: str | None, *, dry_run: bool) -> AsyncIterator["Importer"]:
    """Be a node for a while. Raises CannotDo or Unavailable if that is not possible."""
    if owner is not None and not (owner and owner.isprintable()):
        raise CannotDo("A user id is a text without line breaks.")
    try:
        if config.places.database_url is None:
            config.places.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotDo(f"The data directory {config.places.data_dir} cannot be made: {error.strerror}.") from error
    settings = room_settings(config)
    settings = replace(settings, linger=LINGER, node_id=f"import:{secrets.token_hex(8)}", open_bytes_per_user=2**62)
    async with SqlStore(database_url(config)) as store, bus_of(config) as bus, sandbox_of(config) as sandbox:
        rooms = Rooms(store, bus, sandbox, settings, access=Access(store, guests=False))
        async with rooms:
            yield Importer(
                store.catalogue,
                DirectDoor(rooms),
                sandbox,
                gate_limits(config),
                owner=owner,
                link_role=default_link_role(config.people),
                dry_run=dry_run,
            )
            await rooms.drain()


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


class Importer:
    """Takes documents in, one after the other."""

    def __init__(  # noqa: PLR0913 - all that a document begins with
        self,
        catalogue: Catalogue,
        door: DirectDoor,
        sandbox: Sandbox,
        limits: GateLimits,
        *,
        owner: str | None = None,
        link_role: Role | None = None,
        clock: Callable[[], datetime] = utc_now,
        dry_run: bool = False,
    ) -> None:
        self._catalogue = catalogue
        self._door = door
        self._sandbox = sandbox
        self._limits = limits
        self._owner = owner
        self._link_role = link_role
        self._clock = clock
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
            document_id = await existing(self._catalogue, name)
            if document_id is not None:
                return await self._merge(foreign, document_id)
            lacking = await self._lacking(b"", foreign)
            if self._dry_run or not lacking.update:
                return _result(name, None, b"", lacking)
            return await self._merge(foreign, await self._made(name))
        except ManyhandsError as error:
            note = _TAKEN if error.code is Code.CLIENT_ID_TAKEN else error.message
            return Result(name, Outcome.REFUSED, note=note)

    async def _made(self, name: str) -> DocumentId:
        owner, link_role = self._owner, self._link_role
        return await make_named(self._catalogue, name, self._clock(), by=OPERATOR, owner=owner, link_role=link_role)

    async def _merge(self, foreign: Foreign, document_id: DocumentId) -> Result:
        """Write what a document lacks, as an author of the document's own format.

        An editor may not change what it does not know. An import brings what another server holds,
        and changes nothing else.
        """
        entry = await self._catalogue.get(document_id)
        declares = None if entry is None else entry.format
        async with self._door.author(document_id, IMPORTER, agent_for="", declares=declares) as author:
            for tries_left in reversed(range(MOST_TRIES)):
                lacking = await self._lacking(author.state, foreign)
                result = _result(foreign.name, document_id, author.state, lacking)
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
        note = f"{lacking.left_out} updates were left out: the store lacks changes that they build on."
    return Result(name, outcome, document_id, written, note)
