"""The first two lines of a document, as a list of documents shows them."""

from typing import Any

import pytest
from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from crdt.content.excerpt import LONGEST_LINE, Excerpt, excerpt
from tests.harness.rich_text import paragraph


def of(*blocks: XmlElement) -> Excerpt:
    doc: Doc[Any] = Doc()
    doc["default"] = root = XmlFragment()
    for block in blocks:
        root.children.append(block)
    return excerpt(doc)


def item(*blocks: XmlElement) -> XmlElement:
    return XmlElement("bulletList", {}, [XmlElement("listItem", {}, list(blocks))])


def test_an_empty_document_has_no_lines() -> None:
    assert of() == of(paragraph("")) == of(paragraph(" \t\u200e"), XmlElement("paragraph")) == Excerpt("", "")


def test_the_first_two_lines_that_say_something() -> None:
    rule = XmlElement("horizontalRule")
    assert of(paragraph(""), paragraph("Tea", "heading"), rule, paragraph(" and  cake "), paragraph("!")) == (
        Excerpt("Tea", "and cake")
    )
    assert of(item(paragraph("milk"), item(paragraph("bread")))) == Excerpt("milk", "bread")


def test_a_line_ends_with_a_break_and_not_with_a_format_or_a_picture() -> None:
    bold = XmlText("one two")
    broken = XmlElement(
        "paragraph", {}, [bold, XmlElement("image"), XmlText(" three"), XmlElement("hardBreak"), XmlText("four")]
    )
    doc: Doc[Any] = Doc()
    doc["default"] = root = XmlFragment()
    root.children.append(broken)
    bold.format(0, 3, {"bold": True})
    assert excerpt(doc) == Excerpt("one two three", "four")
    assert of(paragraph("if a:\n  b()\nc()", "codeBlock")) == Excerpt("if a:", "b()")


def test_a_mention_reads_as_in_the_text() -> None:
    known = XmlElement("mention", {"id": "u1", "label": "Ann"})
    unknown = XmlElement("mention")
    line = XmlElement("paragraph", {}, [XmlText("Tea for "), known, XmlText(" and "), unknown])
    assert of(line) == Excerpt("Tea for @Ann and @somebody", "")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("word " * 100, "word " * 30 + "word…"),
        ("x" * 5000, "x" * (LONGEST_LINE - 1) + "…"),
        ("ab\u202ecd\u0000e\u0301", "abcd é"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧"),
    ],
)
def test_a_line_is_made_fit_to_be_shown(said: str, shown: str) -> None:
    assert of(paragraph(said)) == Excerpt(shown.strip(), "")


def test_what_is_nested_without_end_and_what_is_empty_without_end_are_left() -> None:
    doc: Doc[Any] = Doc()
    doc["default"] = root = XmlFragment()
    at: Any = root
    for _ in range(3000):
        at = at.children.append(XmlElement("blockquote"))
    at.children.append(XmlText("deep"))
    assert excerpt(doc) == Excerpt("", "")
    assert of(*(paragraph("") for _ in range(3000)), paragraph("far")) == Excerpt("", "")


def test_a_document_of_plain_text_has_no_lines() -> None:
    doc: Doc[Any] = Doc()
    assert excerpt(doc) == Excerpt("", "")
