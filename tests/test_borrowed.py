"""Borrowed insides of libraries: docs/borrowed.md names every one that the server relies on, and each still exists.

A release that renames one of them fails here by the name, before anything else breaks by it.
"""

import ast
import importlib
import inspect
import re
from functools import cache
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
LIBRARIES = ("uvicorn", "websockets", "engineio", "socketio", "redis")
_IMPORTS = re.compile(rf"^(from|import) ({'|'.join(LIBRARIES)})\b", re.MULTILINE)
_ROW = re.compile(r"\| `([\w.]+)` \| (`[^|]+) \| `([\w/.]+)` \|")


def rows() -> list[tuple[str, tuple[str, ...], str]]:
    """Class or module, the names that are borrowed of it, and the file that does so."""
    found = _ROW.findall((HOUSE / "docs/borrowed.md").read_text())
    return [(owner, tuple(re.findall(r"`(\w+)`", names)), user) for owner, names, user in found]


@cache
def source_of(owner: str) -> str:
    """The source of a class and of all that it inherits, or of a module."""
    thing = resolved(owner)
    if not inspect.isclass(thing):
        return inspect.getsource(thing)  # type: ignore[arg-type]
    return "".join(inspect.getsource(each) for each in thing.__mro__ if each.__module__.split(".")[0] in LIBRARIES)


def resolved(owner: str) -> object:
    """A class or a module, by its whole name."""
    try:
        return importlib.import_module(owner)
    except ModuleNotFoundError:
        module, _, name = owner.rpartition(".")
        return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize(
    ("owner", "name", "user"), [(owner, name, user) for owner, names, user in rows() for name in names]
)
def test_what_is_borrowed_is_still_there(owner: str, name: str, user: str) -> None:
    exists = hasattr(resolved(owner), name) or re.search(rf"\bself\.{name}\b.*=", source_of(owner))
    assert exists, f"{owner} has no {name} any more, which {user} relies on"
    assert re.search(rf"\b{name}\b", (HOUSE / user).read_text()), f"{user} does not use {name}"


def borrowers() -> list[tuple[str, str, set[str]]]:
    """Each class of ours that extends a library's: its file, the library's class, and what it overrides or uses of that."""
    found = []
    for path in sorted((HOUSE / "server").rglob("*.py")):
        text = path.read_text()
        if not _IMPORTS.search(text):
            continue
        name = str(path.relative_to(HOUSE))
        module = importlib.import_module(name.removesuffix(".py").replace("/", "."))
        for node in ast.parse(text).body:
            if isinstance(node, ast.ClassDef):
                bases = _libraries_bases(getattr(module, node.name))
                if bases:
                    found.append((name, f"{bases[0].__module__}.{bases[0].__name__}", _used(node, bases)))
    return found


def _libraries_bases(owner: type) -> list[type]:
    return [base for base in owner.__mro__[1:] if base.__module__.split(".")[0] in LIBRARIES]


def _used(node: ast.ClassDef, bases: list[type]) -> set[str]:
    source = "".join(map(inspect.getsource, bases))
    own = {each.name for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}
    names = {
        each.attr
        for each in ast.walk(node)
        if isinstance(each, ast.Attribute)
        and (
            (isinstance(each.value, ast.Name) and each.value.id in ("self", "lane", "http"))
            or (isinstance(each.value, ast.Call) and getattr(each.value.func, "id", "") == "super")
        )
    }
    in_class = {name for name in names | own if any(name in vars(base) for base in bases)}
    in_instance = {name for name in names - own if re.search(rf"\bself\.{name}\b[^=\n]*= ", source)}
    return {name for name in in_class | in_instance if name != "__init__"}


def test_the_page_names_all_that_our_subclasses_borrow() -> None:
    told = {(user, owner): set(names) for owner, names, user in rows()}
    missing = {
        f"{user}: {owner}": sorted(used - told.get((user, owner), set()))
        for user, owner, used in borrowers()
        if used - told.get((user, owner), set())
    }
    assert missing == {}
