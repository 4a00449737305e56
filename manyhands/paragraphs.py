"""Paragraphs of the rich text, as docs/format.md describes them."""

from typing import Any

from pycrdt import Doc, XmlElement, XmlFragment, XmlText

FORMAT = {"name": "manyhands", "version": 5}
"""The format that this release knows."""

FRAGMENT = "default"


def append_paragraphs(doc: Doc[Any], text: str) -> None:
    """Append each line of a text as a paragraph, in one transaction."""
    fragment = doc.get(FRAGMENT, type=XmlFragment)
    with doc.transaction():
        for line in text.split("\n"):
            fragment.children.append(XmlElement("paragraph", contents=[XmlText(line)] if line else []))
