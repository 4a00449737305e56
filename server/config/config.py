"""The declarations of all settings: form, unit, default, and the reason for the default.

`server/SETTINGS.md` is made from these declarations. `server/config/loading.py` reads the values
once, at start. Components get values, never the Config.
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
        Setting(form.HOST, "address", "this machine only: opening it to other machines is your decision"),
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
            "the server's own address is always allowed; name the public address if a proxy is in front",
        ),
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...],
        Setting(
            form.NETWORKS,
            "list",
            "X-Forwarded-For and X-Forwarded-Proto are ignored, whoever sends them",
        ),
    ] = ()
    insecure_public: Annotated[
        bool,
        Setting(
            form.FLAG,
            "switch",
            "with guests, everybody who reaches the server may create documents: open it only on purpose",
        ),
    ] = False


@dataclass(frozen=True, slots=True)
class PlaceSettings:
    """Places of data and of other services."""

    data_dir: Annotated[
        Path,
        Setting(form.DIRECTORY, "directory", "in the directory of the start; created if it is missing"),
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
            "history of one document, compressed: years of one person's writing; above it the oldest history is dropped",
        ),
    ] = 16 * 2**20
    history_days: Annotated[
        int,
        Setting(
            form.integer(1, 36_500),
            "days",
            "age of the oldest history, which holds text that was deleted from a document",
        ),
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
            "the machine's name and the port, which differ between nodes of one database and stay after a restart",
        ),
    ] = None
    poll_seconds: Annotated[
        float,
        Setting(
            form.number(0.1, 3600),
            "seconds",
            "between two looks for rows of other nodes that Redis has not announced; only with PostgreSQL or Redis",
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
        Setting(form.choice("console", "json"), "format", "readable for people; json is for log collectors"),
    ] = "console"


@dataclass(frozen=True, slots=True)
class Shutdown:
    """The server's shutdown."""

    shutdown_seconds: Annotated[
        float,
        Setting(
            form.number(0.1, 3600), "seconds", "to write waiting edits: less than the ten that container runtimes give"
        ),
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
        """The setting's environment variable."""
        return PREFIX + self.name.upper()

    @property
    def option(self) -> str:
        """The setting's option on the command line."""
        return "--" + self.name.replace("_", "-")


def parts() -> Iterator[tuple[str, type]]:
    """Yield the name and the class of each part of Config."""
    yield from get_type_hints(Config).items()


def declared(part: type) -> Iterator[Declared]:
    """Yield one part's settings, in order."""
    hints = get_type_hints(part, include_extras=True)
    for each in fields(part):
        _, setting = get_args(hints[each.name])
        yield Declared(each.name, setting, each.default)


def all_declared() -> list[Declared]:
    """Return all settings, in order."""
    return [each for _, part in parts() for each in declared(part)]
