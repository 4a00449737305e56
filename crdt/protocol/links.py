"""Links: which characters live on where, as a row of the log keeps them and as clients are told."""

from collections.abc import Iterable

from msgspec import MsgspecError, Struct, json
from msgspec.msgpack import Decoder, Encoder

Heir = tuple[int, int, int, int, int, int]
"""(client id, clock, length, heir's client id, heir's clock, 1 for a copy of a whole block or 0)"""

Source = tuple[int, int, int, int, int]
"""(client id, clock, length, client id and clock of what these characters are a copy of)"""


class Links(Struct, frozen=True, array_like=True):
    """The heirs and sources that one row has brought.

    Attributes:
        joins: ids (client id, clock) of characters behind which a line was joined to theirs.
    """

    heirs: tuple[Heir, ...] = ()
    sources: tuple[Source, ...] = ()
    joins: tuple[tuple[int, int], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.heirs or self.sources or self.joins)


_write = Encoder().encode
_as_json = json.Encoder().encode
_read = Decoder(Links).decode


def encode_links(links: Iterable[Links]) -> bytes:
    """Encode the links of a row's updates; empty for none."""
    each = [link for link in links if link]
    if not each:
        return b""
    heirs = tuple([heir for link in each for heir in link.heirs])
    sources = tuple([source for link in each for source in link.sources])
    return _write(Links(heirs, sources, tuple([join for link in each for join in link.joins])))


def heirs_as_json(data: bytes) -> str:
    """Return the heirs that a row keeps as clients are told: a list of lists of five numbers."""
    return _as_json([heir[:5] for heir in decode_links(data).heirs]).decode()


def decode_links(data: bytes) -> Links:
    """Decode what a row keeps. Damaged bytes say nothing, because no words depend on them alone."""
    try:
        return _read(data) if data else Links()
    except MsgspecError:
        return Links()
