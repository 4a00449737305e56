"""Contents of an update, in words for an operator.

The bytes are only read and never applied, so reading them is harmless.
"""

import json
from collections.abc import Iterator

from crdt.errors import ManyhandsError
from crdt.yjs import contents
from crdt.yjs.items import Id, Item, ItemReader

_LONGEST = 500
"""Most characters of one value that are shown."""

_KINDS = {
    contents.ANY: "values",
    contents.BINARY: "bytes",
    contents.DELETED: "deleted content",
    contents.EMBED: "an embed",
    contents.FORMAT: "a format",
    contents.GC: "garbage-collected content",
    contents.JSON: "values of an old form",
    contents.STRING: "text",
    contents.TYPE: "a shared type",
}
_TYPES = {
    contents.ARRAY: "a list",
    contents.MAP: "a map",
    contents.TEXT: "a text",
    contents.XML_ELEMENT: "an element",
    contents.XML_FRAGMENT: "a fragment",
    contents.XML_HOOK: "a hook",
    contents.XML_TEXT: "a text with formats",
}


def in_words(raw: bytes) -> list[str]:
    """Return a line for each struct and deletion of an update, as far as it can be read."""
    lines: list[str] = []
    try:
        for line in _lines(raw):
            lines.append(line)  # noqa: PERF402 - the lines before an error are kept
    except (ManyhandsError, ValueError, RecursionError, IndexError):
        lines.append(f"What follows cannot be read. All of it: {len(raw)} bytes, to be seen with --hex.")
    return lines


def authors_of(raw: bytes) -> list[int]:
    """Return the client ids under which an update writes or deletes, as far as it can be read."""
    found: dict[int, None] = {}
    try:
        reader = ItemReader(raw)
        for item in reader.items():
            found[item.client] = None
        for client, _, _ in reader.deleted():
            found[client] = None
    except (ManyhandsError, ValueError, RecursionError, IndexError):
        pass
    return list(found)


def _lines(raw: bytes) -> Iterator[str]:
    reader = ItemReader(raw)
    for item in reader.items():
        end = item.clock + item.length - 1
        span = str(item.clock) if item.length == 1 else f"{item.clock} to {end}"
        yield f"client {item.client}, clock {span}: {_said(item)}{_where(item)}"
    for client, first, end in reader.deleted():
        yield f"deletes what client {client} wrote at clock {first} to {end - 1}"


def _said(item: Item) -> str:
    kind = _KINDS.get(item.kind, f"content of kind {item.kind}")
    content = item.content
    if content is None:
        return kind
    if isinstance(content, bytes):
        return f"{kind} {_shown(content.decode('utf-16-le', 'replace'))}"
    if item.kind == contents.TYPE and isinstance(content[0], tuple):
        reference, name = content[0]
        return f"{_TYPES.get(reference, kind)}{'' if name is None else ' ' + _shown(name)}"
    return f"{kind} {', '.join(map(_shown, content))[:_LONGEST]}"


def _shown(value: object) -> str:
    text = value.hex() if isinstance(value, bytes) else json.dumps(value, ensure_ascii=True, default=repr)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


def _where(item: Item) -> str:
    places = []
    if item.parent is not None:
        places.append(f"in {json.dumps(item.parent) if isinstance(item.parent, str) else _id(item.parent)}")
    if item.key is not None:
        places.append(f"under {_shown(item.key)}")
    if item.origin is not None:
        places.append(f"behind {_id(item.origin)}")
    if item.right_origin is not None:
        places.append(f"before {_id(item.right_origin)}")
    return "".join(f", {place}" for place in places)


def _id(of: Id) -> str:
    return f"client {of[0]}, clock {of[1]}"
