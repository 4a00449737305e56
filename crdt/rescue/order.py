"""Order: blocks that are split off from a block while others rebuild or move that block."""

from crdt.rescue.blocks import HOLDS_PARAGRAPHS, behind, block_around, is_among, is_block, texts_of
from crdt.rescue.rewriting import Rewriting
from crdt.rescue.scribe import Scribe
from crdt.rescue.sequences import Piece


class Order:
    """Which blocks of one update belong behind which others."""

    def __init__(self, scribe: Scribe, rewriting: Rewriting) -> None:
        self._scribe = scribe
        self._rewriting = rewriting
        self._sequences = scribe.sequences
        self._turn = scribe.change.turn
        self._order: dict[Piece, tuple[Piece, Piece]] = {}
        """Blocks of parts, with the old block around the part, and the block that comes before."""

    def note(self, old: Piece, part: Piece, rest: Piece) -> None:
        """Note that the block of a part belongs behind the block of what stood before the part."""
        around, block, before = block_around(old), block_around(part), block_around(rest)
        if around is not None and block is not None and before is not None and block not in {before, around}:
            self._order.setdefault(block, (around, before))

    def note_split(self, old: Piece, new: Piece) -> None:
        """Note that a new block belongs behind the block that it was split off from."""
        around, block = block_around(old), block_around(new)
        if around is not None and block is not None and block.origin == around.id and block not in self._order:
            self._order[block] = around, around

    def note_splits_behind(self, fresh: Piece) -> None:
        """Note what was split off from the block before a new one, unknown to its author."""
        if fresh.origin is None or fresh.dead or not is_block(fresh):
            return
        around = self._sequences.find(*fresh.origin)
        for block in behind(fresh):
            if block.origin != around.id or block.id == fresh.right_origin:
                return
            source = next((each.source for text in texts_of(block) for each in text.pieces() if each.source), None)
            if not block.dead and source and block_around(self._sequences.find(*source)) is around:
                self._order.setdefault(block, (around, around))

    def put(self) -> None:
        """Move the blocks of parts behind the blocks that they were split off from."""
        last: dict[Piece, Piece] = {}
        for block, (around, before) in self._order.items():
            at = last.get(before, before)
            branch, into = block.branch, at.branch
            if block.dead or at.dead or branch is None or into is None or around.branch is not branch:
                continue
            if into is not branch and into.piece is not None and into.name not in HOLDS_PARAGRAPHS:
                continue
            if is_among(behind(at), block) and not self._is_elsewhere(at, around, block):
                last[before] = block
                continue
            last[before] = self._rewriting.copy_tree(block, into, at)
            self._scribe.delete(block)

    def _is_elsewhere(self, before: Piece, around: Piece, block: Piece) -> bool:
        """Whether others stand between what comes before a block and the old place of both."""
        is_between = False
        for each in behind(before):
            if each is (block if around is before else around):
                return is_between
            is_between = is_between or not (each.dead or each.turn == block.turn == self._turn)
        return False
