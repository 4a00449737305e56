"""Views: a part of the text without what one person has pending in it.

Two views of a block are the same before and after an update if the update has left alone everything
that is not its author's own pending content: accepted words, their formats and structure, other
people's suggestions and comments. Three rules:

1. Own pending words and blocks are not there. An own strike, format or comment does not count.
2. An empty text is nothing, and neighbouring texts are one: bindings cut texts as they need them.
3. Inside of own pending content nothing may be in another's name, unless it stood there before. Own
   words in the middle of another's pending words carry the other's marks as well, so a mark that
   stands beside them too is none of their own making.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from pycrdt import XmlElement, XmlFragment, XmlText

from crdt.suggestions.marks import (
    ATTRIBUTE,
    BLOCK_KINDS,
    INSERT,
    INSERTION,
    Pair,
    canonical,
    is_of,
    key_of,
    kind_of,
    plain,
)

Kept = tuple[Pair, ...]
"""The formats of a piece of text that count."""


class View(NamedTuple):
    """A block or a text without somebody's own pending content.

    Attributes:
        content: what is left; empty if all of it is pending.
        own: characters and other things of the person's that are pending.
        lent: words of others inside of own pending content, in order, with their marks.
        lent_marks: what else stands in others' names inside of own pending content.
        marks: all marks of comments and suggestions in it, whose ever they are, if asked for.
    """

    content: tuple[Any, ...]
    own: int
    lent: tuple[tuple[str, Kept], ...]
    lent_marks: frozenset[Pair]
    marks: frozenset[Pair]


def view_of(node: Any, user: str, *, collects: bool = False) -> View:
    """Return a view of one child of the text's root. `collects`: with the person's own marks."""
    viewer = _Viewer(user, collects=collects)
    content = tuple(viewer.children([node]))
    return View(content, viewer.own, tuple(viewer.lent), frozenset(viewer.lent_marks), frozenset(viewer.marks))


class _Line:
    """Words and what stands among them, up to the end of their block."""

    def __init__(self) -> None:
        self.left: Kept = ()
        """The others' marks of the last words that are not own pending ones."""
        self.unsure: list[Kept] = []
        """The others' marks of the own pending words behind them."""


class _Viewer:
    def __init__(self, user: str, *, collects: bool) -> None:
        self._user = user
        self._collects = collects
        self._inside = 0
        """Levels of own pending blocks around."""
        self.own = 0
        self.lent: list[tuple[str, Kept]] = []
        self.lent_marks: set[Pair] = set()
        self.marks: set[Pair] = set()

    def children(self, nodes: Any) -> list[Any]:
        out: list[Any] = []
        line = _Line()
        for node in nodes:
            if isinstance(node, XmlText):
                attributes, _ = self._attributes(node)
                if attributes:
                    out.append(("@", attributes))
                pieces = list(self._pieces(node, line))
                if pieces and out and out[-1][0] == "#":
                    out[-1] = ("#", _joined(out[-1][1] + pieces))
                elif pieces:
                    out.append(("#", _joined(pieces)))
            elif isinstance(node, XmlElement):
                out += self._element(node)
            elif isinstance(node, XmlFragment):
                out.append(("fragment", tuple(self.children(node.children))))
            else:
                out.append(("?", repr(type(node))))
        self._sort_out(line, ())
        return [("#", tuple(each[1])) if each[0] == "#" else each for each in out]

    def _element(self, element: XmlElement) -> list[Any]:
        attributes, is_own = self._attributes(element)
        self._inside += is_own
        content = self.children(element.children)
        self._inside -= is_own
        return [] if is_own else [(element.tag, attributes, tuple(content))]

    def _attributes(self, node: XmlElement | XmlText) -> tuple[Kept, bool]:
        """Return the attributes that count, and whether the node is an own pending block."""
        kept, theirs, is_own = [], [], False
        for name, held in node.attributes.__iter__():
            value = plain(held)
            kind = kind_of(name)
            if name == ATTRIBUTE and is_of(value, self._user) and value.get("kind") in BLOCK_KINDS:
                is_own = value["kind"] == INSERT
                self.own += 1
            elif kind == "comment" and is_of(value, self._user) and name == key_of(kind, _comment(value)):
                self.own += 1  # a comment on a picture
            else:
                pair = name, canonical(value)
                kept.append(pair)
                if value is not None and (name == ATTRIBUTE or kind is not None):
                    theirs.append(pair)
        if self._inside or is_own:
            self.lent_marks.update(theirs)
        return tuple(sorted(kept)), is_own

    def _pieces(self, text: XmlText, line: _Line) -> Iterator[tuple[Any, Kept]]:
        for chunk, formats in text.diff():
            kept: list[Pair] = []
            theirs: list[Pair] = []
            is_own = False
            for key, held in (formats or {}).items():
                kind, value = kind_of(key), plain(held)
                if value is None:
                    continue
                if kind is not None and is_of(value, self._user):
                    is_own |= kind == INSERTION
                    self.own += 1
                    if self._collects:
                        self.marks.add((key, canonical(value)))
                    continue
                pair = key, canonical(value)
                if kind is not None:
                    theirs.append(pair)
                    self.marks.add(pair)
                kept.append(pair)
            words = chunk if isinstance(chunk, str) else repr(chunk)
            their_marks = tuple(sorted(theirs))
            if self._inside:
                self.own += len(words)
                self._lend(words, their_marks)
            elif is_own:
                self.own += len(words)
                line.unsure.append(their_marks)
            elif words:
                self._sort_out(line, their_marks)
                yield (words, tuple(sorted(kept))) if isinstance(chunk, str) else ((words,), tuple(sorted(kept)))

    def _lend(self, words: str, theirs: Kept) -> None:
        insertions = tuple([pair for pair in theirs if kind_of(pair[0]) == INSERTION])
        if insertions:
            self.lent.append((words, insertions))
        self.lent_marks.update(theirs)

    def _sort_out(self, line: _Line, right: Kept) -> None:
        """Find others' marks on own pending words that no words beside them carry."""
        for theirs in line.unsure:
            self.lent_marks.update(pair for pair in theirs if pair not in line.left and pair not in right)
        line.unsure.clear()
        line.left = right


def _comment(value: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of a comment's mark in the schema's order, which the engine forgets."""
    return {name: value[name] for name in ("id", "user")} | value


def _joined(pieces: list[tuple[Any, Kept]]) -> list[tuple[Any, Kept]]:
    out: list[tuple[Any, Kept]] = []
    for words, kept in pieces:
        if out and out[-1][1] == kept and isinstance(words, str) and isinstance(out[-1][0], str):
            out[-1] = (out[-1][0] + words, kept)
        else:
            out.append((words, kept))
    return out
