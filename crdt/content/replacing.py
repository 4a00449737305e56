"""Replacement of a whole document by another content, block by block.

Blocks that stay the same keep their Yjs items, and with them carets, comments and what others write
there at the same time. Two blocks are the same if they say the same in the form of the content: a
document that is read as Markdown and written back keeps its colours. Blocks that say nothing in
that form stay where they are.

A block that has changed and has the same kind keeps its item too, and only its words are changed,
if it is a line of words. Only the sandbox may do so.

A content is compared with the document without what is suggested, because so it was read. Proposed
words and blocks stay where they are, and strikes stay on words that stay.
"""

from collections.abc import Collection, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from crdt.content.blocks import Block, Blocks
from crdt.content.building import formats_of, insert_blocks, length_of, stored
from crdt.content.edits import Made, Replacement, Sent, Source
from crdt.content.html import HtmlWriter
from crdt.content.making import recorded
from crdt.content.markdown import markdown
from crdt.content.reading import read
from crdt.content.schema import ANNOTATIONS, NODES, SCHEMA
from crdt.content.suggested import SUGGESTING, View, seen_blocks
from crdt.content.tree import Node, without_annotations

_UNSAID = {
    "markdown": frozenset({"textAlign", "dir", "indent", "lineHeight", "anchor", "look"}),
    "html": frozenset({"colwidth"}),
    "json": frozenset(),
}
"""Attributes that a content in this form does not tell, so that a line keeps them."""


def replaced(doc: "Doc[Any]", order: Replacement) -> Made:
    """Make a document say what a content says, in one transaction.

    Raises ProtocolError (malformed, other_format, too_large).
    """
    content = read(order.source, order.base)
    blocks = Blocks(doc)
    blocks.check_rich_text()
    speech = _Speech(order.source.form, order.base)

    def act() -> tuple[str, ...]:
        root = doc.get(SCHEMA.fragment, type=XmlFragment)
        # From the end, so that the places of the blocks before stay right.
        for step in reversed(list(_steps(blocks.all, content.blocks, speech))):
            _carry_out(root, step, speech)
        return content.lost

    return recorded(doc, blocks, act)


class _Speech(Struct, frozen=True):
    """Blocks as they are said in the form of a content."""

    form: Sent
    base: str

    @property
    def has_annotations(self) -> bool:
        """Whether a content in this form says what people have noted about its words."""
        return self.form == "json"

    def say(self, node: Node) -> str:
        match self.form:
            case "markdown":
                return markdown(Node("doc", content=(node,)), self.base)
            case "html":
                return HtmlWriter(self.base).block(without_annotations(node))
            case "json":
                return msgspec.json.encode(node.to_json()).decode()

    def say_again(self, node: Node, wanted: Collection[str]) -> str:
        """Return a block as it is said once it was said and read.

        A break at the end of a cell is lost on that way, for example. Without this, writing back
        what was read would change such a block.
        """
        said = self.say(node)
        if self.form == "json" or said in wanted:
            return said
        again = read(Source(self.form, said), self.base).blocks
        return self.say(again[0]) if len(again) == 1 else said


class _Step(Struct, frozen=True):
    """Neighbouring blocks that give way to nodes. `at`: the place where the nodes go."""

    blocks: Sequence[Block]
    nodes: Sequence[Node]
    at: int


def _steps(blocks: Sequence[Block], nodes: Sequence[Node], speech: "_Speech") -> Iterator[_Step]:
    new = [node for node in nodes if speech.say(node)]
    wanted = [speech.say(node) for node in new]
    known = frozenset(wanted)
    shown = dict(seen_blocks([block.node for block in blocks], View.WITHOUT))
    old, present = list[Block](), list[str]()
    for number, block in enumerate(blocks):
        if block.width > 0 and number in shown and speech.say(shown[number]):
            old.append(block)
            present.append(speech.say_again(shown[number], known))
    end = max((block.at + block.width for block in blocks), default=0)
    matcher = SequenceMatcher(None, present, wanted, autojunk=False)
    for what, first, last, from_, to in matcher.get_opcodes():
        if what != "equal":
            behind = old[first - 1].at + old[first - 1].width if first else 0
            at = old[first].at if first < len(old) else behind if old else end
            yield _Step(old[first:last], new[from_:to], at)


