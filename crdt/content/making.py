"""Making of edits: what programs ask for (crdt/content/edits.py), as one Yjs update.

All edits of one request are made one after the other, in one transaction. Only the sandbox may do
so, because hostile content can make reading endless.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct, field
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from crdt.content.blocks import Blocks, id_of, name_of
from crdt.content.building import insert_blocks, length_of
from crdt.content.edits import (
    AnchorComment,
    Append,
    DeleteBlocks,
    Edit,
    Insert,
    Made,
    Order,
    ReplaceBlocks,
    ReplaceText,
    Source,
)
from crdt.content.proposing import Proposer
from crdt.content.reading import read
from crdt.content.schema import SCHEMA
from crdt.errors import Code, ProtocolError
from crdt.yjs.contents import TYPE
from crdt.yjs.items import Id, ItemReader
from crdt.yjs.wrapping import unwrap


def made(doc: "Doc[Any]", order: Order) -> Made:
    """Make the edits in a document, whose client id is the order's.

    Raises ProtocolError: malformed for an edit that has no meaning, other_format, too_large.
    """
    blocks = Blocks(doc)
    blocks.check_rich_text()
    conflicts = _conflicts(blocks, order)
    if conflicts:
        return Made(conflicts=[_now(blocks, block_id) for block_id in conflicts])
    return recorded(doc, blocks, lambda: _Maker(doc, blocks, order).make(order.edits))


def _conflicts(blocks: Blocks, order: Order) -> list[str]:
    """Return the ids of blocks that stand in the way, each once."""
    touched = None if order.since is None else blocks.touched(order.since)
    found: dict[str, None] = {}
    for edit in order.edits:
        for name, must_be_same in _named(edit):
            block_id = id_of(name)
            is_there = block_id is not None and blocks.find(block_id) is not None
            if not is_there or (must_be_same and (touched is None or block_id in touched)):
                found[name] = None
    return list(found)


def _named(edit: Edit) -> Iterator[tuple[str, bool]]:
    """Yield the blocks that an edit names, and whether each must be unchanged."""
    match edit:
        case Insert(before=before, after=after):
            yield before if before is not None else after or "", False
        case ReplaceText(block=name) | AnchorComment(block=name):
            yield name, True
        case ReplaceBlocks(blocks=names) | DeleteBlocks(blocks=names):
            yield from ((name, True) for name in names)
        case _:
            pass


def _now(blocks: Blocks, name: str) -> tuple[str, bytes]:
    block_id = id_of(name)
    block = None if block_id is None else blocks.find(block_id)
    return name[:40], msgspec.json.encode(None if block is None else block.node.to_json())


def recorded(doc: "Doc[Any]", blocks: Blocks, act: Callable[[], Iterable[str]]) -> Made:
    """Do something in one transaction, and return what it has made. `act` returns what was lost."""
    updates: list[bytes] = []
    watching = doc.observe(lambda event: updates.append(event.update))
    with doc.transaction():
        lost = act()
    doc.unobserve(watching)
    update = unwrap(updates[0]) if updates else b""
    made = Made(update, lost=list(dict.fromkeys(lost)))
    if update:
        made.clocks, made.blocks = _new_blocks(update, blocks)
    return made


def _new_blocks(update: bytes, blocks: Blocks) -> tuple[tuple[int, int], list[str]]:
    """Return the clocks that an update adds, and the ids of its blocks."""
    tops: dict[Id, None] = {}
    first = end = 0
    reader = ItemReader(update)
    for item in reader.items():
        first, end = (first if end else item.clock), item.clock + item.length
        beside = [other for other in (item.origin, item.right_origin) if other is not None]
        is_top = item.parent == SCHEMA.fragment or any(other in tops or blocks.holds(other) for other in beside)
        if is_top and item.kind == TYPE:
            tops[item.client, item.clock] = None
    gone = set(reader.deleted())
    living = [top for top in tops if not any(client == top[0] and at <= top[1] < to for client, at, to in gone)]
    return (first, end), [name_of(top) for top in living]


class _Maker:
    """Makes edits in a document, one after the other."""

    def __init__(self, doc: "Doc[Any]", blocks: Blocks, order: Order) -> None:
        self._root = doc.get(SCHEMA.fragment, type=XmlFragment)
        self._base = order.base
        self._person = order.proposer
        self._proposer = order.proposer if order.proposes else None
        self._line: list[Id | None] = [block.id for block in blocks.all for _ in range(block.width)]
        """The block that each child of the root belongs to. None stands for a new one."""
        self.lost: list[str] = []

    def make(self, edits: Iterable[Edit]) -> list[str]:
        for edit in edits:
            self._make(edit)
        return self.lost

    def _make(self, edit: Edit) -> None:
        match edit:
            case Append():
                self._insert(len(self._line), edit.source)
            case Insert(before=None):
                self._insert(self._place(edit.after or "")[1], edit.source)
            case Insert():
                self._insert(self._place(edit.before or "")[0], edit.source)
            case ReplaceBlocks():
                # The content goes in first, so that it stands where the first block stood.
                at = min(self._place(name)[0] for name in edit.blocks)
                self._insert(at, edit.source)
                self._delete(edit.blocks)
            case DeleteBlocks():
                self._delete(edit.blocks)
            case ReplaceText():
                replace_text(self._parts(edit.block), edit, self._proposer)
            case AnchorComment():
                if self._person is None:
                    raise ProtocolError(Code.MALFORMED, "A comment needs somebody who makes it.")
                found = _found(self._parts(edit.block), edit)
                self._person.comment(found.text, found.at, edit.find, edit.thread)

    def _parts(self, name: str) -> list[Any]:
        start, end = self._place(name)
        return [self._root.children[at] for at in range(start, end)]

    def _place(self, name: str) -> tuple[int, int]:
        """Return the place of a block, and the one behind it."""
        block_id = id_of(name)
        if block_id is None or block_id not in self._line:
            raise ProtocolError(Code.MALFORMED, f"The block {name[:40]} is deleted by an edit before.")
        start = self._line.index(block_id)
        return start, start + self._line.count(block_id)

    def _insert(self, at: int, source: Source) -> None:
        content = read(source, self._base)
        self.lost += content.lost
        count = insert_blocks(self._root, at, content.blocks)
        self._line[at:at] = [None] * count
        if self._proposer is not None:
            for place in range(at, at + count):
                self._proposer.mark_new(self._root.children[place])

    def _delete(self, names: Iterable[str]) -> None:
        for name in dict.fromkeys(names):
            parts, (start, end) = self._parts(name), self._place(name)
            if self._proposer is None or all(map(self._proposer.may_take_back, parts)):
                del self._root.children[start:end]
                del self._line[start:end]
            else:
                for part in parts:
                    self._proposer.strike(part)


class _Found(Struct):
    """Words that were found. `at` counts as yrs does; `formats` are those of the first letter."""

    text: XmlText
    at: int
    formats: dict[str, Any] = field(default_factory=dict)


def replace_text(parts: Iterable[Any], edit: ReplaceText, proposer: Proposer | None = None) -> None:
    """Replace words in a block, or propose that.

    Raises ProtocolError(malformed) if they are not there, or there more often than once.
    """
    found = _found(parts, edit)
    if "\n" in edit.with_ and "\n" not in edit.find:
        raise ProtocolError(Code.MALFORMED, "`with` must be one line. Replace the block to write several.")
    words = edit.with_.encode("utf-8", "replace").decode()  # without halves of surrogate pairs
    rewrite(found, edit.find, words, proposer)


def _found(parts: Iterable[Any], edit: ReplaceText | AnchorComment) -> _Found:
    found = [each for part in parts for text in _texts(part) for each in _find(text, edit.find)]
    if not found:
        raise ProtocolError(Code.MALFORMED, f"The block {edit.block[:40]} does not have these words in one line.")
    if len(found) > 1 and edit.occurrence == 0:
        message = f"The block {edit.block[:40]} has these words {len(found)} times. Say which by `occurrence`."
        raise ProtocolError(Code.MALFORMED, message)
    if edit.occurrence > len(found):
        message = f"The block {edit.block[:40]} has these words {len(found)} times, and not {edit.occurrence} times."
        raise ProtocolError(Code.MALFORMED, message)
    return found[max(edit.occurrence, 1) - 1]


def rewrite(found: _Found, old: str, new: str, proposer: Proposer | None = None) -> None:
    """Write words in the place of others, or propose them. What both begin and end with stays."""
    before = _common(old, new)
    behind = _common(old[before:][::-1], new[before:][::-1])
    at = found.at + length_of(old[:before])
    gone, words = old[before : len(old) - behind], new[before : len(new) - behind]
    if proposer is not None:
        proposer.rewrite(found.text, at, gone, words, found.formats)
        return
    if gone:
        del found.text[at : at + length_of(gone)]
    if words:
        found.text.insert(at, words, found.formats)


def _common(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    return next(
        (at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )


def _texts(part: Any) -> Iterator[XmlText]:
    if isinstance(part, XmlText):
        yield part
    elif isinstance(part, XmlElement):
        for child in part.children:
            yield from _texts(child)


def _find(text: XmlText, words: str) -> Iterator[_Found]:
    pieces = text.diff()
    if not all(isinstance(content, str) for content, _ in pieces):
        return  # the editor writes nothing but words into a text
    line = "".join(content for content, _ in pieces)
    at = line.find(words)
    while at >= 0:
        yield _Found(text, length_of(line[:at]), _formats_at(pieces, at))
        at = line.find(words, at + len(words))


def _formats_at(pieces: Sequence[tuple[Any, dict[str, Any] | None]], at: int) -> dict[str, Any]:
    for content, formats in pieces:
        if at < len(content):
            return dict(formats or {})
        at -= len(content)
    return {}
