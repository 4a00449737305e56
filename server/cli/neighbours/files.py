"""Files `<name>.bin` below a directory, each with one update: Hocuspocus' S3 layout, and exports.

The name of a document is the file's path below the directory, without `.bin`. In it, `%20` and the
like are read as the characters that they stand for, as in an address. So a name may hold what a
file's name may not.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from server.cli.neighbours import Foreign

ENDING = ".bin"


def read(path: Path) -> Iterator[Foreign]:
    """Read all files below a directory, or one file."""
    directory, found = (path, sorted(path.rglob("*" + ENDING))) if path.is_dir() else (path.parent, [path])
    for each in found:
        if not each.is_dir():
            yield _document(each, each.relative_to(directory).as_posix().removesuffix(ENDING))


def _document(path: Path, name: str) -> Foreign:
    name = unquote(name, errors="replace")
    try:
        content = path.read_bytes()
    except OSError as error:
        return Foreign(name, unreadable=f"{path} cannot be read: {error.strerror}.")
    return Foreign(name, [content]) if content else Foreign(name, unreadable=f"{path} is empty.")
