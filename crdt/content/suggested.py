"""A document without what is suggested in it, or as if everything were accepted.

The same rules hold in the page (client_web/editor/src/features/suggesting/settle.ts).
tests/vectors/suggested.json holds documents and both views of each.
"""

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeGuard

from msgspec import Struct
from msgspec.structs import replace

from crdt.content.schema import MARKS, NODES, bounded, missing
from crdt.content.shaping import Settled, shaped_rows
from crdt.content.tree import PROPOSALS, Mark, Node, completed, empty, in_order, joined

BREAK = "\u00b6"
"""The character that stands for a proposed end of a line."""

ATTRIBUTE = "suggestion"
"""The attribute of a node that is suggested itself, or for which somebody proposes something."""

SUGGESTING = ("insertion", "deletion", "formatting")
_MOVES = ("join", "wrap", "lift")
_KINDS = ("insert", "delete", "set", "join", "wrap", "lift")
_CELLS = ("tableCell", "tableHeader")
_ITEMS = ("listItem", "taskItem")
_ITEM_OF = {"bulletList": "listItem", "orderedList": "listItem", "taskList": "taskItem"}
_FRESH = {"look": None, "anchor": None, "checked": False}
"""What the second part of a line or an item that is cut has not."""

_VANISHING = ("bulletList", "orderedList", "taskList", "listItem", "taskItem", "blockquote", "callout")
"""Nodes that go when nothing is left in them."""


class View(StrEnum):
    """How suggestions are read: not at all, marked, or as if all of them were accepted."""

    WITHOUT = "without"
    INLINE = "inline"
    ACCEPTED = "accepted"


def seen(doc: Node, view: View) -> Node:
    """Return a document as a view shows it."""
    if view is View.INLINE or not _has(doc):
        return doc
    return completed("doc", {}, [node for _, node in seen_blocks(doc.content, view)])


def seen_blocks(blocks: Sequence[Node], view: View) -> list[tuple[int | None, Node]]:
    """Return blocks as a view shows them, each with the place of the block that it comes from.

    A block that comes from a part of another one has no place.
    """
    if view is View.INLINE or not any(map(_has, blocks)):
        return list(enumerate(blocks))
    return [(piece.origin, piece.node) for piece in _Settler(accepts=view is View.ACCEPTED).children("doc", blocks)]


def _has(node: Node) -> bool:
    return (
        node.attributes.get(ATTRIBUTE) is not None
        or node.attributes.get(PROPOSALS) is not None
        or any(mark.type in SUGGESTING for mark in node.marks)
        or any(map(_has, node.content))
    )


def _is_shaped(table: Node) -> bool:
    """Whether a node is a table for whose rows or columns something is suggested."""
    rows = table.content
    is_sound = table.type == "table" and all(
        row.type == "tableRow" and all(cell.type in _CELLS for cell in row.content) for row in rows
    )
    return is_sound and any(suggestions_of(node) for row in rows for node in (row, *row.content))


class _Piece(Struct, frozen=True):
    """A node on its way up.

    Attributes:
        apart: how many nodes around are cut before this one.
        up: how many nodes around this one leaves.
        act: the accepted suggestion that its parent carries out.
        origin: the place of the child that it comes from.
    """

    node: Node
    apart: int = 0
    up: int = 0
    act: dict[str, Any] | None = None
    origin: int | None = None


class _Part(Struct, frozen=True):
    """A part of what a node has become, or a node that has left it."""

    content: tuple[Node, ...] = ()
    apart: int = 0
    outside: _Piece | None = None


