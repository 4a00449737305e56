"""Tree of a document's rich text, as ProseMirror's JSON and the editor's `getJSON` have it.

The same holds here as in the editor (client_web/binding/src/reading.ts): absent attributes have
their defaults, marks stand in the schema's order, and what a rule asks for and is missing is there,
empty. Nothing is left out. A node, mark or attribute that the schema lacks is kept as it is stored.
Text among blocks becomes a paragraph.

Hostile content can make reading endless, so that only the sandbox may call `tree`.
"""

import json
import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import Any

from msgspec import Struct, field
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from crdt.content.schema import ANNOTATIONS, MARKS, NODES, RANKS, SCHEMA, bounded, missing
from crdt.errors import Code, ProtocolError
from crdt.suggestions.marks import is_proposal_key, kind_of, proposal_key_of
from crdt.yjs.wrapping import MARK_CHARACTER

PROPOSALS = "proposals"
"""The attribute that holds what people propose for a node, as the editor's binding reads it."""

MOST_LEVELS = 200
"""Levels of a document that is read. The editor opens no deeper one."""

_HASHED = re.compile(r"(.*)--[a-zA-Z0-9+/=]{8}", re.DOTALL)
"""The key of a mark that may stand beside others of its type."""

_WRAPPED = re.compile(re.escape(2 * MARK_CHARACTER) + r"J([A-Za-z0-9+/]*=*)\.")
"""A format's JSON that yrs would have changed (crdt/yjs/wrapping.py)."""

EMBED = "embed"
"""The name of what stands in a text and is no text. The schema has nothing like it."""

Attributes = dict[str, Any]


class Mark(Struct, frozen=True):
    """A mark. `attributes` are complete."""

    type: str
    attributes: Attributes = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {"type": self.type, "attrs": self.attributes} if self.attributes else {"type": self.type}


class Node(Struct, frozen=True):
    """A node. Its type is `text` if it has words, and only then it has marks."""

    type: str
    attributes: Attributes = field(default_factory=dict)
    content: "tuple[Node, ...]" = ()
    text: str = ""
    marks: tuple[Mark, ...] = ()

    @property
    def is_inline(self) -> bool:
        """Whether it stands among words. What the schema lacks does where words are beside it."""
        known = NODES.get(self.type)
        return self.type == EMBED if known is None else known.inline

    @property
    def holds_words(self) -> bool:
        """Whether its content is a line of words rather than blocks."""
        known = NODES.get(self.type)
        return any(child.is_inline for child in self.content) if known is None else known.holds_text

    def to_json(self) -> dict[str, Any]:
        written: dict[str, Any] = {"type": self.type}
        if self.attributes:
            written["attrs"] = self.attributes
        if self.content:
            written["content"] = [child.to_json() for child in self.content]
        if self.marks:
            written["marks"] = [mark.to_json() for mark in self.marks]
        if self.type == "text":
            written["text"] = self.text
        return written


def tree(doc: "Doc[Any]", blocks: int | None = None) -> Node:
    """Read a document's rich text, or its first blocks.

    Raises ProtocolError(too_large) if it is nested too deeply.
    """
    root = doc.get(SCHEMA.fragment, type=XmlFragment)
    with doc.transaction():
        return completed("doc", {}, _children(root, 1, blocks))


def read_element(element: XmlElement) -> Node:
    """Read one block of the rich text. Raises ProtocolError(too_large)."""
    return _element(element, 1)


def read_words(texts: Iterable[XmlText]) -> Node | None:
    """Read words that stand among blocks, as a paragraph. Return None if there are none."""
    words = tuple(joined(piece for text in texts for piece in _pieces(text)))
    return line_of(words) if words else None


def line_of(nodes: Iterable[Node]) -> Node:
    """Return words as a paragraph."""
    return Node("paragraph", NODES["paragraph"].attributes, tuple(nodes))


def _children(parent: XmlFragment | XmlElement, level: int, most: int | None = None) -> list[Node]:
    if level > MOST_LEVELS:
        raise ProtocolError(Code.TOO_LARGE, "This document is nested too deeply to be read.")
    nodes: list[Node] = []
    for child in islice(parent.children, most):
        if isinstance(child, XmlText):
            nodes += _pieces(child)
        elif isinstance(child, XmlElement):
            nodes.append(_element(child, level))
    return nodes


