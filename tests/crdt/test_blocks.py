"""Ids of blocks: of Yjs items, lasting as long as the block, and never another's."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from crdt.content.blocks import Blocks, id_of, name_of
from crdt.content.schema import SCHEMA
from crdt.content.tree import Node, tree
from tests.harness.rich_text import paragraph, step_of


def new_doc(client_id: int = 7) -> "tuple[Doc[Any], XmlFragment]":
    doc: Doc[Any] = Doc(client_id=client_id)
    return doc, doc.get(SCHEMA.fragment, type=XmlFragment)


def test_a_block_keeps_its_id_while_others_come_and_go() -> None:
    doc, root = new_doc()
    for words in ("a", "b", "c"):
        root.children.append(paragraph(words))
    first = [block.id for block in Blocks(doc).all]
    assert len({*first}) == 3
    root.children.insert(0, paragraph("new"))
    del root.children[2]
    assert [block.id for block in Blocks(doc).all][1:] == [first[0], first[2]]
    again: Doc[Any] = Doc()
    again.apply_update(doc.get_update())
    assert [block.id for block in Blocks(again).all] == [block.id for block in Blocks(doc).all]


def test_an_empty_document_has_a_line_without_an_id() -> None:
    doc, _ = new_doc()
    (block,) = Blocks(doc).all
    assert (block.id, block.node.type, block.width) == (None, "paragraph", 0)


def test_words_among_blocks_are_one_block() -> None:
    doc, root = new_doc()
    for child in (XmlText("a"), XmlText("b"), paragraph("c"), XmlText("")):
        root.children.append(child)
    blocks = Blocks(doc).all
    assert [(block.at, block.width, block.node.content[0].text) for block in blocks] == [(0, 2, "ab"), (2, 1, "c")]
    assert Node("doc", content=tuple(block.node for block in blocks)) == tree(doc)


def test_a_change_deep_in_a_block_touches_the_block_and_no_other() -> None:
    doc, root = new_doc()
    root.children.append(paragraph("a"))
    root.children.append(XmlElement("blockquote", {}, [XmlElement("paragraph", {}, [XmlText("quoted")])]))
    root.children.append(paragraph("c"))
    ids = [block.id for block in Blocks(doc).all]
    line: Any = root.children[1].children[0].children[0]  # type: ignore[union-attr]
    for act in (
        lambda: line.insert(2, "x"),
        lambda: line.format(0, 2, {"bold": {}}),
        lambda: line.__delitem__(slice(0, 1)),
        lambda: root.children[1].children.append(paragraph("more")),  # type: ignore[union-attr]
        lambda: root.children[1].attributes.__setitem__("dir", "rtl"),  # type: ignore[union-attr]
    ):
        step = step_of(doc, act)
        assert Blocks(doc).touched([step]) == {ids[1]}
    step = step_of(doc, lambda: root.children.__delitem__(1))
    assert ids[1] in Blocks(doc).touched([step])
    assert not Blocks(doc).touched([step]) & {ids[0], ids[2]}


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans(), st.floats(0, 0.99)), min_size=1, max_size=20))
def test_ids_stand_in_the_order_of_the_blocks_whoever_wrote_them(acts: list[tuple[int, bool, float]]) -> None:
    docs = {client: new_doc(client) for client in (1, 2, 3)}
    for number, (client, deletes, where) in enumerate(acts):
        doc, root = docs[client]
        at = int(where * (len(root.children) + 1))
        if deletes and at < len(root.children):
            del root.children[at]
        else:
            root.children.insert(at, paragraph(str(number)))
        if number % 3 == 0:
            for other, _ in docs.values():
                other.apply_update(doc.get_update())
    for doc, _ in docs.values():
        for other, _ in docs.values():
            other.apply_update(doc.get_update())
    found = [[(block.id, block.node) for block in Blocks(doc).all] for doc, _ in docs.values()]
    assert found[0] == found[1] == found[2]
    assert Node("doc", content=tuple(node for _, node in found[0])) == tree(docs[1][0])


def test_what_is_no_id_names_no_block() -> None:
    assert id_of(name_of((2**53 - 1, 7))) == (2**53 - 1, 7)
    for name in ("", "1", "1.", ".1", "1.2.3", "-1.2", "1.2e3", "x.y", "1." + "9" * 30, "١.٢"):
        assert id_of(name) is None
