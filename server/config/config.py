"""Every setting: its form, its unit, its default, and why the default is what it is.

`server/SETTINGS.md` is made from these declarations; `server/config/loading.py` reads their values,
once, at start. Components are handed values, never the Config.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

from server.config import forms as form
from server.config.forms import Setting
from server.config.limits import ConnectionLimits, DocumentLimits, HttpLimits, Rates, SandboxLimits
from server.config.people import PeopleSettings

PREFIX = "MANYHANDS_"


@dataclass(frozen=True, slots=True)
class Listen:
    """The server's address and names."""

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
class PlaceSettings:
    """Places where things are kept."""

    data_dir: Annotated[
        Path,
        Setting(form.DIRECTORY, "directory", "where the server is started; it is made when missing"),
    ] = Path("data")
    database_url: Annotated[
        str | None,
        Setting(form.DATABASE_URL, "URL", "the file manyhands.db in the data directory", secret=True),
    ] = None
    history_bytes: Annotated[
        int,
        Setting(
            form.integer(0, 2**40),
            "bytes",
            "what each document keeps, compressed, of how it came to be: years of one person's writing; past it the oldest is given up",
        ),
    ] = 16 * 2**20
    history_days: Annotated[
        int,
        Setting(form.integer(1, 36_500), "days", "how old that may become; what was deleted from a document is in it"),
    ] = 365
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
            form.DIRECTORY,
            "directory",
            "the pages in the installed package; in the repository client_web/editor/dist, where `make serve` builds them",
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class Logs:
    """The log on standard error."""

    log_level: Annotated[
        str,
        Setting(form.choice("debug", "info", "warning", "error"), "level", "starts, stops and refusals, not each edit"),
    ] = "info"
    log_format: Annotated[
        str,
        Setting(form.choice("console", "json"), "format", "made for a person's eyes; json is for collectors"),
    ] = "console"


@dataclass(frozen=True, slots=True)
class Shutdown:
    """The server's end."""

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
    people: PeopleSettings = PeopleSettings()
    places: PlaceSettings = PlaceSettings()
    logs: Logs = Logs()
    documents: DocumentLimits = DocumentLimits()
    connections: ConnectionLimits = ConnectionLimits()
    rates: Rates = Rates()
    http: HttpLimits = HttpLimits()
    sandbox: SandboxLimits = SandboxLimits()
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