def _element(element: XmlElement, level: int) -> Node:
    name = element.tag or ""
    children = _children(element, level + 1)
    attributes, proposals = dict[str, Any](), list[dict[str, Any]]()
    for key, held in element.attributes.__iter__():
        if is_proposal_key(key):
            proposals += _proposal(key, _plain(held))
        elif kind_of(key) is None:  # a comment on a picture is no content
            attributes[key] = _plain(held)
    if proposals:
        attributes[PROPOSALS] = sorted(proposals, key=lambda each: each["user"])
    known = NODES.get(name)
    if known is None or name in ("doc", "text"):
        return Node(name, attributes, tuple(joined(children)))
    return completed(name, bounded({**known.attributes, **attributes}), children)


def _proposal(key: str, value: Any) -> list[dict[str, Any]]:
    """Return what somebody proposes for a node, in a list; nothing under another's key."""
    is_own = isinstance(value, dict) and isinstance(value.get("user"), str) and key == proposal_key_of(value["user"])
    return [value] if is_own else []


def completed(name: str, attributes: Attributes, children: list[Node]) -> Node:
    known = NODES[name]
    if known.holds_text:
        bare = children if known.marks == "_" else [_annotated_only(child) for child in children]
        return Node(name, attributes, tuple(joined(bare)))
    blocks = tuple(_blocks(children))
    lacking = missing(name, [child.type for child in blocks])
    before, behind = lacking or ((), ())
    return Node(name, attributes, (*map(empty, before), *blocks, *map(empty, behind)))


def empty(name: str) -> Node:
    return completed(name, dict(NODES[name].attributes), [])


def _blocks(children: list[Node]) -> Iterator[Node]:
    for is_text, group in groupby(children, lambda child: child.type in ("text", EMBED)):
        if is_text:
            yield line_of(joined(group))
        else:
            yield from group


def _pieces(text: XmlText) -> Iterator[Node]:
    for content, formats in text.diff():
        if isinstance(content, str):
            yield Node("text", text=content, marks=_marks(formats or {}))
        else:
            yield Node(EMBED, {"value": _plain(content)})


def _marks(formats: dict[str, Any]) -> tuple[Mark, ...]:
    marks = []
    for key, held in sorted(formats.items()):
        value = _plain(held)
        if value is None:
            continue
        hashed = _HASHED.fullmatch(key)
        name = hashed[1] if hashed else key
        usual = MARKS[name].attributes if name in MARKS else {}
        marks.append(Mark(name, {**usual, **value} if isinstance(value, dict) else dict(usual)))
    return in_order(marks)


def in_order(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """Return marks in the schema's order.

    Marks of one kind have the order that the editor gives them (client_web/binding/src/marks.ts).
    """
    return tuple(sorted(marks, key=lambda mark: (RANKS.get(mark.type, len(RANKS)), _said(mark))))


def _said(mark: Mark) -> str:
    return json.dumps(mark.attributes, ensure_ascii=False, separators=(",", ":"))


def _annotated_only(node: Node) -> Node:
    marks = tuple(mark for mark in node.marks if mark.type not in MARKS or mark.type in ANNOTATIONS)
    return node if marks == node.marks else Node("text", text=node.text, marks=marks)


def without_annotations(node: Node) -> Node:
    """Return a node as it is without what people say about its words."""
    if node.type == "text":
        marks = tuple(mark for mark in node.marks if mark.type not in ANNOTATIONS)
        return node if marks == node.marks else Node("text", text=node.text, marks=marks)
    content = tuple(joined(map(without_annotations, node.content)))
    return Node(node.type, node.attributes, content) if content != node.content else node


def joined(nodes: Iterable[Node]) -> Iterator[Node]:
    """Yield the nodes with neighbouring texts of the same marks as one."""
    last: Node | None = None
    for node in nodes:
        if last is not None and last.type == node.type == "text" and last.marks == node.marks:
            last = Node("text", text=last.text + node.text, marks=last.marks)
            continue
        if last is not None:
            yield last
        last = node
    if last is not None:
        yield last


def _plain(value: object) -> Any:
    """Return a stored value as JSON has it. yrs knows no whole numbers."""
    match value:
        case str():
            wrapped = _WRAPPED.fullmatch(value)
            return _plain(json.loads(b64decode(wrapped[1]))) if wrapped else _sound(value)
        case float():
            return int(value) if value.is_integer() and abs(value) < 2**53 else value
        case None | bool() | int():
            return value
        case list():
            return [_plain(each) for each in value]
        case dict():
            return {_sound(key): _plain(each) for key, each in value.items()}
        case _:
            return None


def _sound(words: str) -> str:
    """Return words without halves of surrogate pairs, which no answer can be written with."""
    return words.encode("utf-8", "replace").decode()
