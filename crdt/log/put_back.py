"""Update that repeats the content of one that was set aside, under new client ids.

The stand-in has taken the clocks of the update, so no replica would take the original any more. Its
structs are therefore written anew, under client ids that nobody has used:

1. A struct beside others goes right in front of its tombstone, where the struct would have been.
2. A struct under a map key goes behind its tombstone. A later value of the key is behind the
   tombstone too, and must stay the last. The struct with the higher client id comes last, so the
   new ids are lower than any that a browser takes.
3. A struct in a type of the same update goes into the new type.
4. Deletions are repeated. Deletions of the update's own structs name the new structs.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct

from crdt.log.stand_ins import stood_in_for
from crdt.protocol.row import SetAside
from crdt.yjs.contents import DELETED, GC
from crdt.yjs.items import Id, Item, ItemReader
from crdt.yjs.varint import varuint
from crdt.yjs.writing import Blocks, write_struct, write_update


class _Struct(Struct, frozen=True):
    item: Item
    content: bytes
    keyed: bool


def put_back(raw: bytes, set_aside: SetAside, new_client: Callable[[], int]) -> bytes:
    """Return an update with the content of `raw`, which was set aside as `set_aside` says.

    `new_client` returns a low client id that the document has not seen. Raises InvariantError or
    ProtocolError for bytes that cannot be read.
    """
    reader = ItemReader(raw)
    structs = list(_structs(raw, reader))
    return _Writer(structs, set_aside, new_client).write(list(reader.deleted()))


def _structs(raw: bytes, reader: ItemReader) -> Iterator[_Struct]:
    for item in reader.items():
        keyed = item.kind != GC and bool(raw[reader.head_at] & 0x20)
        yield _Struct(item, raw[reader.content_at : reader.at], keyed)


class _Writer:
    """One update that is being rewritten."""

    def __init__(self, structs: list[_Struct], set_aside: SetAside, new_client: Callable[[], int]) -> None:
        self._structs = structs
        self._tombs = [(client, first, end) for client, first, end, kind in stood_in_for(set_aside) if kind == DELETED]
        self._first: dict[int, int] = {}
        self._end: dict[int, int] = {}
        for struct in structs:
            item = struct.item
            self._first.setdefault(item.client, item.clock)
            self._end[item.client] = item.clock + item.length
        self._new = {client: new_client() for client in self._first}
        self._inner: set[Id] = set()
        """First ids of structs that are inside of types of this update."""

    def write(self, deleted: list[tuple[int, int, int]]) -> bytes:
        """Encode the new update. `deleted` are the deletions of the old one."""
        blocks: Blocks = {}
        for struct in self._structs:
            client = self._new[struct.item.client]
            blocks.setdefault(client, (0, []))[1].append(self._written(struct))
        return write_update(blocks, [self._renamed(*each) for each in deleted])

    def _written(self, struct: _Struct) -> bytes:
        item = struct.item
        if item.kind == GC:
            return bytes((GC,)) + varuint(item.length)
        if self._is_inner(item):
            self._inner.add((item.client, item.clock))
            return write_struct(self._moved(item), struct.content)
        if not self._has_tomb(item):
            return write_struct(self._moved(item), struct.content)
        if struct.keyed:
            behind = item._replace(
                origin=(item.client, item.clock + item.length - 1), right_origin=None, parent=None, key=None
            )
            return write_struct(behind, struct.content, keyed=True)
        before = self._moved(item)._replace(right_origin=(item.client, item.clock), parent=None)
        return write_struct(before, struct.content)

    def _is_own(self, of: Id | str | None) -> bool:
        return isinstance(of, tuple) and self._first.get(of[0], of[1] + 1) <= of[1] < self._end[of[0]]

    def _is_inner(self, item: Item) -> bool:
        """Whether a struct is in a type of this update: by its parent, or by a neighbour's."""
        if self._is_own(item.parent):
            return True
        return any(
            self._is_own(beside) and self._struct_at(beside) in self._inner
            for beside in (item.origin, item.right_origin)
        )

    def _struct_at(self, of: Id | None) -> Id:
        assert of is not None
        return next(
            (item.client, item.clock)
            for item in (struct.item for struct in self._structs)
            if item.client == of[0] and item.clock <= of[1] < item.clock + item.length
        )

    def _has_tomb(self, item: Item) -> bool:
        return any(client == item.client and first <= item.clock < end for client, first, end in self._tombs)

    def _moved(self, item: Item) -> Item:
        """Return the struct with references to the new structs instead of this update's own."""
        parent = self._id(item.parent) if isinstance(item.parent, tuple) else item.parent
        return item._replace(origin=self._id(item.origin), right_origin=self._id(item.right_origin), parent=parent)

    def _id(self, of: Id | None) -> Id | None:
        return (self._new[of[0]], of[1] - self._first[of[0]]) if of is not None and self._is_own(of) else of

    def _renamed(self, client: int, first: int, end: int) -> tuple[int, int, int]:
        if not self._is_own((client, first)):
            return client, first, end
        return self._new[client], first - self._first[client], end - self._first[client]
