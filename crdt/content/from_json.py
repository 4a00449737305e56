"""Blocks from ProseMirror's JSON, held to the schema.

What the schema does not know is refused by its name. What a node lacks is added empty, as the
editor does.
"""

from typing import Any

from crdt.content.mark_keys import key_of
from crdt.content.schema import MARKS, NODES, RANKS, bounded, missing
from crdt.content.tree import MOST_LEVELS, Mark, Node, completed
from crdt.errors import Code, ProtocolError


def blocks_of_json(value: object) -> list[Node]:
    """Read a `doc`, or a list of blocks.

    Raises ProtocolError: malformed, or too_large if it is nested too deeply.
    """
    # What reading has given has more beside the content, and may be sent back as it is.
    if isinstance(value, dict) and value.get("type") == "doc":
        value = value.get("content", [])
    return _nodes(value, "doc", 1)


def _nodes(value: object, parent: str, level: int) -> list[Node]:
    if not isinstance(value, list):
        raise _bad(f"The content of `{parent}` must be a list of nodes.")
    if level > MOST_LEVELS:
        raise ProtocolError(Code.TOO_LARGE, "The content is nested too deeply.")
    nodes = [_node(each, level) for each in value]
    known = NODES[parent]
    if known.holds_text:
        for node in nodes:
            if not node.is_inline or (known.content == "text*" and node.type != "text"):
                raise _bad(f"`{parent}` cannot hold `{node.type}`.")
    elif missing(parent, [node.type for node in nodes]) is None:
        held = ", ".join(dict.fromkeys(node.type for node in nodes))
        raise _bad(f"`{parent}` cannot hold this: {held}.")
    return nodes


def _node(value: object, level: int) -> Node:
    if not isinstance(value, dict):
        raise _bad("A node must be an object.")
    name = value.get("type")
    if not isinstance(name, str) or name not in NODES or name == "doc":
        raise _bad(f"There is no node `{_named(name)}`.")
    if strange := value.keys() - {"type", "attrs", "content", "marks", "text"}:
        raise _bad(f"Unknown in a node `{name}`: {_named(min(strange))}.")
    if name == "text":
        words = value.get("text")
        if not isinstance(words, str) or not words:
            raise _bad("A text must have `text`, and it may not be empty.")
        return Node("text", text=_sound(words), marks=_marks(value.get("marks", [])))
    attributes = _attributes(value.get("attrs") or {}, name, NODES[name].attributes)
    return completed(name, bounded(attributes), _nodes(value.get("content", []), name, level + 1))


def _marks(value: object) -> tuple[Mark, ...]:
    if not isinstance(value, list):
        raise _bad("`marks` must be a list.")
    marks = {}
    for each in value:
        name = each.get("type") if isinstance(each, dict) else None
        if not isinstance(name, str) or name not in MARKS:
            raise _bad(f"There is no mark `{_named(name)}`.")
        mark = Mark(name, _attributes(each.get("attrs") or {}, name, MARKS[name].attributes))
        marks[key_of(mark)] = mark
    return tuple(sorted(marks.values(), key=lambda mark: RANKS[mark.type]))


def _attributes(given: object, name: str, usual: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise _bad(f"The attributes of `{name}` must be an object.")
    if strange := given.keys() - usual.keys():
        raise _bad(f"`{name}` has no attribute `{_named(min(strange))}`.")
    return {**usual, **{key: _value(value, name, key) for key, value in given.items()}}


def _value(value: object, name: str, key: str) -> Any:
    match value:
        case str():
            return _sound(value)
        case None | bool() | int() | float():
            return value
        case list() if all(each is None or isinstance(each, int | float) for each in value):
            return value
        case _:
            raise _bad(f"The attribute `{key}` of `{name}` has a value that no editor writes.")


def _sound(words: str) -> str:
    return words.encode("utf-8", "replace").decode()


def _named(name: object) -> str:
    return _sound(str(name)[:40])


def _bad(sentence: str) -> ProtocolError:
    return ProtocolError(Code.MALFORMED, sentence)
