"""Settings that are limits: of documents, connections, rates, requests and the sandbox.

tests/server/test_limits.py has a test for each. tests/server/test_limits_fit.py checks them against
one another.
"""

from dataclasses import dataclass, fields

from crdt.budget import Rate
from crdt.protocol.messages import Limits
from server.config import forms as form
from server.config.forms import setting

KiB, MiB, GiB = 2**10, 2**20, 2**30
_ROOM = Limits()


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Limits of one document."""

    max_update_bytes: int = setting(
        _ROOM.update_bytes, form.integer(64 * KiB, GiB), "bytes", "one change: a pasted book fits"
    )
    max_part_bytes: int = setting(
        _ROOM.part_bytes,
        form.integer(16 * KiB, 16 * MiB),
        "bytes",
        "one message with content; larger ones are sent in parts, so that others' keystrokes pass between them",
    )
    max_document_bytes: int = setting(
        _ROOM.document_bytes, form.integer(MiB, 4 * GiB), "bytes", "a browser still opens it; images are kept elsewhere"
    )
    max_waiting_bytes: int = setting(
        _ROOM.waiting_bytes,
        form.integer(MiB, GiB),
        "bytes",
        "one document's edits in memory while the store does not answer; later ones stay with their clients",
    )
    max_backlog_bytes: int = setting(
        _ROOM.backlog_bytes,
        form.integer(64 * KiB, 256 * MiB),
        "bytes",
        "unsent data of one slow connection; above it, the connection gets one summary when it has caught up",
    )
    max_members: int = setting(
        _ROOM.members,
        form.integer(1, 100_000),
        "sessions",
        "pages that have one document open at once; a quarter is kept for people who may edit",
    )

    @property
    def limits(self) -> Limits:
        """The protocol's limits, with the values of these settings."""
        return Limits(**{each.name.removeprefix("max_"): getattr(self, each.name) for each in fields(self)})


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of connections, and of the memory that people take."""

    max_connections: int = setting(
        5000, form.integer(1, 1_000_000), "connections", "a large organisation with several tabs each"
    )
    max_connections_per_address: int = setting(
        1000,
        form.integer(1, 1_000_000),
        "connections",
        "an office behind one address works; one visitor cannot take all",
    )
    max_connections_per_user: int = setting(
        100, form.integer(1, 1_000_000), "connections", "one person's tabs, devices and programs, on one node"
    )
    max_handshakes_per_address: int = setting(
        200,
        form.integer(1, 1_000_000),
        "connections",
        "without a greeting yet; after a restart a whole office comes back at once",
    )
    max_documents_per_connection: int = setting(
        64, form.integer(1, 10_000), "documents", "a page holds one; a program that watches a folder holds dozens"
    )
    max_held_bytes: int = setting(
        512 * MiB,
        form.integer(2 * MiB, 2**40),
        "bytes",
        "memory that all people together make the server hold: unfinished uploads, missing updates, requests' bodies",
    )
    max_held_bytes_per_user: int = setting(
        32 * MiB,
        form.integer(MiB, 2**40),
        "bytes",
        "the same for one person (guests without a cookie: one address): two of the largest changes at once",
    )
    max_open_bytes_per_user: int = setting(
        64 * MiB,
        form.integer(MiB, 2**40),
        "bytes",
        "memory of the documents that one person has open (guests without a cookie: one address): "
        "two to four times their size; a single document may be larger",
    )
    connect_seconds: float = setting(
        10.0, form.number(0.1, 300), "seconds", "from a connection's opening to its greeting; bad links need half of it"
    )


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates; no page comes near them."""

    join_rate: Rate = setting(
        Rate(10, 200),
        form.RATE,
        "joins of one connection",
        "a program that watches a folder joins all of it at its start",
    )
    update_rate: Rate = setting(
        Rate(500, 5000),
        form.RATE,
        "changes of one connection",
        "a page sends one for a few keystrokes, a program one per line",
    )
    byte_rate: Rate = setting(
        Rate(8 * MiB, 64 * MiB), form.RATE, "bytes of one connection's changes", "four of the largest changes at once"
    )
    presence_rate: Rate = setting(
        Rate(100, 300), form.RATE, "cursors of one connection", "a mouse that selects text moves sixty times a second"
    )
    request_rate: Rate = setting(
        Rate(100, 1000), form.RATE, "REST requests of one address", "an office behind one address works"
    )
    creation_rate: Rate = setting(
        Rate(10, 100),
        form.RATE,
        "new documents of one address",
        "a script that imports a folder makes all of it at once",
    )


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Limits of the REST API."""

    max_attachment_bytes: int = setting(10 * MiB, form.integer(KiB, 256 * MiB), "bytes", "a phone's photograph")
    max_document_attachments_bytes: int = setting(
        256 * MiB, form.integer(MiB, 2**40), "bytes", "a document's pictures together: twenty-five of the largest"
    )
    max_documents_per_user: int = setting(
        10_000, form.integer(1, 10_000_000), "documents", "a life's work; a guest without a cookie owns none"
    )
    max_people_per_document: int = setting(
        1000,
        form.integer(1, 100_000),
        "people",
        "with a role of their own, the owner included: a large department; more people come by the link",
    )
    ready_seconds: float = setting(
        2.0,
        form.number(0.1, 60),
        "seconds",
        "for which /ready waits for the store: less than balancers wait for /ready",
    )


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """Limits of the sandbox; its worker processes read content that may be bad."""

    sandbox_memory_bytes: int = setting(
        GiB, form.integer(128 * MiB, 64 * GiB), "bytes", "the largest document several times over"
    )
    sandbox_seconds: float = setting(
        30.0, form.number(0.1, 3600), "seconds", "one job's processor time; content that takes longer counts as bad"
    )
    sandbox_workers: int = setting(1, form.integer(1, 64), "processes", "leaves the other cores to the server")
