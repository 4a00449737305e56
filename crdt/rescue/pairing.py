"""Pairing: what an update repeats becomes the heir of what the update has deleted.

The module decides between two copies of one character, and deletes copies of what somebody has
deleted on purpose.
"""

from collections.abc import Iterator

from crdt.rescue.blocks import block_around, frame_of, frames, is_block, is_inline
from crdt.rescue.copies import Pair, copies
from crdt.rescue.homes import Homes
from crdt.rescue.order import Order
from crdt.rescue.scribe import Scribe
from crdt.rescue.sequences import Branch, Piece
from crdt.yjs.contents import ANY, FORMAT, STRING, TYPE
from crdt.yjs.items import Id


class Pairing:
    """What one update repeats.

    Attributes:
        copies: new pieces that repeat what they are the heirs of.
        homeless: copies that lie in a block that is dead already.
        parts: copies that die now, with a block that others have made for them.
        emptied: pieces of a copy that were given up, because a part of it was moved elsewhere.
    """

    def __init__(self, scribe: Scribe, homes: Homes, order: Order) -> None:
        self._scribe = scribe
        self._sequences = scribe.sequences
        self._homes = homes
        self._order = order
        self._change = scribe.change
        self._turn = scribe.change.turn
        self.copies: dict[Piece, None] = {}
        self.homeless: dict[Piece, None] = {}
        self.parts: dict[Piece, None] = {}
        self.emptied: dict[Piece, None] = {}
        self._copied: list[tuple[Id, Id, int]] = []
        """The first character that is repeated, that of its copy, and how many follow."""

    def run(self) -> None:
        """Pair the update's copies, and the blocks around them, with what they repeat."""
        self._copied = [(old.id, new.id, old.length) for old, new in copies(self._sequences, self._change)]
        for old, new in self.pairs():
            self._pair(old, new)
        for old, new in self.pairs():
            self._pair_around(old, new)

    def pairs(self) -> Iterator[Pair]:
        """Yield what this update repeats, each with its copy, as they are cut by now."""
        for (client, clock), (copier, at), length in self._copied:
            done = 0
            while done < length:
                old, new = self._sequences.starting(client, clock + done), self._sequences.starting(copier, at + done)
                both = min(old.length, new.length, length - done)
                for each in (old, new):
                    if each.length > both:
                        self._sequences.cut(each, both)
                yield old, new
                done += both

    def _pair(self, old: Piece, new: Piece) -> None:
        """Make a copy the heir of what it repeats, or of whatever lives on in its place."""
        scribe = self._scribe
        self.copies[new] = None
        scribe.derive(new, old)
        as_whole = self._died_whole(old)
        before = old.heir
        if not old.was_dead or old.turn == self._turn:
            scribe.link(old, new.id, as_whole=as_whole)
            scribe.move(old)
            if new.dead and new.named != self._turn:
                self.copies.pop(new, None)
                self.homeless[new] = None
        elif before is None:  # somebody has deleted it on purpose: so must be the copy
            scribe.link(old, new.id, as_whole=as_whole)
            scribe.move(old)
            scribe.delete(new)
        else:
            at, total, (client, clock) = 0, new.length, new.id
            while at < total:
                living, length = self._homes.living(before[0], before[1] + at, total - at)
                copy = self._sequences.starting(client, clock + at)
                if copy.length > length:
                    self._sequences.cut(copy, length)
                self.copies[copy] = None
                if living is not copy:
                    self._choose(old, living, copy, as_whole=as_whole)
                at += length

    def _choose(self, old: Piece, living: Piece, copy: Piece, *, as_whole: bool) -> None:
        """Decide between the heir that a character has and another copy of it."""
        scribe = self._scribe
        if living.dead and not living.alone and living.named != self._turn:
            if as_whole and not old.as_whole and not copy.dead and self._is_in_unknown_block(living):
                # A part was moved out of what is copied whole now. The part comes after the copy.
                self.parts[living] = None
                self._give_up(copy, living)
                return
            # It dies now, with its block, so the copy is its heir.
            scribe.link(living, copy.id, as_whole=as_whole)
            if copy.dead and copy.named != self._turn:
                self.copies.pop(copy, None)
                self.homeless[copy] = None
        elif copy.dead:
            if living.dead or as_whole or not old.as_whole or not self._is_in_new_block(copy):
                scribe.link(copy, living.id)
                return
            self._part_from(living, copy)
            self.copies.pop(copy, None)
            self.homeless[copy] = None
        elif living.dead:
            scribe.delete(copy)
        elif not as_whole and (old.as_whole or self._is_tail(living, copy)):
            # A part was moved out of what somebody else has moved. The part goes there.
            self._part_from(living, copy)
            self._order.note(old, copy, living)
        else:
            self._give_up(copy, living)
            self._order.note(old, living, copy)

    def _give_up(self, copy: Piece, living: Piece) -> None:
        self._scribe.delete(copy)
        self._scribe.link(copy, living.id)

    def _part_from(self, living: Piece, copy: Piece) -> None:
        self._scribe.delete(living)
        self._scribe.link(living, copy.id)
        self._scribe.move(living)
        self.emptied[living] = None

    def _is_in_unknown_block(self, piece: Piece) -> bool:
        block = block_around(piece)
        return block is not None and block.named != self._turn

    def _is_in_new_block(self, piece: Piece) -> bool:
        block = block_around(piece)
        return piece.named != self._turn and block is not None and block.turn == self._turn

    def _is_tail(self, living: Piece, copy: Piece) -> bool:
        """Whether a part that was moved before has other words first, and the copy has none."""
        is_own = self._is_in_new_block(copy) or block_around(copy) is block_around(living)
        return is_own and self._has_words_before(living) and not self._has_words_before(copy)

    def _has_words_before(self, piece: Piece) -> bool:
        """Whether words stand before a piece in its text that are no part of the same move."""
        left = piece.left
        while left is not None:
            if left.kind == STRING and not left.dead and left not in self.copies and left not in self.emptied:
                return True
            left = left.left
        return False

    def _died_whole(self, piece: Piece) -> bool:
        """Whether the update has deleted a block around the piece."""
        return any(frame.named == self._turn for frame in frames(piece))

    def _pair_around(self, old: Piece, new: Piece) -> None:
        """Make blocks heirs of blocks, and formats behind the words heirs of formats."""
        scribe = self._scribe
        before, after = frame_of(old), frame_of(new)
        while before is not None and after is not None and before is not after:
            if not before.dead or before.heir is not None or after.turn != self._turn:
                break
            self._pair_blocks(before, after)
            before, after = frame_of(before), frame_of(after)
        format_, other = old.right, new.right
        while format_ is not None and format_.kind != STRING:
            if format_.kind == FORMAT and format_.heir is None:
                found = other
                while found is not None and found.kind == FORMAT and found.content != format_.content:
                    found = found.right
                if found is not None and found.kind == FORMAT:
                    scribe.link(format_, found.id)
                    self.copies[found] = None
                    other = found.right
            format_ = format_.right

    def pair_empty_blocks(self) -> None:
        """Make new empty blocks the heirs of empty blocks that were deleted, in their order."""
        gone = [
            piece
            for piece in self._change.named
            if piece.type is not None
            and piece.type.is_element
            and piece.heir is None
            and not any(each.kind == TYPE and each.named == self._turn for each in piece.type.pieces())
        ]
        come = [
            piece
            for piece in self._change.fresh
            if is_block(piece) and not piece.dead and piece.type is not None and piece.type.start is None
        ]
        for before, after in zip(gone, come, strict=False):
            self._pair_blocks(before, after)

    def _pair_blocks(self, before: Piece, after: Piece) -> None:
        """Make a block the heir of a block, and equal attributes the heirs of its attributes."""
        self._scribe.link(before, after.id)
        if before.type is None or after.type is None:
            return
        for key, attribute in before.type.attributes.items():
            copy = after.type.attributes.get(key)
            is_equal = copy is not None and copy.content == attribute.content
            if copy is not None and is_equal and attribute.kind == ANY and not (attribute.heir or attribute.alone):
                self._scribe.link(attribute, copy.id)

    def is_split(self, old: Piece, new: Piece) -> bool:
        """Whether a character has moved from a text that lives on into a new text."""
        if old.branch is None or not old.branch.is_alive or old.branch is new.branch:
            return False
        frame = frame_of(new)
        return frame is not None and frame.turn == self._turn

    def delete_heirs(self) -> None:
        """Delete the heirs of characters that somebody has deleted, not knowing that they moved."""
        copied = {old for old, _ in self.pairs()}
        for old in self._change.already:
            if old in copied or old.heir is None or old.kind != STRING:
                continue
            (client, clock), at = old.heir, 0
            while at < old.length:
                living, length = self._homes.living(client, clock + at, old.length - at)
                self._scribe.delete(living)
                at += length

    def is_emptied(self, branch: Branch | None) -> bool:
        """Whether all words of a new block are copies that were given up."""
        had_words = False
        stack = [branch]
        while stack:
            within = stack.pop()
            for piece in within.pieces() if within is not None else ():
                if piece.type is not None:
                    if piece.dead:
                        continue
                    stack.append(piece.type)
                    if is_inline(piece):
                        return False
                elif piece.kind == STRING:
                    if not piece.dead:
                        return False
                    had_words = had_words or piece in self.copies
        return had_words
