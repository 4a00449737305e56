"""Reading of contents that programs send: Markdown, HTML and ProseMirror's JSON.

The sandbox alone calls this, because the readers of Markdown and HTML are other people's code.
"""

import json

from crdt.content.edits import Source
from crdt.content.from_html import Read, blocks_of_html
from crdt.content.from_json import blocks_of_json
from crdt.content.from_markdown import blocks_of_markdown
from crdt.errors import Code, ProtocolError


def read(source: Source, base: str) -> Read:
    """Read a content. Raises ProtocolError (malformed, too_large)."""
    try:
        return _read(source, base)
    except UnicodeDecodeError:
        raise ProtocolError(Code.MALFORMED, "The content is not UTF-8.") from None
    except (ValueError, RecursionError):
        raise ProtocolError(Code.MALFORMED, "The content is not valid JSON.") from None


def _read(source: Source, base: str) -> Read:
    content = source.content
    if source.form == "json":
        return Read(blocks_of_json(json.loads(content) if isinstance(content, bytes) else content))
    if not isinstance(content, str | bytes):
        raise ProtocolError(Code.MALFORMED, f"`content` must be a text if it is {source.form}.")
    words = content.decode() if isinstance(content, bytes) else content.encode("utf-8", "replace").decode()
    return blocks_of_html(words, base) if source.form == "html" else blocks_of_markdown(words, base)
