"""Rewriting: blocks, elements among words and paragraphs that the server writes anew."""

from crdt.rescue.blocks import HOLDS_PARAGRAPHS, INLINE_CONTENT, ITEMS, NO_FORMATS, behind
from crdt.rescue.formats import NO_VALUE, mark_of
from crdt.rescue.homes import Home
from crdt.rescue.scribe import Scribe
from crdt.rescue.sequences import Branch, Piece
from crdt.yjs.contents import FORMAT, STRING, XML_TEXT


class Rewriting:
    """What is written anew in answer to one update."""

    def __init__(self, scribe: Scribe) -> None:
        self._scribe = scribe
        self._turn = scribe.change.turn

    def copy_tree(self, piece: Piece, home: Branch, left: Piece | None) -> Piece:
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
            if each.type is not None or each.kind in INLINE_CONTENT:
                last = self.copy_tree(each, inner, last)
        return made

    def write_inline(self, piece: Piece, within: Branch, left: Piece | None) -> None:
        if within.reference != XML_TEXT:
            self.copy_tree(piece, within, left)
            return
        frame = within.piece
        outer = None if frame is None else frame.branch
        if frame is None or outer is None:
            return
        if outer.name not in NO_FORMATS:
            self._move_tail(within, left, outer, self.copy_tree(piece, outer, frame))
        elif piece.type is not None and piece.type.name == "hardBreak":
            made = self._scribe.write(STRING, "\n", b"", within, left)
            self._scribe.link(piece, made.id)
            self._scribe.derive(made, piece)

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

    def new_home(self, branch: Branch) -> Home | None:
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


def _formats_at(text: Branch, left: Piece | None) -> list[Piece]:
    """Return the formats that are in force in a text behind a piece."""
    formats: dict[bytes, Piece] = {}
    for piece in text.pieces() if left is not None else ():
        if piece.kind == FORMAT and not piece.dead:
            formats[mark_of(piece)] = piece
        if piece is left:
            break
    return [piece for piece in formats.values() if not piece.content.endswith(NO_VALUE)]