class _Settler(Struct, frozen=True):
    accepts: bool

    def children(self, parent: str, nodes: Sequence[Node]) -> list[_Piece]:
        out: list[_Piece] = []
        wrapped: object = None
        for at in range(len(nodes)):
            for index, found in enumerate(self._pieces(parent, nodes, at)):
                piece = replace(found, origin=at if index == 0 else None)
                kind = piece.act["kind"] if piece.act else None
                last = out[-1] if out else None
                merged = _joined_node(last.node, piece.node) if kind == "join" and last else None
                wrapper = _wrapper(piece.node, piece.act) if kind == "wrap" and piece.act else None
                if last and merged:
                    out[-1] = replace(last, node=merged)
                elif last and wrapper and (nested := _nested(last.node, wrapper)):
                    out[-1] = replace(last, node=nested)
                    continue
                elif wrapper and piece.act and piece.node.type not in _ITEMS:
                    if last and wrapped == piece.act.get("id"):
                        out[-1] = replace(last, node=replace(last.node, content=last.node.content + wrapper.content))
                    else:
                        out.append(_Piece(wrapper, origin=piece.origin))
                    wrapped = piece.act.get("id")
                    continue
                else:
                    out.append(piece)
                wrapped = None
        return out

    def _pieces(self, parent: str, nodes: Sequence[Node], at: int) -> list[_Piece]:
        node = nodes[at]
        if not _has(node):
            return [_Piece(node)]
        wanted = suggestions_of(node)
        if not self.accepts and any(each["kind"] == "insert" for each in wanted):
            return []
        if _is_shaped(node):
            return self._table(node, wanted)
        attributes = _without(node.attributes)
        parts = self._lines(node) if node.holds_words else self._parts(node)
        accepted = wanted if self.accepts else []
        if any(each["kind"] == "delete" for each in accepted) and all(_is_gone(node, part) for part in parts):
            return []
        # A block has one place: the last one counts that somebody proposes.
        move = next((each for each in reversed(accepted) if each["kind"] in _MOVES), None)
        earlier = accepted[: accepted.index(move)] if move else []
        sets = _sets([each for each in accepted if not _is_void(parent, nodes, at, each)])
        sets = [each for each in sets if not (each in earlier and move and _is_out_of_place(each, move))]
        is_lift = move is not None and move["kind"] == "lift"
        pieces = []
        for index, part in enumerate(parts):
            if part.outside:
                pieces.append(part.outside)
                continue
            if node.content and not node.holds_words and not part.content and node.type in _VANISHING:
                continue
            own = attributes if index == 0 else {**attributes, **{k: v for k, v in _FRESH.items() if k in attributes}}
            made = _changed(node, sets[0], own, part.content) if sets else _remade(node, own, part.content)
            for each in sets[1:]:
                made = _changed(made, each, made.attributes, made.content)
            act = move if index == 0 and not is_lift else None
            pieces.append(_Piece(made, part.apart, _levels(move) if is_lift else 0, act))
        return pieces

    def _table(self, table: Node, wanted: Sequence[dict[str, Any]]) -> list[_Piece]:
        """Settle a table for whose rows or columns something is suggested."""
        rows = shaped_rows(table, accepts=self.accepts, settle=self._cell)
        is_struck = self.accepts and any(each["kind"] == "delete" for each in wanted)
        if not rows or (is_struck and not any(map(_stays, rows))):
            return []
        return [_Piece(_remade(table, _without(table.attributes), tuple(rows)))]

    def _cell(self, node: Node) -> Settled:
        wanted = suggestions_of(node)
        new = next((each["id"] for each in wanted if each["kind"] == "insert"), None)
        content = tuple([piece.node for piece in self.children(node.type, node.content)])
        settled = _remade(node, _without(node.attributes), content)
        is_struck = any(each["kind"] == "delete" for each in wanted)
        return Settled(settled, new, is_struck, any(map(_stays, settled.content)))

    def _parts(self, node: Node) -> list[_Part]:
        """Cut a container before a piece that stands apart, and around one that leaves it.

        The items behind an item that leaves come into it.
        """
        parts: list[_Part] = []
        children: list[Node] = []
        apart = 0
        for piece in self.children(node.type, node.content):
            is_end = piece.up > 0 or piece.apart > 0
            if is_end and (children or (piece.apart > 0 and not parts)):
                parts.append(_Part(tuple(children), apart))
                children, apart = [], 0
            if piece.up > 0:
                parts.append(_Part(outside=replace(piece, up=piece.up - 1)))
                continue
            left = parts[-1].outside if parts and not children and piece.apart == 0 and node.type in _ITEMS else None
            if left and (nested := _nested(left.node, piece.node)):
                parts[-1] = _Part(outside=replace(left, node=nested))
                continue
            if piece.apart > 0:
                apart = piece.apart - 1
            children.append(piece.node)
        if children or not parts:
            parts.append(_Part(tuple(children), apart))
        return parts

    def _lines(self, node: Node) -> list[_Part]:
        lines: list[tuple[list[Node], int]] = [([], 0)]
        for child in node.content:
            if child.type != "text":
                lines[-1][0].extend(self._leaf(child))
                continue
            marks = self._marks(child)
            if marks is None:
                continue
            depth = _depth(child) if self.accepts else 0
            # What somebody types between two ends has their mark, and is words.
            words = child.text.split(BREAK) if depth else [child.text]
            for index, text in enumerate(words):
                if index > 0:
                    lines.append(([], depth - 1))
                if text:
                    lines[-1][0].append(Node("text", text=text, marks=marks))
        return [_Part(tuple(joined(words)), apart) for words, apart in lines]

    def _marks(self, node: Node) -> tuple[Mark, ...] | None:
        """Return the marks of words, or None if the words go."""
        marks = tuple(mark for mark in node.marks if mark.type not in SUGGESTING)
        for mark in node.marks:
            if mark.type == ("deletion" if self.accepts else "insertion"):
                return None
            if mark.type == "formatting" and self.accepts:
                marks = _formatted(marks, mark)
        return marks

    def _leaf(self, node: Node) -> list[Node]:
        wanted = suggestions_of(node)
        if not wanted:
            return [node]
        if any(each["kind"] == ("delete" if self.accepts else "insert") for each in wanted):
            return []
        given = _without(node.attributes)
        for each in _sets(wanted) if self.accepts else ():
            given = bounded({**given, **_attributes(each, node.type)})
        return [replace(node, attributes=given)]


