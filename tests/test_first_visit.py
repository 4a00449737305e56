"""The bytes that a first visit of a document waits for: what index.html names, for the page and for the editor."""

import re
from pathlib import Path

import pytest

PAGES = Path(__file__).parent.parent / "client_web/editor/dist"

MOST = 450_000
"""Packed bytes: 2.3 s at 1.6 Mbit/s. What need not be there at first is loaded when it is used."""

_NAMED = re.compile(r'(?:src|href)="/([^"]+\.(?:js|css))"')
_EDITOR = re.compile(r'data-editor="([^"]*)"')


def test_a_first_visit_waits_for_few_bytes() -> None:
    if not (PAGES / "index.html").exists():
        pytest.fail("There are no built pages: run `make build`.")
    page = (PAGES / "index.html").read_text()
    editor = _EDITOR.search(page)
    assert editor is not None
    names = {"index.html", *_NAMED.findall(page), *(name.removeprefix("/") for name in editor[1].split())}
    sizes = {name: _packed(PAGES / name) for name in names}
    largest = sorted(sizes.items(), key=lambda each: -each[1])[:8]
    assert sum(sizes.values()) <= MOST, f"{sum(sizes.values())} bytes are too many; the largest are {largest}"


def _packed(path: Path) -> int:
    """Return the size of a file as it is sent to a browser that knows gzip."""
    packed = path.with_name(f"{path.name}.gz")
    return (packed if packed.exists() else path).stat().st_size
