"""Rescue: the server's answer to one update, so that no words die with the block around them.

Editors change a block's kind or nesting by deleting the block and inserting a copy. What others
have written into the old block meanwhile dies with it, unknown to anybody. The rescue works in the
order of the log, on what `Sequences.take` says about an update:

1. **Copies.** New characters that repeat deleted ones become their heirs (copies.py).
2. **Two copies of one character.** What was deleted on purpose stays deleted, in its copy too. Of
   two copies that live, the first stays. But a part that somebody has moved goes to its new place.
3. **Deletions of characters that live elsewhere** delete their heirs.
4. **Words that died with their block, and words that come into a dead block,** are written again,
   behind the heir of their left neighbour (homes.py). The copies are their heirs in turn.
5. **Words without any heir around them** become a paragraph of their own.
6. **Words in a part that has moved** follow it, if their author did not know of the move.

The answer is a function of the log up to the update, and of nothing else.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from msgspec import Struct

from crdt.errors import InvariantError
from crdt.protocol.links import Links, encode_links
from crdt.rescue.copies import Pair, copies
from crdt.rescue.homes import TEXT_BLOCKS, Home, Homes, behind, frames, is_block, is_inline
from crdt.rescue.joins import Joins
from crdt.rescue.scribe import Scribe
from crdt.rescue.sequences import Branch, Change, Piece, Sequences
from crdt.yjs.contents import ANY, EMBED, FORMAT, STRING, TYPE, XML_TEXT
from crdt.yjs.items import Id
from crdt.yjs.varint import read_varuint

NO_FORMATS = frozenset({"codeBlock"})
"""Names of blocks whose text has no formats but annotations."""

ANNOTATIONS = (b"comment", b"deletion", b"formatting", b"insertion")
"""Names of marks that say something about words. A mark's key may go on behind two dashes."""

HOLDS_PARAGRAPHS = frozenset(
    {"blockquote", "callout", "detailsContent", "tableCell", "tableHeader", "listItem", "taskItem"}
)
ITEMS = frozenset({"listItem", "taskItem"})
LISTS = frozenset({"bulletList", "orderedList", "taskList"})
_HOLDERS = HOLDS_PARAGRAPHS | LISTS | TEXT_BLOCKS | {"details", "table", "tableRow"}
_CELLS = frozenset({"tableCell", "tableHeader"})
_SHAPE = frozenset({"colspan", "rowspan"})
"""Attributes that only fit to the cells around."""
_DIRECTION = frozenset({"dir"})
_COMMON_ATTRIBUTES = dict.fromkeys(("paragraph", "heading"), frozenset({"dir", "textAlign", "indent", "lineHeight"}))
"""Attributes that a block keeps when it becomes a block with this name. All others keep `dir`."""

MOST_MOVES = 8
"""Moves of parts of one text, the last ones, whose words get marks that were set before."""

_NULL = b"\x04null"

_INLINE_CONTENT = frozenset({STRING, FORMAT, EMBED})


class Said(NamedTuple):
    """An update on its way to the log, and what its author knew.

    Attributes:
        update: in the clients' form.
        after: the last row that the author had applied; None if they do not say.
        author: the author's client id.
        known: a state vector of the author's, from before they made the update; empty if not known.
    """

    update: bytes
    after: int | None
    author: int | None
    known: bytes = b""


class Rescued(Struct, frozen=True):
    """The answers to the updates of one row, None for those that need none, and the row's heirs.

    Attributes:
        failed: why some updates that needed an answer have none; empty if all have one.
    """

    answers: tuple[bytes | None, ...]
    heirs: bytes
    failed: str = ""


class Unanswered(InvariantError):
    """The rescue of an update by `author` has failed. The sequences are of no use any more."""

    def __init__(self, author: int | None, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}")
        self.author = author


def answer(sequences: Sequences, seq: int, said: Iterable[Said], without: Collection[int | None] = ()) -> Rescued:
    """Answer the updates of row `seq`, which the sequences hold then.

    Updates of the authors in `without` get no answer. Raises Unanswered.
    """
    answers: list[bytes | None] = []
    links: list[Links] = []
    for update, after, author, known in said:
        change, written = sequences.take(update, seq, after, author, known), None
        if concerns(sequences, change) and author not in without:
            try:
                written, moved = rescue(sequences, change)
            except Exception as error:
                raise Unanswered(author, error) from error
            links.append(moved)
        answers.append(written)
    return Rescued(tuple(answers), encode_links(links))


