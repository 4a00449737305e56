"""Refusals that people read: each sentence of the server has its words in the page's other languages.

The page shows the server's own sentence in English, and looks the same sentence up for other
languages (client_web/editor/src/i18n/refusals.de.json). Sentences for programs alone are left out.
"""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CATALOGUES = sorted((ROOT / "client_web/editor/src/i18n").glob("refusals.*.json"))

READ_BY_PEOPLE = (
    "server/features/discussion/*.py",
    "server/people/*.py",
    "server/store/threads*.py",
    "server/http/documents.py",
    "server/http/me.py",
    "server/http/attachments.py",
)
AMONG_OTHERS = {"crdt/permissions.py": {"nearly_full"}, "crdt/suggestions/judge.py": {"_check_size"}}
"""Functions with sentences for people, in files that otherwise speak to programs."""

OF_PROGRAMS = ("Code.MALFORMED", "Code.UNAUTHENTICATED")
"""What a page never asks wrongly, and what it answers by itself: another sign-in."""


def _sentence(node: ast.AST | None) -> str | None:
    """A text or an f-string, with numbered braces for its values."""
    match node:
        case ast.Constant(value=str(words)):
            return words
        case ast.JoinedStr(values=parts):
            values = iter(range(len(parts)))
            return "".join(
                str(part.value) if isinstance(part, ast.Constant) else f"{{{next(values)}}}" for part in parts
            )
        case _:
            return None


def _said(function: ast.AST) -> Iterator[str]:
    named: dict[str, list[str]] = {}
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if (words := _sentence(value)) is not None:
                named.setdefault(name, []).append(words)
            case _:
                pass
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Name(id="ProtocolError" | "NotPossible"), args=[*codes, message]):
                if not codes or ast.unparse(codes[0]) not in OF_PROGRAMS:
                    words = _sentence(message)
                    yield from [words] if words else named.get(getattr(message, "id", ""), [])
            case _:
                pass


def _sentences() -> set[str]:
    found: set[str] = set()
    for pattern in READ_BY_PEOPLE:
        for file in ROOT.glob(pattern):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    found.update(_said(node))
    for name, functions in AMONG_OTHERS.items():
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            if isinstance(node, ast.FunctionDef) and node.name in functions:
                found.update(_said(node))
    return found


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda path: path.name)
def test_each_sentence_is_there_with_its_values_and_none_is_left_over(catalogue: Path) -> None:
    words = json.loads(catalogue.read_text())
    assert sorted(words) == sorted(_sentences())
    assert list(words) == sorted(words)
    for english, other in words.items():
        assert sorted(re.findall(r"{\d}", other)) == sorted(re.findall(r"{\d}", english)), english


def test_there_are_sentences() -> None:
    assert len(_sentences()) > 30
    assert CATALOGUES
