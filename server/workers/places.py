"""Which worker should answer a request, by its first line: pure, and never surprised.

1. A session of long-polling lives in one worker. Its `sid` begins with that worker's number.
2. A document's people belong together. Socket.IO's requests name the document in their query.
3. Everything else may be answered by anybody, also what is too long or no HTTP at all: a worker knows what to say to it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from hashlib import blake2b
from urllib.parse import parse_qs

MAX_LINE_BYTES = 8 * 2**10
"""Of a request's first line. Socket.IO's have some hundred."""

_PATH = b"/socket.io/"
_MAX_FIELDS = 64


@dataclass(frozen=True, slots=True)
class Session:
    """Whoever has this number holds the session."""

    worker: int


@dataclass(frozen=True, slots=True)
class Document:
    """Whoever has the people of this document."""

    name: str


@dataclass(frozen=True, slots=True)
class Anywhere:
    """Whoever comes next."""


Place = Session | Document | Anywhere


def session_mark(worker: int) -> str:
    """What the ids of a worker's sessions begin with."""
    return f"{worker}."


def place_named(head: bytes) -> Place | None:
    """Read the first line of a request; None: it has not come completely."""
    line, end, _ = head.lstrip(b"\r\n").partition(b"\n")
    if not end:
        return None if len(head) < MAX_LINE_BYTES else Anywhere()
    words = line.split(b" ")
    path, _, query = (words[1] if len(words) == 3 else b"").partition(b"?")
    if path != _PATH:
        return Anywhere()
    try:
        fields = parse_qs(query.decode("latin-1"), max_num_fields=_MAX_FIELDS)
    except ValueError:
        return Anywhere()
    number = fields.get("sid", [""])[0].partition(".")[0]
    if number.isascii() and number.isdigit() and len(number) < 4:
        return Session(int(number))
    return Document(fields["document"][0]) if "document" in fields else Anywhere()


def best_first(place: Place, workers: Collection[int], turn: int) -> list[int]:
    """Put workers into the order in which they should be asked; `turn` counts up.

    A document's order is as if by lot, the same for ever, so that a worker's end moves no other worker's documents (rendezvous hashing).
    """
    match place:
        case Session(worker) if worker in workers:
            return [worker]
        case Document(name):
            return sorted(workers, key=lambda each: blake2b(f"{each} {name}".encode(), digest_size=8).digest())
        case _:
            start = turn % max(len(workers), 1)
            return [*sorted(workers)[start:], *sorted(workers)[:start]]
