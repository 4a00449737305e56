"""Values inside updates, and which of them gate, yrs and Yjs read alike.

1. *Plain* values are read alike, and yrs writes them again with the same meaning: they go to pycrdt
   as they are.
2. Other honest values are *wrapped* for pycrdt (crdt/yjs/wrapping.py), because yrs would change or
   refuse them: JSON floats (one in nine comes out with another last digit) and integers above 2^53
   - 1, -0, half surrogates, an object that names a key twice, BigInt.
3. What nobody honest writes is refused by name. The name `__proto__` makes the objects that lib0
   and Yjs fill something else, up to ending Yjs' `update` events in every browser; a JSON number
   beyond a double is infinite in one parser and refused by another; lib0 reads longer integers than
   JavaScript has.

Whatever is refused today may stand in a row that a former version took. Such a row is *mended* when
it is read: an entry with the key `__proto__` is left out of its object, another such name gets a
character more, the integer becomes the double that lib0 reads, the mark's character becomes two
U+FFFD.
"""

from collections.abc import Sequence

from crdt.errors import Code, ProtocolError
from crdt.yjs.limits import GateLimits
from crdt.yjs.varint import read_varuint, varuint
from crdt.yjs.wrapping import MARK_BYTES

POISON = "__proto__"
"""lib0 and Yjs write into objects with `object[key] = value`: this key sets what the object inherits from."""

_MENDED_NAME = b"\x0c\xef\xbf\xbd" + POISON.encode()

Rewrite = tuple[int, int, bytes]
"""From where to where in the update what stands there is to be replaced."""


def bad_update(message: str) -> ProtocolError:
    """The refusal of bytes that are no update."""
    return ProtocolError(Code.BAD_UPDATE, message)


def unsupported(message: str) -> ProtocolError:
    """The refusal of what cannot be kept unharmed. `message` says what to do."""
    return ProtocolError(Code.UNSUPPORTED_CONTENT, message)


WRAPPED_VALUES = 16
"""Nested values that one wrapped value counts as: 15,000 of them fit into one update, and are unwrapped in 0.04 s."""


class Reading:
    """One update while it is read: how much nested content it may still bring, and what pycrdt is given in place of some of it.

    Attributes:
        durable: whether the update is in the log already, so that what is refused today must be
            mended.
        marked: whether the mark's character stands anywhere in it.
        wraps: what the engine's form has in another way than the clients'.
        mends: what is to be replaced in both. When there are any, the update is mended first and
            read once more.
        plain: whether the value that is being read is plain so far.
    """

    __slots__ = ("any_depth", "any_values", "durable", "marked", "mends", "plain", "wraps")
    plain: bool

    def __init__(self, limits: GateLimits, update: bytes, durable: bool) -> None:
        self.any_depth = limits.any_depth
        self.any_values = limits.any_values
        self.durable = durable
        self.marked = MARK_BYTES in update
        self.wraps: list[Rewrite] | None = None  # nearly always: a list would cost every keystroke its making
        self.mends: list[Rewrite] | None = None

    def spend(self, values: int) -> None:
        """Take `values` nested values off; raises ProtocolError(too_large)."""
        self.any_values -= values
        if self.any_values < 0:
            raise ProtocolError(Code.TOO_LARGE, "The update holds too many nested values.")

    def wrap(self, start: int, end: int, new: bytes) -> None:
        """Note what the engine's form has in place of what stands there; what is not wrapped by that is written anew only."""
        if MARK_BYTES in new:
            self.spend(WRAPPED_VALUES)
        if self.wraps is None:
            self.wraps = []
        self.wraps.append((start, end, new))

    def mend(self, start: int, end: int, new: bytes) -> None:
        """Note what both forms are to have in place of what stands there."""
        if self.mends is None:
            self.mends = []
        self.mends.append((start, end, new))

    def drop(self, start: int, end: int) -> None:
        """Note that what stands there is to be left out, whatever was mended within it just before."""
        while self.mends and self.mends[-1][0] >= start:
            self.mends.pop()
        self.mend(start, end, b"")

    def check_text(self, data: bytes, start: int, end: int) -> None:
        """Refuse or mend a text (its length in front) that holds the mark's character. Ask only when the update is `marked`."""
        if data.find(MARK_BYTES, start, end) < 0:
            return
        if not self.durable:
            raise unsupported("A text holds U+7FFFE, which is not a character. Take it out.")
        raw = read_bytes(data, start)[0].replace(MARK_BYTES, b"\xef\xbf\xbd" * 2)  # as many UTF-16 units
        self.mend(start, end, varuint(len(raw)) + raw)

    def read_name(self, data: bytes, at: int) -> tuple[str, int]:
        """Read the name of a root, a map's entry, an attribute or a format."""
        name, end = read_text(data, at)
        if self.marked:
            self.check_text(data, at, end)
        if name == POISON:
            if not self.durable:
                raise poisoned()
            self.mend(at, end, _MENDED_NAME)
        return name, end


def rewritten(update: bytes, rewrites: Sequence[Rewrite]) -> bytes:
    """Replace what is to be replaced. The rewrites must not overlap."""
    pieces: list[bytes] = []
    done = 0
    for start, end, new in sorted(rewrites):
        pieces += update[done:start], new
        done = end
    pieces.append(update[done:])
    return b"".join(pieces)


def read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """Read a length and as many bytes."""
    length, at = read_varuint(data, at)
    stop = at + length
    if stop > len(data):
        raise bad_update("The update ends inside a text.")
    return data[at:stop], stop


def read_text(data: bytes, at: int) -> tuple[str, int]:
    """Read a length and as many bytes of UTF-8; raises UnicodeDecodeError when they are not."""
    raw, at = read_bytes(data, at)
    return raw.decode(), at


def read_count(data: bytes, at: int, least: int) -> tuple[int, int]:
    """Read how many things of `least` bytes or more follow; refuses more than there are bytes for."""
    count, at = read_varuint(data, at)
    if count * least > len(data) - at:
        raise bad_update("The update announces more than it has bytes for.")
    return count, at


def poisoned() -> ProtocolError:
    """The refusal of the name `__proto__`."""
    return unsupported("Something is named __proto__, which browsers do not read as a name. Name it otherwise.")
