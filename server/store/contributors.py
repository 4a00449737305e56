"""Contributors in SQL: a row holds keys of eight bytes, and each key's contributor is stored once.

A person who is renamed is another contributor from then on. So the log says what was true when it
was written.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import lru_cache

from msgspec.structs import astuple
from sqlalchemy import Connection, select

from crdt.protocol.row import Contributor
from server.store.schema import contributors

KEY_BYTES = 8

Known = dict[Contributor, bytes]
"""Contributors that one node has stored, with their keys.

Storing a contributor once more changes nothing, so a node may forget them.
"""

MOST_KNOWN = 50_000
"""Number of contributors beyond which `Known` is emptied."""


@lru_cache(MOST_KNOWN)
def key_of(contributor: Contributor) -> bytes:
    """Compute the key of a contributor, which is the same on every node."""
    words = json.dumps(astuple(contributor)).encode()
    return hashlib.blake2b(words, digest_size=KEY_BYTES).digest()


def keys_of(contributors: Iterable[Contributor]) -> bytes:
    """Join the contributors' keys, as a row holds them."""
    return b"".join(map(key_of, contributors))


def as_row(contributor: Contributor) -> tuple[bytes, str, str, str, str]:
    """Return a contributor as a row of its table."""
    return key_of(contributor), *astuple(contributor)


def split(keys: bytes) -> list[bytes]:
    """Undo `keys_of`, as far as the keys."""
    return [keys[at : at + KEY_BYTES] for at in range(0, len(keys), KEY_BYTES)]


def read_contributors(connection: Connection, keys: Iterable[bytes]) -> Mapping[bytes, Contributor]:
    """Look up contributors by their keys. Unknown keys are left out."""
    of, wanted = contributors.c, sorted(set(keys))
    query = select(of.key, of.user_id, of.name, of.kind, of.on_behalf_of)
    found: dict[bytes, Contributor] = {}
    for at in range(0, len(wanted), 1000):
        for key, *words in connection.execute(query.where(of.key.in_(wanted[at : at + 1000]))):
            found[bytes(key)] = Contributor(*words)
    return found