def suggestions_of(node: Node) -> list[dict[str, Any]]:
    """Return all that is suggested for a node: that it comes, and what people propose for it.

    Strangers write the values: only sound ones count. What one person proposes in `suggestion`, as
    up to version 4 of the format, counts if the person has proposed nothing since.
    """
    own, held = node.attributes.get(ATTRIBUTE), node.attributes.get(PROPOSALS)
    later = [each for each in held if _is_sound(each) and each["kind"] != "insert"] if isinstance(held, list) else []
    if not _is_sound(own):
        return _in_time(later)
    if own["kind"] == "insert":
        return [own, *_in_time(later)]
    return _in_time(later if any(each["user"] == own["user"] for each in later) else [own, *later])


def _is_sound(value: Any) -> TypeGuard[dict[str, Any]]:
    if not isinstance(value, dict) or value.get("kind") not in _KINDS:
        return False
    return isinstance(value.get("id"), str) and isinstance(value.get("user"), str)


def _in_time(proposals: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(proposals, key=lambda each: (_time(each.get("at")), f"{each['user']} {each['id']}"))


def _time(at: Any) -> float:
    return at if isinstance(at, int | float) and not isinstance(at, bool) and math.isfinite(at) else 0


def _without(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if name not in (ATTRIBUTE, PROPOSALS)}


def _sets(accepted: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what a node is to become: another type first, for which attributes hold as well."""
    return sorted((each for each in accepted if each["kind"] == "set"), key=lambda each: "type" not in each)


def _depth(node: Node) -> int:
    """Return how many levels an end of a line cuts, or 0 for words."""
    for mark in node.marks:
        depth = mark.attributes.get("break")
        if mark.type == "insertion" and depth:
            return depth if isinstance(depth, int) and 0 < depth < 10 else 1
    return 0


def _levels(suggestion: dict[str, Any] | None) -> int:
    given = (suggestion or {}).get("attrs")
    levels = given.get("levels", 1) if isinstance(given, dict) else 1
    return levels if isinstance(levels, int) and 0 < levels < 10 else 1


def _attributes(suggestion: dict[str, Any], name: str) -> dict[str, Any]:
    given = suggestion.get("attrs")
    return (
        {key: value for key, value in given.items() if key in NODES[name].attributes} if isinstance(given, dict) else {}
    )


def _changed(node: Node, suggestion: dict[str, Any], own: dict[str, Any], content: tuple[Node, ...]) -> Node:
    name = suggestion.get("type", node.type)
    if not isinstance(name, str) or name not in NODES or node.type not in NODES or name in ("doc", "text"):
        return _remade(node, own, content)
    given = _attributes(suggestion, name)
    kept = own if name == node.type else {key: own[key] for key in NODES[name].attributes if key in own}
    attributes = bounded({**NODES[name].attributes, **kept, **given})
    # Items become others together with their list, also those that somebody has added since.
    item = _ITEM_OF.get(name)
    content = tuple([_as_item(item, child) if item else child for child in content])
    if NODES[name].holds_text != node.holds_words or not _fits(name, content):
        return _remade(node, own, content)
    return completed(name, attributes, list(content))


def _as_item(name: str, child: Node) -> Node:
    if child.type == name or child.type not in _ITEMS:
        return child
    kept = {key: value for key, value in child.attributes.items() if key in NODES[name].attributes}
    return completed(name, {**NODES[name].attributes, **kept}, list(child.content))


def _is_void(parent: str, nodes: Sequence[Node], at: int, suggestion: dict[str, Any]) -> bool:
    """Tell whether a line cannot become what is suggested where it stands.

    A heading begins no item of a list.
    """
    name = suggestion.get("type") if suggestion["kind"] == "set" else None
    if not isinstance(name, str) or name not in NODES or not NODES[name].holds_text or parent not in NODES:
        return False
    types = [node.type for node in nodes]
    return missing(parent, [*types[:at], name, *types[at + 1 :]]) != ([], [])


def _is_out_of_place(suggestion: dict[str, Any], move: dict[str, Any]) -> bool:
    """Tell whether a line of a kind cannot be where somebody has proposed since to put it."""
    name = suggestion.get("type")
    if not isinstance(name, str) or name not in NODES or not NODES[name].holds_text or move["kind"] != "wrap":
        return False
    return _wrapper(empty(name), move) is None


def _fits(name: str, content: tuple[Node, ...]) -> bool:
    return NODES[name].holds_text or missing(name, [child.type for child in content]) == ([], [])


def _remade(node: Node, attributes: dict[str, Any], content: tuple[Node, ...]) -> Node:
    if node.type not in NODES:
        return replace(node, attributes=attributes, content=content)
    return completed(node.type, attributes, list(content))


def _wrapper(node: Node, suggestion: dict[str, Any]) -> Node | None:
    name = suggestion.get("type")
    if not isinstance(name, str) or name not in NODES or NODES[name].holds_text:
        return None
    item = _ITEM_OF.get(name)
    if item and node.type != item and missing(item, [node.type]) != ([], []):
        return None
    inner = completed(item, dict(NODES[item].attributes), [node]) if item and node.type != item else node
    if missing(name, [inner.type]) != ([], []):
        return None
    return completed(name, bounded({**NODES[name].attributes, **_attributes(suggestion, name)}), [inner])


def _nested(item: Node, around: Node) -> Node | None:
    """Return an item with a list at its end, which goes on in one that is there.

    Return None for other blocks.
    """
    if item.type not in _ITEMS or not around.content or around.content[0].type != item.type:
        return None
    last = item.content[-1] if item.content else None
    if last and last.type == around.type:
        around = replace(last, content=last.content + around.content)
        return replace(item, content=(*item.content[:-1], around))
    return replace(item, content=(*item.content, around))


def _joined_node(before: Node, after: Node) -> Node | None:
    """Return two neighbours as one, or None if they cannot be."""
    if before.holds_words and after.holds_words and before.type in NODES:
        return completed(before.type, before.attributes, [*before.content, *after.content])
    if before.type != after.type or before.holds_words or not before.content or not after.content:
        return None
    last, first = before.content[-1], after.content[0]
    seam = _joined_node(last, first) if last.holds_words and first.holds_words else None
    children = (*before.content[:-1], seam, *after.content[1:]) if seam else (*before.content, *after.content)
    return replace(before, content=children)


def _formatted(marks: tuple[Mark, ...], mark: Mark) -> tuple[Mark, ...]:
    removed = mark.attributes.get("remove")
    added = mark.attributes.get("add")
    names = removed if isinstance(removed, list) else []
    held = {each.type: each for each in marks if each.type not in names}
    beside = [each for each in marks if each.type not in names and held[each.type] is not each]
    for each in added if isinstance(added, list) else []:
        name = each.get("type") if isinstance(each, dict) else None
        if isinstance(name, str) and name in MARKS:
            given = each.get("attrs")
            known = {k: v for k, v in given.items() if k in MARKS[name].attributes} if isinstance(given, dict) else {}
            held[name] = Mark(name, {**MARKS[name].attributes, **known})
    return in_order([*held.values(), *beside])


def _is_gone(node: Node, part: _Part) -> bool:
    return _is_nothing(part.outside.node) if part.outside else _is_nothing(replace(node, content=part.content), node)


def _is_nothing(node: Node, before: Node | None = None) -> bool:
    """Tell whether nothing is left in a node that is to go."""
    if _is_leaf(before or node):
        return True
    return not any(_stays(child) for child in node.content)


def _stays(node: Node) -> bool:
    return node.type == "text" or _is_leaf(node) or any(map(_stays, node.content))


def _is_leaf(node: Node) -> bool:
    known = NODES.get(node.type)
    return known is not None and known.content == "" and node.type != "text"
