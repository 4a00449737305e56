"""The glossary of ARCHITECTURE.md: words of its column "not" stand in no public name of crdt/ and server/."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
ROW = re.compile(r"^\|([^|\n]+)\|([^|\n]+)\|([^|\n]*)\|$", re.MULTILINE)


def words_of(name: str) -> list[str]:
    """The lower-case words of a name in snake case or camel case."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]


def glossary() -> dict[str, str]:
    """The words of the glossary, each with the cell of words that are not used for the same thing."""
    section = (HOUSE / "ARCHITECTURE.md").read_text().partition("\n## Glossary\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in row] for row in ROW.findall(section)]
    assert rows[0] == ["word", "meaning", "not"]
    return {said: others for said, _, others in rows[2:]}


def forbidden() -> dict[str, str]:
    """The words that no public name may hold, each with the glossary's word."""
    return {word.strip(): said for said, others in glossary().items() for word in others.split(",") if word.strip()}


def holds(name: str, word: str) -> bool:
    """Whether a word, or several in a row, stands in a name; a plural counts."""
    words, wanted = words_of(name), words_of(word)
    for start in range(len(words) - len(wanted) + 1):
        *first, last = words[start : start + len(wanted)]
        if first == wanted[:-1] and last in (wanted[-1], wanted[-1] + "s"):
            return True
    return False


def public_names(body: list[ast.stmt]) -> Iterator[str]:
    """Classes, functions and assigned names, and within classes their methods, fields and members."""
    for node in body:
        match node:
            case ast.ClassDef(name=name, body=members) if not name.startswith("_"):
                yield name
                yield from public_names(members)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name
            case ast.Assign(targets=targets):
                yield from (target.id for target in targets if isinstance(target, ast.Name))


def names_of(path: Path) -> Iterator[str]:
    """A module's own name and its public names; dated migrations have none."""
    yield path.parent.name if path.stem == "__init__" else path.stem
    yield from (name for name in public_names(ast.parse(path.read_text()).body) if not name.startswith("_"))


def guilty(paths: list[Path]) -> list[str]:
    """Each name that holds a forbidden word, and the word to use."""
    words = forbidden()
    return [
        f"{path.relative_to(HOUSE)}: {name} holds {word!r}; the glossary says {said!r}"
        for path in paths
        for name in names_of(path)
        for word, said in words.items()
        if holds(name, word)
    ]


@pytest.mark.slow
def test_no_public_name_holds_a_word_that_the_glossary_excludes() -> None:
    paths = [path for folder in ("crdt", "manyhands", "server") for path in sorted((HOUSE / folder).rglob("*.py"))]
    assert len(paths) > 100
    assert guilty(paths) == []


def test_the_glossary_excludes_no_word_that_it_uses() -> None:
    terms, words = glossary(), forbidden()
    assert words["household"] == "address group"
    assert [(term, word) for term in terms for word in words if holds(term, word)] == []


def test_words_are_found_in_every_way_of_writing_a_name() -> None:
    for name in ("doc_id", "DocId", "MAX_DOCS", "open_doc", "HTTPDoc"):
        assert holds(name, "doc"), name
    for name in ("document_id", "Docket", "doctor"):
        assert not holds(name, "doc"), name
    assert holds("next_site_id", "site id")
    assert not holds("site_of_id", "site id")
    assert list(public_names(ast.parse("class A:\n    x: int\n    Y = 1\n    def z(self): ...\n").body)) == [*"AxYz"]
