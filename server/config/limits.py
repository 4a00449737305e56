"""Settings that are limits: of documents, connections, rates, requests and the sandbox.

tests/server/test_limits.py has a test for each. tests/server/test_limits_fit.py checks them against
one another.
"""

from dataclasses import dataclass, fields
from typing import Annotated

from crdt.protocol.messages import Limits
from crdt.token_bucket import Rate
from server.config import forms as form
from server.config.forms import Setting

KiB, MiB, GiB = 2**10, 2**20, 2**30
_ROOM = Limits()


@dataclass(frozen=True, slots=True)
class DocumentLimits:
    """Limits of one document."""

    max_update_bytes: Annotated[
        int,
        Setting(form.integer(64 * KiB, GiB), "bytes", "one change: a pasted book fits"),
    ] = _ROOM.update_bytes
    max_part_bytes: Annotated[
        int,
        Setting(
            form.integer(16 * KiB, 16 * MiB),
            "bytes",
            "one message with content; larger ones are sent in parts, so that others' keystrokes pass between them",
        ),
    ] = _ROOM.part_bytes
    max_document_bytes: Annotated[
        int,
        Setting(form.integer(MiB, 4 * GiB), "bytes", "a browser still opens it; images are kept elsewhere"),
    ] = _ROOM.document_bytes
    max_waiting_bytes: Annotated[
        int,
        Setting(
            form.integer(MiB, GiB),
            "bytes",
            "one document's edits in memory while the store does not answer; later ones stay with their clients",
        ),
    ] = _ROOM.waiting_bytes
    max_backlog_bytes: Annotated[
        int,
        Setting(
            form.integer(64 * KiB, 256 * MiB),
            "bytes",
            "unsent data of one slow connection; above it, the connection gets one summary when it has caught up",
        ),
    ] = _ROOM.backlog_bytes
    max_members: Annotated[
        int,
        Setting(form.integer(1, 100_000), "sessions", "pages that have one document open at once"),
    ] = _ROOM.members

    @property
    def limits(self) -> Limits:
        """The protocol's limits, with the values of these settings."""
        return Limits(**{each.name.removeprefix("max_"): getattr(self, each.name) for each in fields(self)})


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of connections, and of the memory that people take."""

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
            form.integer(1, 1_000_000),
            "connections",
            "without a greeting yet; after a restart a whole office comes back at once",
        ),
    ] = 200
    max_documents_per_connection: Annotated[
        int,
        Setting(form.integer(1, 10_000), "documents", "a page holds one; a program that watches a folder holds dozens"),
    ] = 64
    max_held_bytes: Annotated[
        int,
        Setting(
            form.integer(2 * MiB, 2**40),
            "bytes",
            "memory that all people together make the server hold: unfinished uploads, missing updates, requests' bodies",
        ),
    ] = 512 * MiB
    max_held_bytes_per_user: Annotated[
        int,
        Setting(
            form.integer(MiB, 2**40),
            "bytes",
            "the same for one person (guests without a cookie: one address): two of the largest changes at once",
        ),
    ] = 32 * MiB
    max_open_bytes_per_user: Annotated[
        int,
        Setting(
            form.integer(MiB, 2**40),
            "bytes",
            "memory of the documents that one person has open (guests without a cookie: one address): "
            "two to four times their size; a single document may be larger",
        ),
    ] = 64 * MiB
    connect_seconds: Annotated[
        float,
        Setting(
            form.number(0.1, 300), "seconds", "from a connection's opening to its greeting; bad links need half of it"
        ),
    ] = 10.0


@dataclass(frozen=True, slots=True)
class Rates:
    """Rates; no page comes near them."""

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
    """Limits of the REST API."""

    max_attachment_bytes: Annotated[
        int,
        Setting(form.integer(KiB, 256 * MiB), "bytes", "a phone's photograph"),
    ] = 10 * MiB
    max_document_attachments_bytes: Annotated[
        int,
        Setting(form.integer(MiB, 2**40), "bytes", "a document's pictures together: twenty-five of the largest"),
    ] = 256 * MiB
    max_documents_per_user: Annotated[
        int,
        Setting(form.integer(1, 10_000_000), "documents", "a life's work; a guest without a cookie owns none"),
    ] = 10_000
    max_people_per_document: Annotated[
        int,
        Setting(
            form.integer(1, 100_000),
            "people",
            "with a role of their own, the owner included: a large department; more people come by the link",
        ),
    ] = 1000
    ready_seconds: Annotated[
        float,
        Setting(
            form.number(0.1, 60), "seconds", "for which /ready waits for the store: less than balancers wait for /ready"
        ),
    ] = 2.0


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    """Limits of the sandbox; its worker processes read content that may be bad."""

    sandbox_memory_bytes: Annotated[
        int,
        Setting(form.integer(128 * MiB, 64 * GiB), "bytes", "the largest document several times over"),
    ] = GiB
    sandbox_seconds: Annotated[
        float,
        Setting(form.number(0.1, 3600), "seconds", "one job's processor time; content that takes longer counts as bad"),
    ] = 30.0
    sandbox_workers: Annotated[
        int,
        Setting(form.integer(1, 64), "processes", "leaves the other cores to the server"),
    ] = 1
