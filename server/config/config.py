"""Every setting: its form, its unit, its default, and why the default is what it is.

`server/SETTINGS.md` is made from these declarations; `server/config/loading.py` reads their values, once, at start.
Components are handed values, never the Config.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

from crdt.protocol import Limits
from crdt.token_bucket import Rate
from server.config import forms as form
from server.config.forms import Setting
from server.config.people import People

PREFIX = "MANYHANDS_"
KiB, MiB, GiB = 2**10, 2**20, 2**30
_ROOM = Limits()


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the server is reached, and under which names."""

    host: Annotated[
        str,
        Setting(form.HOST, "address", "this machine only: to open it to others is a decision"),
    ] = "127.0.0.1"
    port: Annotated[
        int,
        Setting(form.integer(0, 65535), "port", "free on most machines; 0 takes any free one"),
    ] = 8000
    allowed_origins: Annotated[
        tuple[str, ...],
        Setting(
            form.ORIGINS,
            "list",
            "the address listened on is always allowed; name the public one when a proxy stands in front",
        ),
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...],
        Setting(
            form.NETWORKS,
            "list",
            "nobody's X-Forwarded-For and X-Forwarded-Proto are believed",
        ),
    ] = ()
    insecure_public: Annotated[
        bool,
        Setting(
            form.FLAG,
            "switch",
            "where everybody is a guest, whoever reaches the server may make documents: open it only on purpose",
        ),
    ] = False


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are kept."""

    data_dir: Annotated[
        Path,
        Setting(form.DIRECTORY, "directory", "where the server is started; it is made when missing"),
    ] = Path("data")
    database_url: Annotated[
        str | None,
        Setting(form.DATABASE_URL, "URL", "the file manyhands.db in the data directory", secret=True),
    ] = None
    redis_url: Annotated[
        str | None,
        Setting(form.REDIS_URL, "URL", "one server process needs no Redis", secret=True),
    ] = None
    node_id: Annotated[
        str | None,
        Setting(
            form.NODE_ID,
            "name",
            "the machine's name and the port: what tells this node from others on one database, the same after a restart",
        ),
    ] = None
    poll_seconds: Annotated[
        float,
        Setting(
            form.number(0.1, 3600),
            "seconds",
            "from one look for what other nodes appended to the next, where PostgreSQL or Redis is used: what Redis fails to tell",
        ),
    ] = 3.0
    pages_dir: Annotated[
        Path | None,
        Setting(
            form.DIRECTORY, "directory", "client_web/editor/dist in the repository, where `make serve` builds the pages"
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class Logs:
    """What is written to standard error."""

    log_level: Annotated[
        str,
        Setting(form.choice("debug", "info", "warning", "error"), "level", "starts, stops and refusals, not each edit"),
    ] = "info"
    log_format: Annotated[
        str,
        Setting(form.choice("console", "json"), "format", "made for a person's eyes; json is for collectors"),
    ] = "console"


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """What a document's room accepts; `limits` is the form in which rooms and clients know it."""

    max_update_bytes: Annotated[
        int,
        Setting(form.integer(64 * KiB, GiB), "bytes", "one change: a pasted book fits"),
    ] = _ROOM.update_bytes
    max_part_bytes: Annotated[
        int,
        Setting(
            form.integer(16 * KiB, 16 * MiB),
            "bytes",
            "one message with content; larger things travel in parts, so that others' keystrokes pass between them",
        ),
    ] = _ROOM.part_bytes
    max_presence_bytes: Annotated[
        int,
        Setting(form.integer(256, 64 * KiB), "bytes", "a cursor, a selection and a name many times over"),
    ] = _ROOM.presence_bytes
    max_document_bytes: Annotated[
        int,
        Setting(form.integer(MiB, 4 * GiB), "bytes", "a browser still opens it; images are kept elsewhere"),
    ] = _ROOM.document_bytes
    max_waiting_bytes: Annotated[
        int,
        Setting(
            form.integer(MiB, GiB),
            "bytes",
            "one document's edits held in memory while the store does not answer; later ones stay with their clients",
        ),
    ] = _ROOM.waiting_bytes
    max_backlog_bytes: Annotated[
        int,
        Setting(
            form.integer(64 * KiB, 256 * MiB),
            "bytes",
            "unsent data of one slow connection; past it, it gets one summary when it has caught up",
        ),
    ] = _ROOM.backlog_bytes
    max_members: Annotated[
        int,
        Setting(form.integer(1, 100_000), "sessions", "pages that have one document open at once"),
    ] = _ROOM.members

    @property
    def limits(self) -> Limits:
        """The same values under the protocol's names."""
        return Limits(**{each.name: getattr(self, "max_" + each.name) for each in fields(Limits)})


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many may connect, and how long they may dawdle."""

    max_connections: Annotated[
        int,
        Setting(form.integer(1, 1_000_000), "connections", "a large organisation with several tabs each"),
    ] = 5000
    max_connections_per_address: Annotated[
        int,
        Setting(
            form.integer(1, 1_000_000), "connections", "an office behind one address works; one visitor cannot take all"
        ),
    ] = 1000
    max_connections_per_user: Annotated[
        int,
        Setting(form.integer(1, 1_000_000), "connections", "one person's tabs, devices and programs, on one node"),
    ] = 100
    max_handshakes_per_address: Annotated[
        int,
        Setting(
            form.integer(1, 1_000_000), "connections", "not greeted yet; after a restart a whole office is back at once"
        ),
    ] = 200
    max_greeting_bytes: Annotated[
        int,
        Setting(
            form.integer(32 * KiB, MiB),
            "bytes",
            "one message of who has not been greeted yet, a token and a name many times over; "
            "with the handshakes it bounds the memory of strangers",
        ),
    ] = 64 * KiB
    max_documents_per_connection: Annotated[
        int,
        Setting(form.integer(1, 10_000), "documents", "a page holds one; a program that watches a folder holds dozens"),
    ] = 64
    connect_seconds: Annotated[
        float,
        Setting(
            form.number(0.1, 300), "seconds", "from a connection's opening to its greeting; bad links need half of it"
        ),
    ] = 10.0


@dataclass(frozen=True, slots=True)
class Rates:
    """How much may be asked in how short a time; no page comes near any of it."""

    join_rate: Annotated[
        Rate,
        Setting(form.RATE, "joins of one connection", "a program that watches a folder joins all of it at its start"),
    ] = Rate(10, 200)
    update_rate: Annotated[
        Rate,
        Setting(
            form.RATE, "changes of one connection", "a page sends one for a few keystrokes, a program one per line"
        ),
    ] = Rate(500, 5000)
    byte_rate: Annotated[
        Rate,
        Setting(form.RATE, "bytes of one connection's changes", "four of the largest changes at once"),
    ] = Rate(8 * MiB, 64 * MiB)
    presence_rate: Annotated[
        Rate,
        Setting(form.RATE, "cursors of one connection", "a mouse that selects text moves sixty times a second"),
    ] = Rate(100, 300)
    request_rate: Annotated[
        Rate,
        Setting(form.RATE, "REST requests of one address", "an office behind one address works"),
    ] = Rate(100, 1000)
    creation_rate: Annotated[
        Rate,
        Setting(form.RATE, "new documents of one address", "a script that imports a folder makes all of it at once"),
    ] = Rate(10, 100)


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What the REST API accepts."""

    max_attachment_bytes: Annotated[
        int,
        Setting(form.integer(KiB, 256 * MiB), "bytes", "a phone's photograph"),
    ] = 10 * MiB
    max_document_attachments_bytes: Annotated[
        int,
        Setting(form.integer(MiB, 2**40), "bytes", "a document's pictures together: twenty-five of the largest"),
    ] = 256 * MiB
    max_uploads: Annotated[
        int,
        Setting(form.integer(1, 1000), "uploads at once", "each holds its file in memory until it is stored"),
    ] = 8
    max_documents_per_user: Annotated[
        int,
        Setting(form.integer(1, 10_000_000), "documents", "a life's work; a guest without a cookie owns none"),
    ] = 10_000
    max_people_per_document: Annotated[
        int,
        Setting(
            form.integer(1, 100_000),
            "people",
            "who have a role of their own, the owner among them: a whole organisation's department; more come by the link",
        ),
    ] = 1000
    ready_seconds: Annotated[
        float,
        Setting(
            form.number(0.1, 60), "seconds", "how long /ready waits for the store: less than balancers wait for /ready"
        ),
    ] = 2.0


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """Bounds of the worker process that meets content which may be bad."""

    sandbox_memory_bytes: Annotated[
        int,
        Setting(form.integer(128 * MiB, 64 * GiB), "bytes", "the largest document several times over"),
    ] = GiB
    sandbox_seconds: Annotated[
        float,
        Setting(
            form.number(0.1, 3600), "seconds", "one job's processor time; what takes longer is taken for bad content"
        ),
    ] = 30.0
    sandbox_workers: Annotated[
        int,
        Setting(form.integer(1, 64), "processes", "leaves the other cores to the server"),
    ] = 1