def rescue(sequences: Sequences, change: Change) -> tuple[bytes | None, Links]:
    """Answer an update that was just taken.

    Return the server's update, or None if it has nothing to write, and the heirs of this row. The
    sequences hold the answer then.
    """
    scribe = Scribe(sequences, change)
    _Rescue(scribe).run()
    sequences.noted = ()
    return scribe.update() if scribe.has_written else None, scribe.links()


def concerns(sequences: Sequences, change: Change) -> bool:
    """Whether an update may need an answer at all."""
    if change.named or change.already or change.unset:
        return True
    joined = sequences.joined
    return any(
        piece.branch is None or piece.dead or piece.origin in joined or _is_beside_moved(piece)
        for piece in change.fresh
    )


def _is_beside_moved(piece: Piece) -> bool:
    if piece.key is not None or piece.kind not in _INLINE_CONTENT:
        return False
    left, right = piece.left, piece.right
    return (left is not None and left.dead and left.heir is not None) or (
        right is not None and right.dead and right.heir is not None
    )


class _Rescue:
    def __init__(self, scribe: Scribe) -> None:
        self._scribe = scribe
        self._sequences = scribe.sequences
        self._homes = Homes(scribe.sequences)
        self._change = scribe.change
        self._turn = scribe.change.turn
        self._copied: list[tuple[Id, Id, int]] = []
        """What this update repeats: the first character, that of its copy, and how many follow."""
        self._copies: dict[Piece, None] = {}
        """New pieces that repeat what they are the heirs of."""
        self._homeless: dict[Piece, None] = {}
        """Copies that lie in a block that is dead already."""
        self._order: dict[Piece, tuple[Piece, Piece]] = {}
        """Blocks of parts, with the old block around the part, and the block that comes before."""
        self._parts: dict[Piece, None] = {}
        """Copies that die now, with a block that others have made for them."""
        self._emptied: dict[Piece, None] = {}
        """Pieces of a copy that were given up, because a part of it was moved elsewhere."""
        self._lost: dict[Piece, None] = {}
        """Pieces that are to be written again."""
        self._unjudged: dict[Piece, None] = {}
        """Pieces of which nobody has said yet whether they are lost."""
        pieces = self._copies, self._homeless, self._parts, self._emptied, self._lost, self._unjudged
        self._sequences.noted = pieces

    def run(self) -> None:
        change, turn = self._change, self._turn
        said = [
            (pieces, [(piece.client, piece.clock, piece.clock + piece.length) for piece in pieces])
            for pieces in (change.fresh, change.named, change.already, change.collateral)
        ]
        self._copied = [(old.id, new.id, old.length) for old, new in copies(self._sequences, change)]
        for old, new in self._pairs():
            self._pair(old, new)
        for old, new in self._pairs():
            self._pair_around(old, new)
        for pieces, spans in said:  # with what was cut off them
            pieces[:] = [piece for span in spans for piece in self._sequences.between(*span)]
        if change.named and change.collateral:
            self._pair_empty_blocks()
        self._delete_heirs({old for old, _ in self._pairs()})
        for piece in change.fresh:
            outside = piece.branch is None or piece.branch.piece is None or piece.branch.piece.turn != turn
            if is_block(piece) and not piece.dead and outside and self._is_emptied(piece.type):
                self._scribe.delete(piece)
        dead = [piece for piece in change.fresh if piece.dead]
        dying = dict.fromkeys(chain(change.collateral, dead, self._homeless))
        self._unjudged.update(dict.fromkeys(reversed(dying)))
        while self._unjudged:
            piece, _ = self._unjudged.popitem()
            if self._is_lost(piece):
                is_whole = piece in self._homeless or piece in self._parts
                self._lost.update(dict.fromkeys([piece] if is_whole else self._without_known_copies(piece)))
        self._rescue_lost({piece.branch for piece in self._homeless})
        self._follow_moved()
        Joins(self._scribe).run(self._pairs())
        self._carry_marks()
        self._carry_attributes()
        for old, new in self._pairs():
            if self._is_split(old, new):
                self._note_split(old, new)
        for piece in change.fresh:
            self._note_splits_behind(piece)
        self._put_in_order()

    # Copies.

    def _pairs(self) -> Iterator[Pair]:
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
        self._copies[new] = None
        scribe.derive(new, old)
        as_whole = self._died_whole(old)
        before = old.heir
        if not old.was_dead or old.turn == self._turn:
            scribe.link(old, new.id, as_whole=as_whole)
            scribe.move(old)
            if new.dead and new.named != self._turn:
                self._copies.pop(new, None)
                self._homeless[new] = None
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
                self._copies[copy] = None
                if living is not copy:
                    self._choose(old, living, copy, as_whole=as_whole)
                at += length

    def _choose(self, old: Piece, living: Piece, copy: Piece, *, as_whole: bool) -> None:
        """Decide between the heir that a character has and another copy of it."""
        scribe = self._scribe
        if living.dead and not living.alone and living.named != self._turn:
            if as_whole and not old.as_whole and not copy.dead and self._is_in_unknown_block(living):
                # A part was moved out of what is copied whole now. The part comes after the copy.
                self._parts[living] = None
                self._give_up(copy, living)
                return
            # It dies now, with its block, so the copy is its heir.
            scribe.link(living, copy.id, as_whole=as_whole)
            if copy.dead and copy.named != self._turn:
                self._copies.pop(copy, None)
                self._homeless[copy] = None
        elif copy.dead:
            if living.dead or as_whole or not old.as_whole or not self._is_in_new_block(copy):
                scribe.link(copy, living.id)
                return
            self._part_from(living, copy)
            self._copies.pop(copy, None)
            self._homeless[copy] = None
        elif living.dead:
            scribe.delete(copy)
        elif not as_whole and (old.as_whole or self._is_tail(living, copy)):
            # A part was moved out of what somebody else has moved. The part goes there.
            self._part_from(living, copy)
            self._note_order(old, copy, living)
        else:
            self._give_up(copy, living)
            self._note_order(old, living, copy)

    def _give_up(self, copy: Piece, living: Piece) -> None:
        self._scribe.delete(copy)
        self._scribe.link(copy, living.id)

    def _part_from(self, living: Piece, copy: Piece) -> None:
        self._scribe.delete(living)
        self._scribe.link(living, copy.id)
        self._scribe.move(living)
        self._emptied[living] = None

    def _is_in_unknown_block(self, piece: Piece) -> bool:
        block = _block_around(piece)
        return block is not None and block.named != self._turn

    def _is_in_new_block(self, piece: Piece) -> bool:
        block = _block_around(piece)
        return piece.named != self._turn and block is not None and block.turn == self._turn

    def _is_tail(self, living: Piece, copy: Piece) -> bool:
        """Whether a part that was moved before has other words first, and the copy has none."""
        is_own = self._is_in_new_block(copy) or _block_around(copy) is _block_around(living)
        return is_own and self._has_words_before(living) and not self._has_words_before(copy)

    def _has_words_before(self, piece: Piece) -> bool:
        """Whether words stand before a piece in its text that are no part of the same move."""
        left = piece.left
        while left is not None:
            if left.kind == STRING and not left.dead and left not in self._copies and left not in self._emptied:
                return True
            left = left.left
        return False

    def _note_order(self, old: Piece, part: Piece, rest: Piece) -> None:
        """Note that the block of a part belongs behind the block of what stood before the part."""
        around, block, before = _block_around(old), _block_around(part), _block_around(rest)
        if around is not None and block is not None and before is not None and block not in {before, around}:
            self._order.setdefault(block, (around, before))

    def _note_split(self, old: Piece, new: Piece) -> None:
        """Note that a new block belongs behind the block that it was split off from."""
        around, block = _block_around(old), _block_around(new)
        if around is not None and block is not None and block.origin == around.id and block not in self._order:
            self._order[block] = around, around

    def _note_splits_behind(self, fresh: Piece) -> None:
        """Note what was split off from the block before a new one, unknown to its author."""
        if fresh.origin is None or fresh.dead or not is_block(fresh):
            return
        around = self._sequences.find(*fresh.origin)
        for block in behind(fresh):
            if block.origin != around.id or block.id == fresh.right_origin:
                return
            source = next((each.source for text in _texts_of(block) for each in text.pieces() if each.source), None)
            if not block.dead and source and _block_around(self._sequences.find(*source)) is around:
                self._order.setdefault(block, (around, around))

    def _put_in_order(self) -> None:
        """Move the blocks of parts behind the blocks that they were split off from."""
        last: dict[Piece, Piece] = {}
        for block, (around, before) in self._order.items():
            at = last.get(before, before)
            branch, into = block.branch, at.branch
            if block.dead or at.dead or branch is None or into is None or around.branch is not branch:
                continue
            if into is not branch and into.piece is not None and into.name not in HOLDS_PARAGRAPHS:
                continue
            if _is_among(behind(at), block) and not self._is_elsewhere(at, around, block):
                last[before] = block
                continue
            last[before] = self._copy_tree(block, into, at)
            self._scribe.delete(block)

    def _is_elsewhere(self, before: Piece, around: Piece, block: Piece) -> bool:
        """Whether others stand between what comes before a block and the old place of both."""
        is_between = False
        for each in behind(before):
            if each is (block if around is before else around):
                return is_between
            is_between = is_between or not (each.dead or each.turn == block.turn == self._turn)
        return False

    def _died_whole(self, piece: Piece) -> bool:
        """Whether the update has deleted a block around the piece."""
        return any(frame.named == self._turn for frame in frames(piece))

    def _pair_around(self, old: Piece, new: Piece) -> None:
        """Make blocks heirs of blocks, and formats behind the words heirs of formats."""
        scribe = self._scribe
        before, after = _frame(old), _frame(new)
        while before is not None and after is not None and before is not after:
            if not before.dead or before.heir is not None or after.turn != self._turn:
                break
            self._pair_blocks(before, after)
            before, after = _frame(before), _frame(after)
        format_, other = old.right, new.right
        while format_ is not None and format_.kind != STRING:
            if format_.kind == FORMAT and format_.heir is None:
                found = other
                while found is not None and found.kind == FORMAT and found.content != format_.content:
                    found = found.right
                if found is not None and found.kind == FORMAT:
                    scribe.link(format_, found.id)
                    self._copies[found] = None
                    other = found.right
            format_ = format_.right

    def _pair_empty_blocks(self) -> None:
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

    # Deletions.

    def _delete_heirs(self, copied: set[Piece]) -> None:
        """Delete the heirs of characters that somebody has deleted, not knowing that they moved."""
        for old in self._change.already:
            if old in copied or old.heir is None or old.kind != STRING:
                continue
            (client, clock), at = old.heir, 0
            while at < old.length:
                living, length = self._homes.living(client, clock + at, old.length - at)
                self._scribe.delete(living)
                at += length

    def _is_emptied(self, branch: Branch | None) -> bool:
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
                    had_words = had_words or piece in self._copies
        return had_words

    # Words that died.

    def _is_lost(self, piece: Piece) -> bool:
        return (
            piece.key is None
            and piece.branch is not None
            and piece.branch.is_rich
            and piece.named != self._turn
            and piece not in self._copies
            and piece.heir is None
            and not piece.alone
            and (piece.kind in _INLINE_CONTENT or piece.kind == TYPE)
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
        by_branch = dict.fromkeys(piece.branch for piece in self._lost if piece.branch is not None)
        # Outer branches come first, because a block that is copied takes its content along.
        for branch in sorted(by_branch, key=lambda each: (each not in first, _depth(each))):
            for piece in branch.pieces():  # those that are cut on the way as well
                if piece not in self._lost or piece.heir is not None:
                    continue
                if piece.type is None:
                    self._rescue_words(piece, branch)
                elif is_inline(piece):
                    self._rescue_inline(piece, branch)
                elif piece.type.reference != XML_TEXT and _is_worth_it(piece.type, self._lost):
                    home = self._homes.of_block(branch, piece.left)
                    if home is not None:
                        self._rescue_block(piece, *home)

    def _rescue_words(self, piece: Piece, branch: Branch) -> None:
        home = self._homes.of(branch, piece.left)
        if home is None:
            if piece.kind != STRING or (self._rescue_around(branch) and piece.heir is not None):
                return
            home = self._new_home(branch)
            if home is None:
                return
        within, left = home
        if within.reference != XML_TEXT:
            text, within = self._scribe.open_text(within, left)
            left = None
            if branch.piece is not None and branch.piece.heir is None:
                self._scribe.link(branch.piece, text.id)
        if _block_name(within) in NO_FORMATS:
            if piece.kind == FORMAT and not _is_annotation(mark_of(piece)):
                return
        elif piece.text == "\n" and (break_ := self._root_of(piece)).type is not None:
            self._write_inline(break_, within, left)  # out of a code block
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
        passes_others = left is None or self._root_of(left).client != piece.client
        right = left.right if left is not None else within.start
        while right is not None:
            if right.source is not None:
                typed = self._root_of(right)
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
            if each.source is not None and self._root_of(each) is typed:
                return True
        return False

    def _root_of(self, piece: Piece) -> Piece:
        """Return what a copy is a copy of in the end; cut the copy where that has another one."""
        source = piece
        while source.source is not None:
            self._sequences.spend(1)
            source = self._sequences.starting(*source.source)
            if source.length < piece.length:
                self._sequences.cut(piece, source.length)
        return source

    def _rescue_inline(self, piece: Piece, branch: Branch) -> None:
        """Write a line break or a picture again. What stands behind it gets a text of its own."""
        home = self._home_of_inline(piece, branch)
        if home is None and piece.type is not None and piece.type.name != "hardBreak":
            home = self._new_home(branch)
        if home is not None:
            self._write_inline(piece, *home)

    def _write_inline(self, piece: Piece, within: Branch, left: Piece | None) -> None:
        if within.reference != XML_TEXT:
            self._copy_tree(piece, within, left)
            return
        frame = within.piece
        outer = None if frame is None else frame.branch
        if frame is None or outer is None:
            return
        if outer.name not in NO_FORMATS:
            self._move_tail(within, left, outer, self._copy_tree(piece, outer, frame))
        elif piece.type is not None and piece.type.name == "hardBreak":
            made = self._scribe.write(STRING, "\n", b"", within, left)
            self._scribe.link(piece, made.id)
            self._scribe.derive(made, piece)

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

    def _move_tail(self, text: Branch, left: Piece | None, outer: Branch, before: Piece) -> None:
        """Move what lives in a text behind `left` into a text of its own behind `before`."""
        scribe = self._scribe
        tail = [each for each in (text.pieces() if left is None else behind(left)) if not each.dead]
        if not any(each.kind == STRING for each in tail):
            return
        _, rest = scribe.open_text(outer, before)
        at: Piece | None = None
        for each in _formats_at(text, left):
            at = scribe.write(FORMAT, None, each.content, rest, at)
        for each in tail:
            at = scribe.copy(each, rest, at)
            scribe.move(each)
            scribe.delete(each)

    def _rescue_block(self, piece: Piece, home: Branch, left: Piece | None) -> None:
        kind = piece.type
        if kind is None or piece.branch is None:
            return
        holds = home.piece is None or home.name in HOLDS_PARAGRAPHS
        if kind.name in ITEMS and home.name not in LISTS:  # out of a list that is none any more
            if holds:
                for each in list(kind.pieces()):
                    if each.type is not None and not each.alone and each.named != self._turn:
                        left = self._copy_tree(each, home, left)
                if left is not None:
                    self._scribe.link(piece, left.id)
        elif kind.name in ITEMS or home.name == piece.branch.name or holds:
            self._copy_tree(piece, home, left)

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

    def _copy_tree(self, piece: Piece, home: Branch, left: Piece | None) -> Piece:
        """Write a block again, with its attributes and with what was not deleted by itself."""
        scribe, kind = self._scribe, piece.type
        if kind is None:
            return scribe.copy(piece, home, left)
        name = kind.name
        if name in ITEMS:
            name = "taskItem" if home.name == "taskList" else "listItem"
        if kind.is_element:
            made, inner = scribe.open_element(name or "", home, left)
        else:
            made, inner = scribe.open_text(home, left)
        scribe.link(piece, made.id)
        if name == kind.name:
            scribe.copy_attributes(kind, inner)
        last = None
        for each in kind.pieces():
            if each.alone or each.named == self._turn or each.heir is not None:
                continue
            if each.type is not None or each.kind in _INLINE_CONTENT:
                last = self._copy_tree(each, inner, last)
        return made

    def _new_home(self, branch: Branch) -> Home | None:
        """Write a paragraph where a block was that has no heirs, and return its text."""
        top = branch.piece
        while top is not None and top.branch is not None and not top.branch.is_alive:
            top = top.branch.piece
        if top is None or top.branch is None:
            return None
        home, left = top.branch, top.left
        while home.piece is not None and home.name not in HOLDS_PARAGRAPHS:
            left, outer = home.piece, home.piece.branch
            if outer is None:
                return None
            home = outer
        _, block = self._scribe.open_element("paragraph", home, left)
        text, within = self._scribe.open_text(block, None)
        if branch.piece is not None:
            self._scribe.link(branch.piece, text.id)
        return within, None

    # Words beside what has moved.

    def _follow_moved(self) -> None:
        """Move words that stand beside a part that has moved into the block where it is now."""
        todo = self._written_beside_moved()
        for old, new in self._pairs():  # the words came first, and then the split
            if self._is_split(old, new):
                self._note_behind(old, todo)
        for emptied in self._emptied:  # others have written into the copy that was given up
            for piece in behind(emptied):
                if piece in self._emptied:
                    break
                if self._is_others_word(piece):
                    todo[piece] = None
        for piece in todo:
            if piece.type is None:
                self._move(piece)
            else:
                self._move_inline(piece)

    def _is_split(self, old: Piece, new: Piece) -> bool:
        """Whether a character has moved from a text that lives on into a new text."""
        if old.branch is None or not old.branch.is_alive or old.branch is new.branch:
            return False
        frame = _frame(new)
        return frame is not None and frame.turn == self._turn

    def _is_others_word(self, piece: Piece) -> bool:
        return not piece.dead and piece.kind in {STRING, EMBED} and piece.turn != self._turn

    def _note_behind(self, moved: Piece, todo: dict[Piece, None]) -> None:
        """Note what others have written behind a moved part, up to the next part that has moved."""
        texts: list[Piece | None] = [None]
        if moved.branch is not None and moved.branch.piece is not None:
            texts += behind(moved.branch.piece)
        for text in texts:
            if text is not None and is_inline(text) and not text.dead and text.turn != self._turn:
                todo[text] = None
            if text is not None and (text.type is None or text.type.reference != XML_TEXT):
                continue
            for piece in behind(moved) if text is None or text.type is None else text.type.pieces():
                if piece.named == self._turn and piece.kind == STRING:
                    return
                if self._is_others_word(piece) and not self._is_back(piece):
                    todo[piece] = None

    def _is_back(self, piece: Piece) -> bool:
        """Whether a word has been moved away from its text, and back into it."""
        source = self._root_of(piece)
        return source is not piece and source.branch is piece.branch

    def _written_beside_moved(self) -> dict[Piece, None]:
        """Return new words behind a part that has moved away, unknown to their author."""
        todo: dict[Piece, None] = {}
        fresh = set(self._change.fresh)
        for piece in fresh_inline(self._change.fresh):
            last = self._moved_before(piece)
            if last is not None and last.heir is not None and self._is_unaware(piece, last, last.heir[0]):
                todo[piece] = None
        branches = dict.fromkeys(piece.branch for piece in self._change.fresh if piece.kind in _INLINE_CONTENT)
        for branch in branches:
            if branch is None or not branch.is_alive or branch.reference != XML_TEXT or not branch.is_rich:
                continue
            left = _inline_before(branch)
            for piece in branch.pieces():
                if piece.kind == FORMAT:
                    continue
                if piece not in fresh or piece.named == self._turn or piece.source is not None:
                    if not piece.dead or (piece.heir is not None and not self._is_known_to_have_moved(piece)):
                        left = piece
                    continue
                if piece.dead or piece.kind not in {STRING, EMBED} or left is None:
                    continue
                if left in todo or (
                    left.dead and left.heir is not None and self._is_unaware(piece, left, left.heir[0])
                ):
                    todo[piece] = None
                left = piece
        return todo

    def _moved_before(self, element: Piece) -> Piece | None:
        """Return the last word before an element in its block, if that word has moved."""
        before = element.left
        while before is not None and (before.type is None or before.type.reference != XML_TEXT):
            before = before.left
        last = None
        for each in before.type.pieces() if before is not None and before.type is not None else ():
            # What its author has moved behind the element does not count.
            is_own = each.named == element.turn or (each.named == self._turn and each.was_dead)
            if each.kind == STRING and not is_own and (not each.dead or each.heir is not None):
                last = each
        return last if last is not None and last.dead else None

    def _is_unaware(self, piece: Piece, moved: Piece, mover: int) -> bool:
        """Whether the author of a piece did not know that the part beside it had moved."""
        after, author = self._change.after, self._change.author
        if after is not None:
            # A page says what the page before it has done offline too, under another client id.
            is_own = mover == piece.client or (author is not None and moved.killer == author)
            return moved.moved_at > after and not is_own
        right = None if piece.right_origin is None else self._sequences.find(*piece.right_origin)
        # Nobody who knows of the move writes before the dead.
        return right is not None and right.dead and right.heir is not None and right.branch is piece.branch

    def _is_known_to_have_moved(self, piece: Piece) -> bool:
        """Whether the author of the update has not seen a piece in its old place any more."""
        after = self._change.after
        return after is not None and 0 < piece.moved_at <= after

    def _move(self, piece: Piece) -> None:
        branch = piece.branch
        if branch is None or piece.dead:
            return
        left = self._left_with_place(piece)
        home = self._homes.of(branch, left)
        if left is None and (before := _inline_before(branch)) is not None:
            home = self._home_behind(before)
        if home is None or home == (branch, left) or home[0].reference != XML_TEXT:
            return
        self._scribe.copy(piece, *home)
        self._scribe.move(piece)
        self._scribe.delete(piece)

    def _left_with_place(self, piece: Piece) -> Piece | None:
        """Return the nearest word to the left that lives, or whose heir shows where it lives on.

        What the author of a new piece knew to have moved is no neighbour of that piece.
        """
        is_new = piece.turn == self._turn
        left = piece.left
        while left is not None and (
            left.kind == FORMAT
            or (left.dead and (left.heir is None or (is_new and self._is_known_to_have_moved(left))))
        ):
            left = left.left
        return left

    def _home_behind(self, element: Piece) -> Home | None:
        """Return the beginning of the text behind the heir of an element among words."""
        if element.heir is None:
            return None
        heir, _ = self._homes.living(*element.heir, 1)
        if heir.dead or heir.branch is None:
            return None
        text = heir.right
        while text is not None and text.dead:
            text = text.right
        if text is not None and text.type is not None and text.type.reference == XML_TEXT:
            return text.type, None
        return self._scribe.open_text(heir.branch, heir)[1], None

    def _move_inline(self, piece: Piece) -> None:
        last = self._moved_before(piece)
        if last is None or last.branch is None or piece.dead:
            return
        home = self._homes.of(last.branch, last)
        if home is not None and home[0] is not last.branch:
            self._write_inline(piece, *home)
            self._scribe.move(piece)
            self._scribe.delete(piece)

    # Marks.

    def _carry_marks(self) -> None:
        """Set marks on moved words which somebody has set on them in their old place."""
        moved: dict[Branch, dict[Piece, None]] = {}
        marks: dict[Branch, set[bytes]] = {}
        for old, new in self._pairs():
            if old.branch is not None and self._is_split(old, new):
                moved.setdefault(old.branch, {})[old] = None
        for branch, gone in moved.items():
            # Words that have followed the part belong to it.
            gone |= {each: None for each in branch.pieces() if each.kind == STRING and self._has_moved_now(each)}
            others = [each for each in branch.pieces() if each.kind == FORMAT and each.turn != self._turn]
            marks[branch] = {mark_of(each) for each in others}
        for piece in chain(self._change.fresh, self._change.already):
            within = piece.branch
            if piece.kind == FORMAT and within is not None and within.is_alive and within.is_rich:
                marks.setdefault(within, set()).add(mark_of(piece))
        for branch, names in marks.items():
            words = moved.get(branch) or {
                each: None
                for each in branch.pieces()
                if each.kind == STRING and each.heir is not None and self._is_unaware_of(each)
            }
            if words and names:
                self._carry_marks_of(branch, words, names)

    def _has_moved_now(self, piece: Piece) -> bool:
        return piece.heir is not None and piece.moved_at == self._change.seq

    def _is_unaware_of(self, moved: Piece) -> bool:
        after = self._change.after
        return after is not None and moved.moved_at > after and moved.killer != self._change.author

    def _carry_marks_of(self, branch: Branch, words: Iterable[Piece], names: set[bytes]) -> None:
        rows = sorted({piece.moved_at for piece in words})[-MOST_MOVES:]
        for row in rows:
            for name in sorted(names):
                wanted = self._wanted(branch, set(words), name, row)
                for text in dict.fromkeys(piece.branch for piece in wanted):
                    if text is None or text.reference != XML_TEXT:
                        continue
                    if _block_name(text) not in NO_FORMATS or _is_annotation(name):
                        self._set_mark(text, wanted, name)

    def _wanted(self, branch: Branch, words: set[Piece], name: bytes, row: int) -> dict[Piece, bytes | None]:
        """Return the value that a mark should have on each heir of words that moved in a row."""
        value: bytes | None = None
        wanted: dict[Piece, bytes | None] = {}
        for piece in list(branch.pieces()):
            if piece.kind == FORMAT and mark_of(piece) == name:
                if not piece.dead or (piece.killed_at == row and (piece.named != self._turn or not piece.was_dead)):
                    value = _value_of(piece)
            elif piece in words and piece.moved_at == row and piece.heir is not None:
                (client, clock), at = piece.heir, 0
                while at < piece.length:
                    living, length = self._homes.living(client, clock + at, piece.length - at)
                    if not living.dead:
                        wanted[living] = value
                    at += length
        return wanted

    def _set_mark(self, text: Branch, wanted: dict[Piece, bytes | None], name: bytes) -> None:
        """Set a mark where it is wanted otherwise, and leave it as it is behind."""
        scribe = self._scribe
        value: bytes | None = None
        set_: bytes | None = None
        is_within = False
        for piece in list(text.pieces()):
            if piece.dead:
                continue
            if piece.kind == FORMAT and mark_of(piece) == name:
                value = _value_of(piece)
                if is_within and piece.turn != self._turn:
                    scribe.delete(piece)
            elif piece.kind in {STRING, EMBED}:
                if piece in wanted and wanted[piece] != (set_ if is_within else value):
                    is_within, set_ = True, wanted[piece]
                    scribe.write(FORMAT, None, name + (set_ or _NULL), text, piece.left)
                elif piece not in wanted and is_within:
                    is_within = False
                    if set_ != value:
                        scribe.write(FORMAT, None, name + (value or _NULL), text, piece.left)
                last = piece
        if is_within and set_ != value:
            scribe.write(FORMAT, None, name + (value or _NULL), text, last)

    # Attributes.

    def _carry_attributes(self) -> None:
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


def _inline_before(text: Branch) -> Piece | None:
    """Return the element among words that stands before a text, if it lives or lives on."""
    before = None if text.piece is None else text.piece.left
    while before is not None and before.dead and before.heir is None:
        before = before.left
    return before if before is not None and is_inline(before) else None


def fresh_inline(fresh: Iterable[Piece]) -> Iterator[Piece]:
    """Yield new elements among words in blocks that live."""
    for piece in fresh:
        if not piece.dead and is_inline(piece) and piece.branch is not None and piece.branch.is_rich:
            yield piece


def mark_of(format_: Piece) -> bytes:
    """Return the encoded name of a format's mark."""
    length, at = read_varuint(format_.content, 0)
    return format_.content[: at + length]


def _is_annotation(mark: bytes) -> bool:
    """Whether an encoded name of a mark, with its length in front, is an annotation's."""
    return mark[1:].partition(b"--")[0] in ANNOTATIONS


def _value_of(format_: Piece) -> bytes | None:
    """Return the encoded value that a format gives its mark; None for none."""
    value = format_.content[len(mark_of(format_)) :]
    return None if value == _NULL else value


def _frame(piece: Piece) -> Piece | None:
    return None if piece.branch is None else piece.branch.piece


def _texts_of(block: Piece) -> Iterator[Branch]:
    for piece in block.type.pieces() if block.type is not None else ():
        if piece.type is not None and piece.type.reference == XML_TEXT:
            yield piece.type


def _is_among(pieces: Iterable[Piece], piece: Piece) -> bool:
    return any(each is piece for each in pieces)


def _block_around(piece: Piece) -> Piece | None:
    """Return what opened the innermost element around a piece."""
    frame = _frame(piece)
    while frame is not None and frame.type is not None and not frame.type.is_element:
        frame = _frame(frame)
    return frame


def _block_name(text: Branch) -> str | None:
    """Return the name of the element around a text."""
    outer = None if text.piece is None else text.piece.branch
    return None if outer is None else outer.name


def _formats_at(text: Branch, left: Piece | None) -> list[Piece]:
    """Return the formats that are in force in a text behind a piece."""
    formats: dict[bytes, Piece] = {}
    for piece in text.pieces() if left is not None else ():
        if piece.kind == FORMAT and not piece.dead:
            length, at = read_varuint(piece.content, 0)
            formats[piece.content[at : at + length]] = piece
        if piece is left:
            break
    return [piece for piece in formats.values() if not piece.content.endswith(b"\x04null")]


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
