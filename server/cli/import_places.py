"""Places of an import: the database itself, or a server that is running.

`Here` is a node for a while, and writes by the direct door. Beside other nodes it needs the
database and the Redis that they have. With SQLite no other server may run. `There` is a client of a
running server, at the door of y-websocket, where names mean the same.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from urllib.parse import quote, urlsplit

from msgspec.structs import replace
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from crdt.content.schema import SCHEMA
from crdt.errors import Code, ProtocolError, Unavailable
from crdt.ids import DocumentId
from crdt.permissions import Role
from crdt.protocol import yprotocols as y
from crdt.protocol.messages import User
from server.app import bus_of, database_url, gate_limits, room_settings, sandbox_of
from server.auth.base import EVERY_DOCUMENT, Identity
from server.cli import CannotDo
from server.cli.importing import Author, Importer
from server.config import Config
from server.doors.close_codes import CLOSE_CODES
from server.doors.direct import DirectDoor
from server.doors.names import existing, make_named
from server.people.access import Access
from server.people.ways_in import default_link_role
from server.rooms import Rooms
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

LINGER = 0.001
"""Seconds for which a document stays open. Nobody comes back to it by this node."""

ANSWER_SECONDS = 60.0
"""Seconds that a running server may take for an answer: a large change is tried in its sandbox."""

PATIENCE, PAUSE = 120.0, 2.0
"""Seconds for which a server that has too much to do is asked again, and between two times."""


@asynccontextmanager
async def importer_here(config: Config, owner: str | None, *, dry_run: bool) -> AsyncIterator[Importer]:
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
    async with (
        SqlStore(database_url(config)) as store,
        bus_of(config) as bus,
        sandbox_of(config) as sandbox,
        Rooms(store, bus, sandbox, settings, access=Access(store, guests=False)) as rooms,
    ):
        place = Here(store.catalogue, DirectDoor(rooms), owner, default_link_role(config.people))
        yield Importer(place, sandbox, gate_limits(config), dry_run=dry_run)
        await rooms.drain()


class Here:
    """The database of the settings. New documents get the owner, and the role for their address."""

    def __init__(
        self,
        catalogue: Catalogue,
        door: DirectDoor,
        owner: str | None = None,
        link_role: Role | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._catalogue = catalogue
        self._door = door
        self._owner = owner
        self._link_role = link_role
        self._clock = clock

    async def knows(self, name: str) -> bool:
        return await existing(self._catalogue, name) is not None

    @asynccontextmanager
    async def author(self, name: str) -> AsyncIterator[Author]:
        """Yield an author who declares the document's own format.

        An editor may not change what it does not know. An import brings what another server holds,
        and changes nothing else.
        """
        document_id = await existing(self._catalogue, name) or await self._made(name)
        entry = await self._catalogue.get(document_id)
        declares = None if entry is None else entry.format
        async with self._door.author(document_id, IMPORTER, agent_for="", declares=declares) as author:
            yield author

    async def _made(self, name: str) -> DocumentId:
        owner, link_role = self._owner, self._link_role
        return await make_named(self._catalogue, name, self._clock(), by=OPERATOR, owner=owner, link_role=link_role)


@asynccontextmanager
async def importer_there(config: Config, url: str, token: str | None) -> AsyncIterator[Importer]:
    """Be a client of a running server. Only the limits of the settings count. Raises CannotDo."""
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.netloc:
        raise CannotDo(f"{url} is no address of a server, such as https://docs.example.org.")
    async with sandbox_of(config) as sandbox:
        place = There(f"{_SCHEMES[parts.scheme]}://{parts.netloc}{parts.path.rstrip('/')}", token)
        yield Importer(place, sandbox, gate_limits(config))


_SCHEMES = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


class There:
    """A server that is running.

    `url`: its WebSocket address, without the door's path. `pause`: seconds after which a busy
    server is asked again.
    """

    def __init__(self, url: str, token: str | None = None, pause: float = PAUSE) -> None:
        self._url = url
        self._token = token
        self._pause = pause

    async def knows(self, name: str) -> bool:  # noqa: ARG002 - asking by the door would make a document
        return False

    @asynccontextmanager
    async def author(self, name: str) -> AsyncIterator[Author]:
        author = Client(f"{self._url}/y/{quote(name, safe='')}", self._token, self._pause)
        try:
            await author.join()
            yield author
        finally:
            await author.leave()


class Client:
    """An author at the door of y-websocket. An update comes back when it is durable."""

    document_id: DocumentId | None = None

    def __init__(self, address: str, token: str | None, pause: float) -> None:
        self._address = address
        self._token = token
        self._pause = pause
        self._connection: ClientConnection | None = None
        self.state = b""

    async def join(self) -> None:
        """Read the document, and wait for a server that is busy. Raises ManyhandsError."""
        for tries_left in reversed(range(int(PATIENCE / self._pause))):
            try:
                await self._join()
            except Unavailable:
                if not tries_left:
                    raise
                await asyncio.sleep(self._pause)
            else:
                return

    async def _join(self) -> None:
        await self.leave()
        said = None if self._token is None else [Subprotocol("manyhands"), Subprotocol(f"token.{self._token}")]
        try:
            self._connection = await connect(self._address, subprotocols=said, max_size=None, compression=None)
        except (OSError, TimeoutError, WebSocketException) as error:
            raise CannotDo(f"The server at {self._address} cannot be reached ({error}).") from error
        self.state = await self._ask(y.encode_step_1(b"\0"), lambda update: update.is_answer)

    async def write(self, update: bytes, /) -> None:
        """Write an update, if need be as an editor that knows the page's format."""
        try:
            await self._write(update)
        except ProtocolError as error:
            if error.code is not Code.FORBIDDEN or "?" in self._address:
                raise
            self._address += f"?format={SCHEMA.name}:{SCHEMA.version}"
            await self.join()
            await self._write(update)

    async def _write(self, update: bytes) -> None:
        await self._ask(y.encode_update(update), lambda each: each.update == update)

    async def leave(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            await self._connection.close()

    async def _ask(self, message: bytes, wanted: Callable[[y.Update], bool]) -> bytes:
        """Send a message, and return the first update that is wanted. Raises ManyhandsError."""
        connection = self._connection
        if connection is None:
            raise Unavailable(_CLOSED)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await connection.send(message)
                async for frame in connection:
                    for each in _messages(frame):
                        if isinstance(each, y.Update) and wanted(each):
                            return each.update
        except ConnectionClosed as error:
            raise _refusal(error) from error
        except TimeoutError:
            raise Unavailable("The server does not answer.") from None
        raise Unavailable(_CLOSED)


_CLOSED = "The server has closed the connection."


def _messages(frame: bytes | str) -> list[y.Message]:
    if isinstance(frame, str):
        return []
    if frame[:1] == bytes((y.Kind.AUTH,)):
        raise ProtocolError(Code.FORBIDDEN, "The token allows to read this document, and not to change it.")
    return y.decode_messages(frame)


def _refusal(closed: ConnectionClosed) -> ProtocolError | Unavailable:
    """Return what the server means by closing a connection."""
    code, reason = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (0, "")
    meant = next((each for each in (Code.FORBIDDEN, *CLOSE_CODES) if CLOSE_CODES[each] == code), Code.UNAVAILABLE)
    if meant is Code.CLIENT_ID_TAKEN or code in range(4400, 4500):
        return ProtocolError(meant, reason)
    return Unavailable(reason or _CLOSED)
