"""Layouts of other servers' stores, as they are read and as the command finds them."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, Text

from server.cli import CannotDo
from server.cli.neighbours import NOT_BYTES, Foreign
from server.cli.neighbours.layouts import LAYOUTS, found_in, layout_of
from tests.harness.neighbours import hocuspocus_sqlite, pycrdt_sqlite
from tests.server.server_process import command, server_process


def state(words: str, client_id: int = 7) -> bytes:
    doc: Doc[Any] = Doc(client_id=client_id)
    doc.get("story", type=Text).insert(0, words)
    return doc.get_update()


def test_a_file_of_hocuspocus_has_one_state_for_each_name(tmp_path: Path) -> None:
    path = hocuspocus_sqlite(tmp_path / "db.sqlite", {"b/c d": b"1", "a": b"2", "odd": "text"})
    assert layout_of(path) == "hocuspocus-sqlite"
    assert list(found_in(path)) == [
        Foreign("a", [b"2"]),
        Foreign("b/c d", [b"1"]),
        Foreign("odd", unreadable=NOT_BYTES),
    ]


@pytest.mark.parametrize("checkpoints", [{"/a": b"c"}, None])
def test_a_file_of_pycrdt_has_updates_and_perhaps_checkpoints_by_path(
    tmp_path: Path, checkpoints: dict[str, bytes] | None
) -> None:
    path = pycrdt_sqlite(tmp_path / "y.db", {"/a": [b"1", b"2"], "json:notebook:b": [b"3"], "/c": [None]}, checkpoints)
    assert layout_of(path) == "pycrdt-sqlite"
    first = [b"c"] if checkpoints else []
    assert list(found_in(path)) == [
        Foreign("a", [*first, b"1", b"2"]),
        Foreign("c", unreadable=NOT_BYTES),
        Foreign("json:notebook:b", [b"3"]),
    ]


def test_files_are_named_as_in_an_address_by_their_path(tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    for name in ("a.bin", "team/our%20room.bin", "team/x%2Fy.bin", "100%.bin", "not this.txt"):
        (tmp_path / name).write_bytes(b"1")
    (tmp_path / "empty.bin").write_bytes(b"")
    (tmp_path / "folder.bin").mkdir()
    assert layout_of(tmp_path) == "files"
    found = {each.name: each for each in found_in(tmp_path)}
    assert list(found) == ["100%", "a", "empty", "team/our room", "team/x/y"]
    assert "is empty" in found["empty"].unreadable
    assert list(found_in(tmp_path / "a.bin")) == [Foreign("a", [b"1"])]


def test_the_beginning_of_names_can_be_left_out(tmp_path: Path) -> None:
    path = hocuspocus_sqlite(tmp_path / "db.sqlite", {"docs/a": b"1", "b": b"2"})
    assert [each.name for each in found_in(path, None, "docs/")] == ["b", "a"]


def test_what_is_no_store_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as file, file:
        file.execute("CREATE TABLE pictures (name TEXT)")
    level = tmp_path / "level"
    level.mkdir()
    for name in ("CURRENT", "MANIFEST-000002", "000003.log"):
        (level / name).touch()
    (tmp_path / "torn.db").write_bytes(b"SQLite format 3\0" + b"x" * 4096)
    for name, reason in (
        ("absent", "There is no"),
        ("other.db", "of another kind"),
        ("level", "from-y-websocket"),
        ("torn.db", "cannot be read"),
    ):
        with pytest.raises(CannotDo, match=reason):
            list(found_in(tmp_path / name))
    with pytest.raises(CannotDo, match="no such table"):
        list(found_in(tmp_path / "other.db", "hocuspocus-sqlite"))


@pytest.mark.slow
async def test_the_command_brings_documents_in_says_so_and_refuses_what_it_must(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    path = hocuspocus_sqlite(tmp_path / "db.sqlite", {"a room": state("words"), "broken": b"\x01"})
    code, out, err = await command("import", str(path), "--owner", "carl", MANYHANDS_DATA_DIR=data)
    assert (code, err) == (1, "")
    imported, broken, numbers = out.splitlines()
    assert imported.startswith("imported  'a room' ")
    assert broken.startswith("refused   'broken': ")
    assert numbers == "Documents: 1 imported, 0 changed, 0 unchanged, 1 refused."
    hocuspocus_sqlite(path, {"a room": state("words")})
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("DELETE FROM documents WHERE name = 'broken'")
    code, out, _ = await command("import", str(path), MANYHANDS_DATA_DIR=data)
    assert (code, out.splitlines()[-1]) == (0, "Documents: 0 imported, 0 changed, 1 unchanged, 0 refused.")
    async with server_process(tmp_path / "data"):
        code, out, err = await command("import", str(path), MANYHANDS_DATA_DIR=data)
        assert (code, out, "Stop it first" in err) == (2, "", True)
    code, _, err = await command("import", str(tmp_path / "absent"), MANYHANDS_DATA_DIR=data)
    assert (code, err) == (2, f"manyhands: There is no {tmp_path / 'absent'}.\n")
    code, out, _ = await command("import", "--help")
    assert all(layout in out for layout in LAYOUTS)
