"""The bytes and files that a first visit waits for: what index.html names, and all that these files import."""

import re
from pathlib import Path

import pytest

PAGES = Path(__file__).parent.parent / "client_web/editor/dist"

MOST, MOST_OF_LIST = 450_000, 190_000
"""Packed bytes: 2.3 s at 1.6 Mbit/s for a document. What need not be there at first is loaded when it is used."""

MOST_FILES = 20
"""Each is packed by itself, and without HTTP/2 a browser asks for six at a time."""

_NAMED = re.compile(r'(?:src|href)="/([^"]+\.(?:js|css))"')
_STYLES = re.compile(r'src="/theme.js" data-styles="(/[^"]+\.css)"')
_EDITOR = re.compile(r'data-editor="([^"]*)"')
_IMPORTED = re.compile(r'(?:from|import)"\./([^"]+\.js)"')


def test_a_first_visit_of_a_document_waits_for_few_bytes() -> None:
    page = _index()
    editor = _EDITOR.search(page)
    assert editor is not None
    early = {name.removeprefix("/") for name in editor[1].split()}
    names = _with_imports({*_named(page), *early})
    assert names == {*_named(page), *early}, "a file that no other names is asked for a round trip later"
    _check(names, MOST)


def test_a_first_visit_of_the_list_of_documents_waits_for_few_bytes() -> None:
    names = _with_imports(
        {*_named(_index()), *(f"assets/{path.name}" for path in PAGES.glob("assets/DocumentsPage-*.*s"))}
    )
    assert not any("writing" in name for name in names), "the list needs no editor"
    _check(names, MOST_OF_LIST)


def test_nothing_but_the_theme_holds_up_the_first_paint() -> None:
    head, _, body = _index().partition("</head>")
    assert _STYLES.search(head), "the script that knows the theme puts in all others"
    assert ".early-sheet" in head.partition("<style>")[2], "the shape's styles come with the page"
    assert 'rel="stylesheet"' not in head + body
    assert re.findall(r'<script src="([^"]+)"', head) == ["/theme.js"]


def _named(page: str) -> set[str]:
    styles = _STYLES.search(page)
    assert styles is not None
    return {*_NAMED.findall(page), *(name.removeprefix("/") for name in styles[1].split())}


def _index() -> str:
    if not (PAGES / "index.html").exists():
        pytest.fail("There are no built pages: run `make build`.")
    return (PAGES / "index.html").read_text()


def _with_imports(names: set[str]) -> set[str]:
    found = list(names)
    for name in found:
        if name.endswith(".js"):
            imported = {f"assets/{each}" for each in _IMPORTED.findall((PAGES / name).read_text())}
            found.extend(imported.difference(found))
    return set(found)


def _check(names: set[str], most: int) -> None:
    sizes = {name: _packed(PAGES / name) for name in {"index.html", *names}}
    largest = sorted(sizes.items(), key=lambda each: -each[1])[:8]
    assert sum(sizes.values()) <= most, f"{sum(sizes.values())} bytes are too many; the largest are {largest}"
    assert len(sizes) <= MOST_FILES, sorted(sizes)


def _packed(path: Path) -> int:
    """Return the size of a file as it is sent to a browser that knows gzip."""
    packed = path.with_name(f"{path.name}.gz")
    return (packed if packed.exists() else path).stat().st_size
