"""Where a document is, and how it is opened."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

Token = str | Callable[[], str | Awaitable[str]]
"""A token, or what returns a fresh one: called before each connection, and before a token ends."""


@dataclass(frozen=True, slots=True)
class Address:
    """A document's server, its id, and the secret of the link by which the program comes."""

    server: str
    document_id: str
    link: str | None

    @classmethod
    def of(cls, url: str, document_id: str | None, link: str | None = None) -> Self:
        """Read a server's address with a document's id, or the address of a document's page.

        Raises ValueError.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError(f"This is no address of a server: {url}")
        prefix, found, from_path = parts.path.partition("/d/")
        document_id = document_id or from_path.strip("/")
        if not document_id:
            raise ValueError("Name the document, by its id or by the address of its page.")
        server = f"{parts.scheme}://{parts.netloc}{(prefix if found else parts.path).rstrip('/')}"
        [secret] = parse_qs(parts.fragment).get("link", [None])
        return cls(server, document_id, link or secret)


@dataclass(frozen=True, slots=True)
class Options:
    """Who opens a document, and how: the arguments of `connect`, which has their defaults."""

    token: Token | None
    cookie: str | None
    name: str | None
    color: str | None
    outbox: Path | None
    format: Mapping[str, Any]
    timeout: float
    """Seconds for opening the document, and for saving the rest at the end."""
