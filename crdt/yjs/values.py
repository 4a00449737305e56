"""Values inside of updates, and what becomes of those that the gate, yrs and Yjs read differently.

1. *Plain* values are read alike by all three, and yrs encodes them again with the same meaning.
   pycrdt gets them unchanged.
2. Other honest values are *wrapped* for pycrdt (crdt/yjs/wrapping.py), because yrs would change or
   refuse them. JSON floats are wrapped, because yrs changes the last digit of one in nine. So are
   JSON integers above 2^53 - 1, -0, half surrogates, objects that name a key twice, and BigInt.
3. Values that nobody honest writes are refused, with an error that names them. The key `__proto__`
   changes what the objects that lib0 and Yjs fill inherit from. It can end Yjs' `update` events in
   every browser. A JSON number beyond a double is infinite in one parser and refused by another.
   lib0 reads longer integers than JavaScript has.

A row that an earlier version took may hold what is refused today. Such a row is *mended* when it is
read:

- An entry with the key `__proto__` is left out of its object.
- Any other name `__proto__` gets one more character.
- An integer that is too long becomes the double that lib0 reads.
- The mark's character becomes two U+FFFD.
"""

from collections.abc import Sequence

from crdt.errors import Code, ProtocolError
from crdt.yjs.limits import GateLimits
from crdt.yjs.varint import read_varuint, sized
from crdt.yjs.wrapping import MARK_BYTES

POISON = "__proto__"
"""This key sets what an object inherits from when lib0 or Yjs writes `object[key] = value`."""

_MENDED_NAME = b"\x0c\xef\xbf\xbd" + POISON.encode()

Rewrite = tuple[int, int, bytes]
"""(start, end, new bytes): a replacement for the update's bytes from `start` up to `end`."""


def bad_update(message: str) -> ProtocolError:
    """Return the refusal of bytes that are not a sound update."""
    return ProtocolError(Code.BAD_UPDATE, message)


def unsupported(message: str) -> ProtocolError:
    """Return the refusal of content that cannot be kept unharmed. `message` says what to do."""
    return ProtocolError(Code.UNSUPPORTED_CONTENT, message)


WRAPPED_VALUES = 16
"""Nested values that one wrapped value counts as.

So 15,000 wrapped values fit into one update. They are unwrapped in 0.04 s.
"""


class Reading:
    """State of the reading of one update: the nested values that are left, the bytes to replace.

    Attributes:
        any_depth: how deeply the update's values may be nested.
        any_values: how many nested values the update may still bring.
        durable: whether the update is already in the log. If so, content that is refused today must
            be mended.
        gaps: whether the update may lack structs in between.
        marked: whether the mark's character stands anywhere in the update.
        wraps: replacements for the engine's form alone.
        mends: replacements for both forms. If there are any, the update is mended first and then
            read once more.
        plain: whether the value that is being read has been plain so far.
    """

    __slots__ = ("any_depth", "any_values", "durable", "gaps", "marked", "mends", "plain", "wraps")
    plain: bool

    def __init__(self, limits: GateLimits, update: bytes, durable: bool, *, gaps: bool = False) -> None:
        self.any_depth = limits.any_depth
        self.any_values = limits.any_values
        self.durable = durable
        self.gaps = gaps
        self.marked = MARK_BYTES in update
        # None for nearly every update, because making a list would slow each keystroke down.
        self.wraps: list[Rewrite] | None = None
        self.mends: list[Rewrite] | None = None

    def spend(self, values: int) -> None:
        """Count nested values. Raises ProtocolError(too_large) once there are too many."""
        self.any_values -= values
        if self.any_values < 0:
            raise ProtocolError(Code.TOO_LARGE, "The update holds too many nested values.")

    def wrap(self, start: int, end: int, new: bytes) -> None:
        """Replace the bytes from `start` up to `end` in the engine's form.

        `new` holds a mark if it wraps a value. Without a mark, `new` is the same content in another
        encoding, and does not count as wrapped.
        """
        if MARK_BYTES in new:
            self.spend(WRAPPED_VALUES)
        if self.wraps is None:
            self.wraps = []
        self.wraps.append((start, end, new))

    def mend(self, start: int, end: int, new: bytes) -> None:
        """Replace the bytes from `start` up to `end` in both forms."""
        if self.mends is None:
            self.mends = []
        self.mends.append((start, end, new))

    def drop(self, start: int, end: int) -> None:
        """Leave the bytes from `start` up to `end` out of both forms."""
        # Rewrites must not overlap: the mends inside of what is left out go.
        while self.mends and self.mends[-1][0] >= start:
            self.mends.pop()
        self.mend(start, end, b"")

    def check_text(self, data: bytes, start: int, end: int) -> None:
        """Refuse or mend a text that holds the mark's character.

        The text's length stands at `start`. Call this only for an update that is `marked`.
        """
        if data.find(MARK_BYTES, start, end) < 0:
            return
        if not self.durable:
            raise unsupported("A text holds U+7FFFE, which is not a character. Take it out.")
        # Two U+FFFD, so that the text keeps its length in UTF-16 units.
        raw = read_bytes(data, start)[0].replace(MARK_BYTES, b"\xef\xbf\xbd" * 2)
        self.mend(start, end, sized(raw))

    def read_name(self, data: bytes, at: int) -> tuple[str, int]:
        """Read the name of a root, a map's entry, an attribute or a format.

        Returns the name as it stands in `data`, even if it is to be mended, and the offset behind.
        """
        name, end = read_text(data, at)
        if self.marked:
            self.check_text(data, at, end)
        if name == POISON:
            if not self.durable:
                raise poisoned()
            self.mend(at, end, _MENDED_NAME)
        return name, end


def rewritten(update: bytes, rewrites: Sequence[Rewrite]) -> bytes:
    """Carry the replacements out. They must not overlap."""
    pieces: list[bytes] = []
    done = 0
    for start, end, new in sorted(rewrites):
        pieces += update[done:start], new
        done = end
    pieces.append(update[done:])
    return b"".join(pieces)


def read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """Read a length and as many bytes; return the bytes and the offset behind."""
    length, at = read_varuint(data, at)
    stop = at + length
    if stop > len(data):
        raise bad_update("The update ends inside a text.")
    return data[at:stop], stop


def read_text(data: bytes, at: int) -> tuple[str, int]:
    """Read a length and as many bytes of UTF-8; return the text and the offset behind.

    Raises UnicodeDecodeError if the bytes are not UTF-8.
    """
    raw, at = read_bytes(data, at)
    return raw.decode(), at


def read_count(data: bytes, at: int, least: int) -> tuple[int, int]:
    """Read a count of things that take `least` bytes or more each.

    Raises ProtocolError(bad_update) if the data that is left is too short for the count.
    """
    count, at = read_varuint(data, at)
    if count * least > len(data) - at:
        raise bad_update("The update announces more than it has bytes for.")
    return count, at


def poisoned() -> ProtocolError:
    """Return the refusal of the name `__proto__`."""
    return unsupported("Something is named __proto__, which browsers do not read as a name. Choose another name.")
