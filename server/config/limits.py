"""The limits among the settings: how much documents, connections and requests may take, and the sandbox that looks at what is doubtful.

tests/server/test_limits.py tells the story of each; tests/server/test_limits_fit.py holds them
against one another.
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
    """Limits of one document; `limits` is the form in which rooms and clients know it."""

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
        """The same values under the protocol's names; what is no setting has the protocol's own value."""
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
            form.integer(1, 1_000_000), "connections", "not greeted yet; after a restart a whole office is back at once"
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
            "what people make the server keep (unfinished uploads, missing updates to be fetched, bodies of requests), together",
        ),
    ] = 512 * MiB
    max_held_bytes_per_user: Annotated[
        int,
        Setting(
            form.integer(MiB, 2**40),
            "bytes",
            "the same of one person (guests without a cookie: one address): two of the largest changes at once",
        ),
    ] = 32 * MiB
    max_open_bytes_per_user: Annotated[
        int,
        Setting(
            form.integer(MiB, 2**40),
            "bytes",
            "documents that one person has open (guests without a cookie: one address), as they are in memory: "
            "two to four times their size; a single one may be larger",
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
    """Rates: how much may be asked in a short time; no page comes near any of it."""

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
    """Limits of the worker process that meets content which may be bad."""

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
