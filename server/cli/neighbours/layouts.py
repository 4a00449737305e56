"""Layouts of stores: their readers by name, and which of them a path is."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from server.cli import CannotDo
from server.cli.neighbours import Foreign, Read, files, hocuspocus_sqlite, pycrdt_sqlite, tables_of

LAYOUTS: Mapping[str, Read] = {
    "hocuspocus-sqlite": hocuspocus_sqlite.read,
    "pycrdt-sqlite": pycrdt_sqlite.read,
    "files": files.read,
}

_BY_TABLE = {hocuspocus_sqlite.TABLE: "hocuspocus-sqlite", pycrdt_sqlite.TABLE: "pycrdt-sqlite"}
_SQLITE = b"SQLite format 3\0"

LEVELDB = (
    "{} is a LevelDB of y-leveldb, which only its own package reads. Write its documents into files first: "
    "docs/from-y-websocket.md says how."
)


def found_in(path: Path, layout: str | None = None, drop_prefix: str = "") -> Iterator[Foreign]:
    """Return the documents of a store. Raises CannotDo, at once or while they are read.

    `layout`: a key of LAYOUTS; by default it is found out. `drop_prefix`: what to leave out at the
    beginning of names.
    """
    found = layout_of(path) if layout is None else layout
    return (_shortened(each, drop_prefix) for each in LAYOUTS[found](path))


def _shortened(foreign: Foreign, prefix: str) -> Foreign:
    return replace(foreign, name=foreign.name.removeprefix(prefix))


def layout_of(path: Path) -> str:
    """Return the name of a path's layout. Raises CannotDo, with what to do."""
    if not path.exists():
        raise CannotDo(f"There is no {path}.")
    if path.is_dir():
        if (path / "CURRENT").exists() and any(path.glob("MANIFEST-*")):
            raise CannotDo(LEVELDB.format(path))
        return "files"
    try:
        with path.open("rb") as file:
            is_sqlite = file.read(len(_SQLITE)) == _SQLITE
    except OSError as error:
        raise CannotDo(f"{path} cannot be read: {error.strerror}.") from error
    if not is_sqlite:
        return "files"
    found = [_BY_TABLE[table] for table in sorted(tables_of(path)) if table in _BY_TABLE]
    if len(found) != 1:
        raise CannotDo(f"{path} is a SQLite file of another kind: it needs one of the tables {', '.join(_BY_TABLE)}.")
    return found[0]
