"""Attributes that somebody sets on a block, or removes from it, while others rebuild the block."""

from crdt.rescue.homes import Homes
from crdt.rescue.scribe import Scribe
from crdt.rescue.sequences import Branch, Piece
from crdt.yjs.contents import ANY

_CELLS = frozenset({"tableCell", "tableHeader"})
_SHAPE = frozenset({"colspan", "rowspan"})
"""Attributes that only fit to the cells around."""
_DIRECTION = frozenset({"dir"})
_COMMON_ATTRIBUTES = dict.fromkeys(("paragraph", "heading"), frozenset({"dir", "textAlign", "indent", "lineHeight"}))
"""Attributes that a block keeps when it becomes a block with this name. All others keep `dir`."""


class Attributes:
    """Attributes of rebuilt blocks that one update sets or removes."""

    def __init__(self, scribe: Scribe, homes: Homes) -> None:
        self._scribe = scribe
        self._homes = homes
        self._sequences = scribe.sequences
        self._change = scribe.change
        self._turn = scribe.change.turn

    def carry(self) -> None:
        """Set or remove in a block's heir what somebody has set or removed in the block."""
        change = self._change
        for piece in change.collateral:
            if piece.key is not None and (block := self._heir_of_block(piece)) is not None:
                before = self._content(piece.origin)
                there = block.attributes.get(piece.key)
                if before == (None if there is None or there.dead else there.content):
                    self._set(block, piece)
        for piece in change.fresh:
            if piece.key is not None and piece.dead and (block := self._heir_of_block(piece)) is not None:
                self._set(block, piece)
        for piece in change.unset:
            self._scribe.delete(self._homes.living(*piece.id, 1)[0])
            piece.alone = True
        for frame in change.named:
            for piece in frame.type.attributes.values() if frame.type is not None else ():
                if not piece.alone or piece.key is None or (block := self._heir_of_block(piece)) is None:
                    continue
                there = block.attributes.get(piece.key)
                if there is not None and there.turn == self._turn and there.content == piece.content:
                    self._scribe.delete(there)

    def _heir_of_block(self, attribute: Piece) -> Branch | None:
        """Return the living heir of the element that an attribute is set on, if it fits there."""
        branch, key = attribute.branch, attribute.key
        frame = None if branch is None else branch.piece
        if branch is None or frame is None or frame.heir is None or attribute.kind != ANY or not branch.is_rich:
            return None
        if branch.attributes.get(key or "") is not attribute or key in _SHAPE:
            return None
        heir, _ = self._homes.living(*frame.heir, 1)
        block = heir.type
        if heir.dead or block is None or not block.is_element:
            return None
        fits = block.name == branch.name or {block.name, branch.name} <= _CELLS
        return block if fits or key in _COMMON_ATTRIBUTES.get(block.name or "", _DIRECTION) else None

    def _content(self, at: tuple[int, int] | None) -> bytes | None:
        before = None if at is None else self._sequences.find(*at)
        return None if before is None or before.alone else before.content

    def _set(self, block: Branch, piece: Piece) -> None:
        there = block.attributes.get(piece.key or "")
        if there is None or there.dead or there.content != piece.content:
            self._scribe.write(ANY, None, piece.content, block, None, key=piece.key)