@dataclass(frozen=True, slots=True)
class Cores:
    """How many of the machine's cores serve."""

    workers: Annotated[
        int,
        Setting(
            form.integer(1, 64),
            "processes",
            "several share one address, and need PostgreSQL and Redis; each is a node of its own, to which every limit of one node applies",
        ),
    ] = 1


@dataclass(frozen=True, slots=True)
class Shutdown:
    """How the server goes."""

    shutdown_seconds: Annotated[
        float,
        Setting(form.number(0.1, 3600), "seconds", "to write what waits: below the ten that container runtimes give"),
    ] = 8.0
    drain_spread_ms: Annotated[
        int,
        Setting(form.integer(0, 600_000), "milliseconds", "clients come back spread over this time, not all at once"),
    ] = 500


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of one server."""

    listen: Listen = Listen()
    people: People = People()
    places: Places = Places()
    logs: Logs = Logs()
    documents: DocumentLimits = DocumentLimits()
    connections: ConnectionLimits = ConnectionLimits()
    rates: Rates = Rates()
    http: HttpLimits = HttpLimits()
    sandbox: SandboxLimits = SandboxLimits()
    cores: Cores = Cores()
    shutdown: Shutdown = Shutdown()


@dataclass(frozen=True, slots=True)
class Declared:
    """One setting under all of its names."""

    name: str
    setting: Setting
    default: Any

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return PREFIX + self.name.upper()

    @property
    def option(self) -> str:
        """Its option on the command line."""
        return "--" + self.name.replace("_", "-")


def parts() -> Iterator[tuple[str, type]]:
    """Config's parts: the field and its class."""
    yield from get_type_hints(Config).items()


def declared(part: type) -> Iterator[Declared]:
    """One part's settings, in order."""
    hints = get_type_hints(part, include_extras=True)
    for each in fields(part):
        _, setting = get_args(hints[each.name])
        yield Declared(each.name, setting, each.default)


def all_declared() -> list[Declared]:
    """Every setting, in order."""
    return [each for _, part in parts() for each in declared(part)]
