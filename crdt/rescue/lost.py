"""Lost words: what dies with its block, or comes into a dead one, is written again."""

from collections.abc import Iterable, Iterator
from itertools import chain

from crdt.rescue.blocks import (
    HOLDS_PARAGRAPHS,
    INLINE_CONTENT,
    ITEMS,
    LISTS,
    NO_FORMATS,
    TEXT_BLOCKS,
    behind,
    block_name,
    is_block,
    is_inline,
)
from crdt.rescue.formats import is_annotation, mark_of
from crdt.rescue.homes import Home, Homes
from crdt.rescue.pairing import Pairing
from crdt.rescue.rewriting import Rewriting
from crdt.rescue.scribe import Scribe
from crdt.rescue.sequences import Branch, Piece
from crdt.yjs.contents import FORMAT, STRING, TYPE, XML_TEXT

_HOLDERS = HOLDS_PARAGRAPHS | LISTS | TEXT_BLOCKS | {"details", "table", "tableRow"}
"""Names of blocks that are nothing without words in them."""


class LostWords:
    """What one update kills without naming it.

    Attributes:
        lost: pieces that are to be written again.
        unjudged: pieces of which nobody has said yet whether they are lost.
    """

    def __init__(self, scribe: Scribe, homes: Homes, pairing: Pairing, rewriting: Rewriting) -> None:
        self._scribe = scribe
        self._sequences = scribe.sequences
        self._homes = homes
        self._pairing = pairing
        self._rewriting = rewriting
        self._change = scribe.change
        self._turn = scribe.change.turn
        self.lost: dict[Piece, None] = {}
        self.unjudged: dict[Piece, None] = {}

    def run(self) -> None:
        """Find what is lost, and write it again."""
        pairing = self._pairing
        dead = [piece for piece in self._change.fresh if piece.dead]
        dying = dict.fromkeys(chain(self._change.collateral, dead, pairing.homeless))
        self.unjudged.update(dict.fromkeys(reversed(dying)))
        while self.unjudged:
            piece, _ = self.unjudged.popitem()
            if self._is_lost(piece):
                is_whole = piece in pairing.homeless or piece in pairing.parts
                self.lost.update(dict.fromkeys([piece] if is_whole else self._without_known_copies(piece)))
        self._rescue_lost({piece.branch for piece in pairing.homeless})

    def _is_lost(self, piece: Piece) -> bool:
        return (
            piece.key is None
            and piece.branch is not None
            and piece.branch.is_rich
            and piece.named != self._turn
            and piece not in self._pairing.copies
            and piece.heir is None
            and not piece.alone
            and (piece.kind in INLINE_CONTENT or piece.kind == TYPE)
        )

    def _without_known_copies(self, piece: Piece) -> Iterator[Piece]:
        """Yield the parts of a dead piece, without copies of what this update has deleted."""
        sequences = self._sequences
        parts = [piece]
        while parts:
            part = source = parts.pop()
            while source.source is not None:
                sequences.spend(1)
                source = sequences.starting(*source.source)
                if source.length < part.length:
                    parts.append(sequences.cut(part, source.length))
            if source is part or source.named != self._turn:
                yield part

    def _rescue_lost(self, first: set[Branch | None]) -> None:
        by_branch = dict.fromkeys(piece.branch for piece in self.lost if piece.branch is not None)
        # Outer branches come first, because a block that is copied takes its content along.
        for branch in sorted(by_branch, key=lambda each: (each not in first, _depth(each))):
            for piece in branch.pieces():  # those that are cut on the way as well
                if piece not in self.lost or piece.heir is not None:
                    continue
                if piece.type is None:
                    self._rescue_words(piece, branch)
                elif is_inline(piece):
                    self._rescue_inline(piece, branch)
                elif piece.type.reference != XML_TEXT and _is_worth_it(piece.type, self.lost):
                    home = self._homes.of_block(branch, piece.left)
                    if home is not None:
                        self._rescue_block(piece, *home)

    def _rescue_words(self, piece: Piece, branch: Branch) -> None:
        home = self._homes.of(branch, piece.left)
        if home is None:
            if piece.kind != STRING or (self._rescue_around(branch) and piece.heir is not None):
                return
            home = self._rewriting.new_home(branch)
            if home is None:
                return
        within, left = home
        if within.reference != XML_TEXT:
            text, within = self._scribe.open_text(within, left)
            left = None
            if branch.piece is not None and branch.piece.heir is None:
                self._scribe.link(branch.piece, text.id)
        if block_name(within) in NO_FORMATS:
            if piece.kind == FORMAT and not is_annotation(mark_of(piece)):
                return
        elif piece.text == "\n" and (break_ := self._sequences.root_of(piece)).type is not None:
            self._rewriting.write_inline(break_, within, left)  # out of a code block
            if break_.heir is not None:
                self._scribe.link(piece, break_.heir)
            return
        self._scribe.copy(piece, within, self._behind_earlier_keys(piece, within, left))

    def _behind_earlier_keys(self, piece: Piece, within: Branch, left: Piece | None) -> Piece | None:
        """Return the last copy behind `left` of what the author typed earlier, in another text.

        What the author has typed before such a copy, seeing it, stays before it. Copies of others'
        words are passed, too, unless `left` is the author's: a page that was restarted has another
        client id, and keys that live come behind all copies.
        """
        passes_others = left is None or self._sequences.root_of(left).client != piece.client
        right = left.right if left is not None else within.start
        while right is not None:
            if right.source is not None:
                typed = self._sequences.root_of(right)
                is_own = typed.client == piece.client
                if typed.branch is piece.branch or (typed.clock > piece.clock if is_own else not passes_others):
                    break
                if self._is_before_copy(piece, typed):
                    break
                left = right
            elif not right.dead and right.kind != FORMAT:
                break
            self._sequences.spend(1)
            right = right.right
        return left

    def _is_before_copy(self, piece: Piece, typed: Piece) -> bool:
        """Whether a piece stands before a copy of what its author typed earlier."""
        for each in behind(piece):
            self._sequences.spend(1)
            if each.source is not None and self._sequences.root_of(each) is typed:
                return True
        return False

    def _rescue_inline(self, piece: Piece, branch: Branch) -> None:
        """Write a line break or a picture again. What stands behind it gets a text of its own."""
        home = self._home_of_inline(piece, branch)
        if home is None and piece.type is not None and piece.type.name != "hardBreak":
            home = self._rewriting.new_home(branch)
        if home is not None:
            self._rewriting.write_inline(piece, *home)

    def _home_of_inline(self, piece: Piece, branch: Branch) -> Home | None:
        """Return the home of an element among words: mostly a text, behind a piece of it."""
        before = piece.left
        while before is not None and (
            before.heir is None if before.type is None else before.type.reference != XML_TEXT
        ):
            before = before.left
        if before is None or before.type is None:
            return self._homes.of(branch, piece.left)
        last = None
        for each in before.type.pieces():
            # What its author has moved behind the element does not count.
            if each.kind == STRING and each.named != piece.turn and not each.alone and each.heir is not None:
                last = each
        return self._homes.of(before.type, last)

    def _rescue_block(self, piece: Piece, home: Branch, left: Piece | None) -> None:
        kind = piece.type
        if kind is None or piece.branch is None:
            return
        holds = home.piece is None or home.name in HOLDS_PARAGRAPHS
        if kind.name in ITEMS and home.name not in LISTS:  # out of a list that is none any more
            if holds:
                for each in list(kind.pieces()):
                    if each.type is not None and not each.alone and each.named != self._turn:
                        left = self._rewriting.copy_tree(each, home, left)
                if left is not None:
                    self._scribe.link(piece, left.id)
        elif kind.name in ITEMS or home.name == piece.branch.name or holds:
            self._rewriting.copy_tree(piece, home, left)

    def _rescue_around(self, branch: Branch) -> bool:
        """Write the block again that the words are in, because its container is dead."""
        frame = branch.piece
        while frame is not None and not frame.named and frame.heir is None:
            outer = frame.branch
            if outer is None or outer.is_alive:
                return False
            if is_block(frame) and (home := self._homes.of_block(outer, frame.left)):
                self._rescue_block(frame, *home)
                return True
            frame = outer.piece
        return False


def _depth(branch: Branch) -> int:
    depth = 0
    while branch.piece is not None and branch.piece.branch is not None:
        branch, depth = branch.piece.branch, depth + 1
    return depth


def _is_worth_it(branch: Branch, chosen: Iterable[Piece]) -> bool:
    """Whether a block has words that are lost with it, or is something without words."""
    return _has_words(branch, chosen) or (branch.start is None and branch.name not in _HOLDERS)


def _has_words(branch: Branch, chosen: Iterable[Piece]) -> bool:
    return any(
        _has_words(piece.type, chosen) if piece.type is not None else piece.kind == STRING and piece in chosen
        for piece in branch.pieces()
    )