def _carry_out(root: XmlFragment, step: _Step, speech: _Speech) -> None:
    kept = 0
    for block, node in zip(step.blocks, step.nodes, strict=False):
        if not _is_like(block, node):
            break
        kept += 1
    for block in reversed(step.blocks[kept:]):
        del root.children[block.at : block.at + block.width]
    behind = step.blocks[kept - 1].at + 1 if kept else step.at
    insert_blocks(root, behind, step.nodes[kept:])
    for block, node in zip(step.blocks[:kept], step.nodes, strict=False):
        _rewrite(root.children[block.at], block.node, node, speech)


def _is_like(block: Block, node: Node) -> bool:
    """Whether a block can become a node by changes within its line."""
    known = NODES.get(node.type)
    return (
        known is not None
        and known.holds_text
        and block.node.type == node.type
        and block.width == 1
        and all(child.type == "text" for child in (*block.node.content, *node.content))
    )


def _rewrite(element: object, old: Node, new: Node, speech: _Speech) -> None:
    """Change a line's attributes and words. What both begin and end with stays."""
    if not isinstance(element, XmlElement):
        return
    for name, value in new.attributes.items():
        if name in _UNSAID[speech.form] or value == old.attributes.get(name):
            continue
        if value is not None:
            element.attributes[name] = stored(value)
        elif name in element.attributes:
            del element.attributes[name]
    texts = [child for child in element.children if isinstance(child, XmlText)]
    if len(texts) != 1:
        del element.children[0 : len(element.children)]
        texts = [element.children.append(XmlText(""))]
        old = Node(old.type)
    unsaid = {*SUGGESTING, *(() if speech.has_annotations else ANNOTATIONS)}
    _rewrite_words(texts[0], _letters(old, unsaid), _letters(new, unsaid))


class _Letter(NamedTuple):
    """A letter of a line that is no suggestion. `node`: the words that it is one of, as read."""

    letter: str
    node: Node
    start: int
    end: int


def _letters(line: Node, unsaid: Collection[str]) -> list[_Letter]:
    """Return a line's letters without the marks that a content does not tell."""
    letters, start = list[_Letter](), 0
    for node in line.content:
        marks = tuple([mark for mark in node.marks if mark.type not in unsaid])
        is_proposed, bare = any(mark.type == "insertion" for mark in node.marks), replace(node, marks=marks)
        for letter in node.text:
            end = start + length_of(letter)
            if not is_proposed:
                letters.append(_Letter(letter, bare, start, end))
            start = end
    return letters


def _rewrite_words(text: XmlText, old: list[_Letter], new: list[_Letter]) -> None:
    most = min(len(old), len(new))
    before = next((at for at in range(most) if not _is_same(old[at], new[at])), most)
    most -= before
    behind = next((at for at in range(most) if not _is_same(old[-1 - at], new[-1 - at])), most)
    gone = old[before : len(old) - behind]
    at = gone[0].start if gone else old[before - 1].end if before else 0
    for start, end in reversed(_stretches(gone)):
        del text[start:end]
    for words, node in _runs(new[before : len(new) - behind]):
        text.insert(at, words, formats_of(node))
        at += length_of(words)


def _stretches(letters: Sequence[_Letter]) -> list[tuple[int, int]]:
    """Return where letters stand, with those that touch in one."""
    found: list[tuple[int, int]] = []
    for each in letters:
        if found and found[-1][1] == each.start:
            found[-1] = found[-1][0], each.end
        else:
            found.append((each.start, each.end))
    return found


def _is_same(one: _Letter, other: _Letter) -> bool:
    return one.letter == other.letter and one.node.marks == other.node.marks


def _runs(letters: Sequence[_Letter]) -> Iterator[tuple[str, Node]]:
    at = 0
    while at < len(letters):
        end = next((end for end in range(at, len(letters)) if letters[end].node is not letters[at].node), len(letters))
        yield "".join(each.letter for each in letters[at:end]), letters[at].node
        at = end
