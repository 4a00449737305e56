"""The settings: declared with form, unit, default, and the reason for the default.

`server/SETTINGS.md` is made from these declarations. `server/config/loading.py` reads the values
once, at start. Components get values, never the Config.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, get_type_hints

from server.config import forms as form
from server.config.forms import Setting, setting
from server.config.limits import ConnectionLimits, DocumentLimits, HttpLimits, Rates, SandboxLimits
from server.config.people import PeopleSettings

PREFIX = "MANYHANDS_"


@dataclass(frozen=True, slots=True)
class Listen:
    """The server's address and names."""

    host: str = setting(
        "127.0.0.1", form.HOST, "address", "this machine only: opening it to other machines is your decision"
    )
    port: int = setting(8000, form.integer(0, 65535), "port", "free on most machines; 0 takes any free one")
    allowed_origins: tuple[str, ...] = setting(
        (),
        form.ORIGINS,
        "list",
        "the server's own address is always allowed; name the public address if a proxy is in front",
    )
    frame_ancestors: tuple[str, ...] = setting(
        (),
        form.ORIGINS,
        "list",
        "nobody may show the pages in a frame, and lay a page of their own over them: name the sites that you trust",
    )
    trusted_proxies: tuple[str, ...] = setting(
        (), form.NETWORKS, "list", "X-Forwarded-For and X-Forwarded-Proto are ignored, whoever sends them"
    )
    insecure_public: bool = setting(
        False,
        form.FLAG,
        "switch",
        "with guests, everybody who reaches the server may create documents: open it only on purpose",
    )


@dataclass(frozen=True, slots=True)
class PlaceSettings:
    """Places of data and of other services."""

    data_dir: Path = setting(
        Path("data"), form.DIRECTORY, "directory", "in the directory of the start; created if it is missing"
    )
    database_url: str | None = setting(
        None, form.DATABASE_URL, "URL", "the file manyhands.db in the data directory", secret=True
    )
    history_bytes: int = setting(
        16 * 2**20,
        form.integer(0, 2**40),
        "bytes",
        "history of one document, compressed: years of one person's writing; above it the oldest history is dropped",
    )
    history_days: int = setting(
        365,
        form.integer(1, 36_500),
        "days",
        "age of the oldest history, which holds text that was deleted from a document",
    )
    redis_url: str | None = setting(None, form.REDIS_URL, "URL", "one server process needs no Redis", secret=True)
    node_id: str | None = setting(
        None,
        form.NODE_ID,
        "name",
        "the machine's name and the port, which differ between nodes of one database and stay after a restart",
    )
    poll_seconds: float = setting(
        3.0,
        form.number(0.1, 3600),
        "seconds",
        "between two looks for rows of other nodes that Redis has not announced; only with PostgreSQL or Redis",
    )
    pages_dir: Path | None = setting(
        None,
        form.DIRECTORY,
        "directory",
        "the pages in the installed package; in the repository client_web/editor/dist, where `make serve` builds them",
    )


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Mail to people about what stays unread in their inboxes."""

    smtp_url: str | None = setting(
        None,
        form.SMTP_URL,
        "URL",
        "no mail is sent; smtps speaks TLS from the start, and smtp begins TLS before it says a password",
        secret=True,
    )
    mail_from: str | None = setting(None, form.MAIL_FROM, "address", "the sender of that mail")


@dataclass(frozen=True, slots=True)
class Logs:
    """The log on standard error."""

    log_level: str = setting(
        "info", form.choice("debug", "info", "warning", "error"), "level", "starts, stops and refusals, not each edit"
    )
    log_format: str = setting(
        "console", form.choice("console", "json"), "format", "readable for people; json is for log collectors"
    )


@dataclass(frozen=True, slots=True)
class Shutdown:
    """The server's shutdown."""

    shutdown_seconds: float = setting(
        8.0, form.number(0.1, 3600), "seconds", "to write waiting edits: less than the ten that container runtimes give"
    )
    drain_spread_ms: int = setting(
        500, form.integer(0, 600_000), "milliseconds", "clients come back spread over this time, not all at once"
    )


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of one server."""

    listen: Listen = Listen()
    people: PeopleSettings = PeopleSettings()
    places: PlaceSettings = PlaceSettings()
    mail: MailSettings = MailSettings()
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
    for each in fields(part):
        yield Declared(each.name, each.metadata["setting"], each.default)


def all_declared() -> list[Declared]:
    """Return all settings, in order."""
    return [each for _, part in parts() for each in declared(part)]
