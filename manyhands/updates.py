"""Yjs updates (v1) as bytes: the words under each client id, and the same under other ids.

Pure. Only so much is read as that takes: an update is copied, but for the client ids in it. What is
no update, or holds content that this module does not know, raises WireError.
"""

from collections.abc import Mapping
from typing import NamedTuple

from manyhands.wire import WireError

_GC, _DELETED, _JSON, _BINARY, _STRING, _EMBED, _FORMAT, _TYPE, _ANY, _DOC, _SKIP = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
_NAMED_TYPES, _LAST_TYPE = (3, 5), 6
"""Kinds of shared types: XML elements and hooks have a name, and XML texts are the last kind."""
_FROM_LEFT, _FROM_RIGHT, _IN_MAP = 0x80, 0x40, 0x20
_LONGEST = 8
"""Bytes of the longest number."""
_DEEPEST = 100

Names = Mapping[int, int]
"""Other client ids for some."""

Place = tuple[int, int]


class Span(NamedTuple):
    """Content under one client id from a clock on.

    `behind`: what it was written behind; empty for a beginning, None where nobody knows any more.
    `units`: UTF-16, None for what is deleted or is no text.
    """

    clock: int
    length: int
    behind: Place | tuple[()] | None
    units: bytes | None


def renamed(update: bytes, names: Names) -> bytes:
    """Return an update in which client ids have other names. Raises WireError."""
    return _Reader(update, names).copy() if names else update


def spans_of(update: bytes) -> dict[int, list[Span]]:
    """Return what an update inserts, by client id, in the order of clocks. Raises WireError."""
    reader = _Reader(update, {})
    reader.copy()
    return reader.spans


def contradict(client: int, ours: list[Span], theirs: list[Span]) -> bool:
    """Whether two lists hold different words. What is deleted, or is no text, may be the same."""
    mine, other = 0, 0
    while mine < len(ours) and other < len(theirs):
        one, two = ours[mine], theirs[other]
        if _differ(client, one, two):
            return True
        if one.clock + one.length <= two.clock + two.length:
            mine += 1
        else:
            other += 1
    return False


def _differ(client: int, one: Span, two: Span) -> bool:
    start, end = max(one.clock, two.clock), min(one.clock + one.length, two.clock + two.length)
    if start >= end:
        return False
    behinds = [span.behind if start == span.clock else (client, start - 1) for span in (one, two)]
    if None not in (one.behind, two.behind) and behinds[0] != behinds[1]:
        return True
    texts = [_cut(span, start, end) for span in (one, two)]
    return None not in texts and texts[0] != texts[1]


def _cut(span: Span, start: int, end: int) -> bytes | None:
    return None if span.units is None else span.units[2 * (start - span.clock) : 2 * (end - span.clock)]


def decode_vector(vector: bytes) -> dict[int, int]:
    """Read a state vector. Raises WireError."""
    reader = _Reader(vector, {})
    return {reader.number(): reader.number() for _ in range(reader.number())}


def encode_vector(clocks: Mapping[int, int]) -> bytes:
    return b"".join(map(_number, (len(clocks), *(each for pair in clocks.items() for each in pair))))


def _number(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))


class _Reader:
    """Reads an update once, from its beginning to its end, and copies it."""

    def __init__(self, data: bytes, names: Names) -> None:
        self._data = data
        self._names = names
        self._at = 0
        self._copied = bytearray()
        self._since = 0
        """Where the part begins that is not copied yet."""
        self.spans: dict[int, list[Span]] = {}

    def copy(self) -> bytes:
        for _ in range(self.number()):
            structs, client, clock = self.number(), self._client(), self.number()
            spans = self.spans.setdefault(client, [])
            for _ in range(structs):
                clock = self._struct(clock, spans)
        for _ in range(self.number()):
            self._client()
            for _ in range(2 * self.number()):
                self.number()
        if self._at != len(self._data):
            raise WireError("An update has another length than it says.")
        return bytes(self._copied) + self._data[self._since :]

    # Structs.

    def _struct(self, clock: int, spans: list[Span]) -> int:
        """Read a struct, and return the clock behind it."""
        info = self._byte()
        kind = info & 0x1F
        behind: Place | tuple[()] | None = None
        units, length = None, 1
        if kind not in (_GC, _SKIP):
            behind = self._origins(info)
        match kind:
            case _ if kind in (_GC, _SKIP, _DELETED):
                length = self.number()
            case _ if kind == _STRING:
                units = self._text().encode("utf-16-le", "surrogatepass")
                length = len(units) // 2
            case _ if kind in (_JSON, _ANY):
                length = self.number()
                for _ in range(length):
                    self._sized() if kind == _JSON else self._any()
            case _:
                self._content(kind)
        if kind != _SKIP:
            spans.append(Span(clock, length, behind, units))
        return clock + length

    def _origins(self, info: int) -> Place | tuple[()]:
        left = self._id() if info & _FROM_LEFT else ()
        right = self._id() if info & _FROM_RIGHT else ()
        if not left and not right:
            if self.number() == 1:
                self._sized()
            else:
                self._id()
            if info & _IN_MAP:
                self._sized()
        return left

    def _content(self, kind: int) -> None:
        """Read content that takes one clock."""
        match kind:
            case _ if kind in (_BINARY, _EMBED):
                self._sized()
            case _ if kind == _FORMAT:
                self._sized()
                self._sized()
            case _ if kind == _TYPE:
                self._type()
            case _ if kind == _DOC:
                self._sized()
                self._any()
            case _:
                raise WireError(f"An update holds content of the kind {kind}, which is not known here.")

    def _type(self) -> None:
        kind = self.number()
        if kind > _LAST_TYPE:
            raise WireError(f"An update holds a shared type of the kind {kind}, which is not known here.")
        if kind in _NAMED_TYPES:
            self._sized()

    def _any(self, depth: int = 0) -> None:
        kind = self._byte()
        if depth > _DEEPEST:
            raise WireError("An update holds a value that is nested too deeply.")
        match kind:
            case 127 | 126 | 121 | 120:  # undefined, null, and the truth values
                pass
            case 125:
                while self._byte() & 0x80:
                    pass
            case 124:
                self._skip(4)
            case 123 | 122:
                self._skip(8)
            case 119 | 116:
                self._sized()
            case 118:
                for _ in range(self.number()):
                    self._sized()
                    self._any(depth + 1)
            case 117:
                for _ in range(self.number()):
                    self._any(depth + 1)
            case _:
                raise WireError(f"An update holds a value of the kind {kind}, which is not known here.")

    # Bytes.

    def _client(self) -> int:
        start = self._at
        client = self.number()
        if client in self._names:
            self._copied += self._data[self._since : start] + _number(self._names[client])
            self._since = self._at
        return client

    def _id(self) -> Place:
        return self._client(), self.number()

    def number(self) -> int:
        value = 0
        for shift in range(_LONGEST):
            byte = self._byte()
            value |= (byte & 0x7F) << (7 * shift)
            if byte <= 0x7F:
                return value
        raise WireError("A number in an update is too large.")

    def _byte(self) -> int:
        self._skip(1)
        return self._data[self._at - 1]

    def _text(self) -> str:
        try:
            return self._sized().decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise WireError("A text in an update is not UTF-8.") from None

    def _sized(self) -> bytes:
        length = self.number()
        self._skip(length)
        return self._data[self._at - length : self._at]

    def _skip(self, length: int) -> None:
        self._at += length
        if self._at > len(self._data):
            raise WireError("An update ends too early.")
