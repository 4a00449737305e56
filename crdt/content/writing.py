"""Forms that a document's content can be written in."""

import re
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct
from pycrdt import Doc, Map

from crdt.content.blocks import Blocks, name_of
from crdt.content.html import html_page
from crdt.content.losses import left_out
from crdt.content.markdown import markdown
from crdt.content.schema import SCHEMA
from crdt.content.suggested import View, seen, seen_blocks
from crdt.content.text import plain_text
from crdt.content.tree import empty, tree

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,8}")


class Form(StrEnum):
    """What a content is written as. JSON is ProseMirror's, and the only form that loses nothing."""

    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"
    TEXT = "text"


class Wanted(Struct, frozen=True):
    """A form, and what is not in the document itself.

    Attributes:
        base: the server's address without a path, for the addresses of pictures.
        title: the page's title in HTML.
        language: the page's language in HTML, as its tag, if nobody has chosen the document's.
        blocks: most blocks, from the document's beginning; None for all.
        revision: the revision that is read, for JSON.
        view: how suggestions are read.
    """

    form: Form
    base: str
    title: str = ""
    language: str = ""
    blocks: int | None = None
    revision: str = ""
    view: View = View.WITHOUT


class Written(Struct):
    """A content, and the names of what its form leaves out of the document."""

    content: bytes
    left_out: list[str] = []


def written(doc: "Doc[Any]", wanted: Wanted) -> Written:
    """Write a document's content. Only the sandbox may do so.

    Raises ProtocolError(too_large) if the content is nested too deeply.
    """
    if wanted.form is Form.JSON:
        return Written(msgspec.json.encode(_as_json(doc, wanted)))
    root = seen(tree(doc, wanted.blocks), wanted.view)
    match wanted.form:
        case Form.MARKDOWN:
            return Written(markdown(root, wanted.base).encode(), left_out(root, wanted.base, is_html=False))
        case Form.HTML:
            page = html_page(root, wanted.base, wanted.title, _language(doc) or wanted.language)
            return Written(page.encode(), left_out(root, wanted.base, is_html=True))
        case _:
            return Written(f"{plain_text(root)}\n".encode())


def _as_json(doc: "Doc[Any]", wanted: Wanted) -> dict[str, Any]:
    """Return ProseMirror's JSON. Beside it stand the revision, and the id of each block."""
    blocks = Blocks(doc, wanted.blocks).all
    ids = [None if block.id is None else name_of(block.id) for block in blocks]
    shown = seen_blocks([block.node for block in blocks], wanted.view) or [(None, empty("paragraph"))]
    return {
        "type": "doc",
        "content": [node.to_json() for _, node in shown],
        "revision": wanted.revision,
        "blocks": [None if place is None else ids[place] for place, _ in shown],
    }


def _language(doc: "Doc[Any]") -> str:
    """Return the tag of the language that writers have chosen for the text, or nothing."""
    tag = doc.get(SCHEMA.settings, type=Map).get("language")
    return tag if isinstance(tag, str) and _LANGUAGE.fullmatch(tag) else ""
