"""Building of rich text: nodes as Yjs types, as the editor writes them (client_web/binding).

Attributes without a value are left out. Each run of words is one text, and a mark is a format under
its key. yrs writes whole numbers as BigInt, which no editor expects, so numbers are floats.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from pycrdt import XmlElement, XmlFragment, XmlText

from crdt.content.mark_keys import key_of
from crdt.content.tree import Node


def insert_blocks(root: XmlFragment, at: int, nodes: Iterable[Node]) -> int:
    """Insert blocks as children of the rich text. Return how many."""
    count = 0
    for count, node in enumerate(nodes, 1):
        _fill(root.children.insert(at + count - 1, _element(node)), node)
    return count


def _element(node: Node) -> XmlElement:
    given = {name: stored(value) for name, value in node.attributes.items() if value is not None}
    return XmlElement(node.type, given)


def _fill(element: XmlElement, node: Node) -> None:
    for is_text, group in groupby(node.content, lambda child: child.type == "text"):
        if is_text:
            _write(element.children.append(XmlText("")), tuple(group))
            continue
        for child in group:
            _fill(element.children.append(_element(child)), child)


def _write(text: XmlText, nodes: tuple[Node, ...]) -> None:
    text.insert(0, "".join(node.text for node in nodes))
    at = 0
    for node in nodes:
        end = at + length_of(node.text)
        if node.marks:
            text.format(at, end, formats_of(node))
        at = end


def formats_of(node: Node) -> dict[str, Any]:
    """Return the marks of words as Yjs formats."""
    return {key_of(mark): stored(mark.attributes) for mark in node.marks}


def length_of(words: str) -> int:
    """Return the length of words as yrs counts it here: in bytes of UTF-8."""
    return len(words.encode("utf-8", "replace"))


def stored(value: Any) -> Any:
    """Return an attribute as the document holds it, with floats for numbers."""
    match value:
        case bool() | None | str():
            return value
        case int() | float():
            return float(value)
        case list() | tuple():
            return [stored(each) for each in value]
        case dict():
            return {key: stored(each) for key, each in value.items()}
        case _:
            return None
