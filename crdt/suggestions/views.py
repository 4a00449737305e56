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

from crdt.permissions import not_a_suggestion
from crdt.suggestions.form import Form, check_table
from crdt.suggestions.marks import (
    ATTRIBUTE,
    BLOCK_KINDS,
    INSERT,
    INSERTION,
    PROPOSAL_KINDS,
    Pair,
    canonical,
    is_of,
    is_proposal_key,
    key_of,
    kind_of,
    plain,
    proposal_key_of,
)

PART = 10
"""What a proposed element, a mark or an empty text counts. A document takes fewer than characters.

A character with a mark of its own is three structs, and `GateLimits.document_structs` is for all.
"""

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


def view_of(node: Any, user: str, *, collects: bool = False, form: Form | None = None) -> View:
    """Return a view of one child of the text's root. `collects`: with the person's own marks.

    `form` is what the person's own content must have. Raises ProtocolError(not_a_suggestion).
    """
    viewer = _Viewer(user, form, collects=collects)
    content = tuple(viewer.children("doc", [node]))
    return View(content, viewer.own, tuple(viewer.lent), frozenset(viewer.lent_marks), frozenset(viewer.marks))


class _Line:
    """Words and what stands among them, up to the end of their block."""

    def __init__(self) -> None:
        self.left: Kept = ()
        """The others' marks of the last words that are not own pending ones."""
        self.unsure: list[Kept] = []
        """The others' marks of the own pending words behind them."""


class _Viewer:
    def __init__(self, user: str, form: Form | None, *, collects: bool) -> None:
        self._user = user
        self._form = form
        self._level = 0
        self._collects = collects
        self._inside = 0
        """Levels of own pending blocks around."""
        self.own = 0
        self.lent: list[tuple[str, Kept]] = []
        self.lent_marks: set[Pair] = set()
        self.marks: set[Pair] = set()

    def children(self, tag: str, nodes: Any) -> list[Any]:
        out: list[Any] = []
        line = _Line()
        kinds: list[str] = []
        others: list[str] = []
        """What stands there, and what of it is not proposed."""
        for node in nodes:
            if isinstance(node, XmlText):
                before = self.own
                pieces = self._text(node, line, out)
                if pieces:
                    others.append("text")
                if pieces or self.own > before:
                    kinds.append("text")
                else:
                    self.own += PART
            elif isinstance(node, XmlElement):
                element = self._element(node)
                out += element
                kinds.append(node.tag or "")
                others += [each[0] for each in element]
            elif isinstance(node, XmlFragment):
                out.append(("fragment", tuple(self.children("", node.children))))
            else:
                out.append(("?", repr(type(node))))
        self._sort_out(line, ())
        if self._form is not None and (self._inside or len(others) < len(kinds)):
            self._form.check_children(tag, kinds, None if self._inside else others)
        return [("#", tuple(each[1])) if each[0] == "#" else each for each in out]

    def _text(self, text: XmlText, line: _Line, out: list[Any]) -> bool:
        """Add what is left of a text to `out`; return whether there is anything."""
        attributes, _ = self._attributes(text)
        if attributes and self._inside and self._form is not None:
            raise not_a_suggestion("gives a text an attribute, which no editor writes")
        if attributes:
            out.append(("@", attributes))
        pieces = list(self._pieces(text, line))
        if pieces and out and out[-1][0] == "#":
            out[-1] = ("#", _joined(out[-1][1] + pieces))
        elif pieces:
            out.append(("#", _joined(pieces)))
        return bool(pieces)

    def _element(self, element: XmlElement) -> list[Any]:
        attributes, is_own = self._attributes(element)
        form, tag = self._form, element.tag or ""
        seen = form.elements if form is not None else 0
        self._inside += is_own
        self._level += 1
        if self._inside:
            held = {name: plain(value) for name, value in element.attributes.__iter__()}
            self.own += PART * (1 + len(held)) + sum([len(each) for each in held.values() if isinstance(each, str)])
            if form is not None:
                form.check_element(tag, held, self._level)
        content = self.children(tag, element.children)
        self._level -= 1
        self._inside -= is_own
        if form is not None and tag == "table" and form.elements > seen:
            check_table(element)
        return [] if is_own else [(element.tag, attributes, tuple(content))]

    def _attributes(self, node: XmlElement | XmlText) -> tuple[Kept, bool]:
        """Return the attributes that count, and whether the node is an own pending block."""
        kept, theirs, is_own = [], [], False
        for name, held in node.attributes.__iter__():
            value = plain(held)
            kind = kind_of(name)
            if name == ATTRIBUTE and is_of(value, self._user) and value.get("kind") in BLOCK_KINDS:
                is_own = value["kind"] == INSERT
                self._owns(ATTRIBUTE, value)
            elif self._is_own_proposal(name, value):
                self._owns(ATTRIBUTE, value)
            elif kind == "comment" and is_of(value, self._user) and name == key_of(kind, _comment(value)):
                self._owns(kind, value)  # a comment on a picture
            else:
                pair = name, canonical(value)
                kept.append(pair)
                if value is not None and (name == ATTRIBUTE or kind is not None or is_proposal_key(name)):
                    theirs.append(pair)
        if self._inside or is_own:
            self.lent_marks.update(theirs)
        return tuple(sorted(kept)), is_own

    def _is_own_proposal(self, name: str, value: Any) -> bool:
        """Whether an attribute is what this person proposes for a block, under their own key."""
        return (
            is_proposal_key(name)
            and is_of(value, self._user)
            and value.get("kind") in PROPOSAL_KINDS
            and name == proposal_key_of(self._user)
        )

    def _owns(self, kind: str, value: dict[str, Any]) -> None:
        self.own += PART
        if self._form is not None:
            self._form.check_own(kind, value)

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
                    self._owns(kind, value)
                    if self._collects:
                        self.marks.add((key, canonical(value)))
                    continue
                pair = key, canonical(value)
                if kind is not None:
                    theirs.append(pair)
                    self.marks.add(pair)
                kept.append(pair)
            if self._form is not None and (self._inside or is_own):
                self._check_formats(formats or {})
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

    def _check_formats(self, formats: Any) -> None:
        for key, held in formats.items():
            value = plain(held)
            if value is not None and kind_of(key) is None and self._form is not None:
                self._form.check_mark(key, value)

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
