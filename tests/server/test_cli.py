"""The command line: what it prints, and how it refuses."""

import contextlib
import json
import socket
import sqlite3
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from crdt.ids import DocumentId, Epoch
from server.cli.address import CannotStart, bind
from server.cli.openapi import described
from server.cli.settings import markdown
from server.config.loading import version
from server.store.database import utc_now
from server.store.sql import SqlStore
from server.store.sqlite import sqlite_url
from tests.harness.person import person
from tests.server.server_process import command, run, server_process

pytestmark = pytest.mark.slow


async def refusal(*arguments: str, **variables: str) -> str:
    """What a start that fails says: one line, without a traceback."""
    code, line = await failed_start(*arguments, **variables)
    assert code in (1, 2)
    return line


async def failed_start(*arguments: str, **variables: str) -> tuple[int | None, str]:
    code, out, err = await run("serve", *arguments, **variables)
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith("manyhands: ")
    return code, line.removeprefix("manyhands: ")


async def test_what_may_start_later_is_told_from_what_never_will(tmp_path: Path) -> None:
    """By the exit code: systemd starts a node again whose database is away, and not one whose settings are wrong."""
    away = "postgresql://manyhands@127.0.0.1:1/manyhands"
    code, said = await failed_start(MANYHANDS_DATABASE_URL=away, MANYHANDS_REDIS_URL="redis://127.0.0.1:1/0")
    assert (code, "does not answer" in said) == (1, True), said
    assert (await failed_start("--port", "http"))[0] == 2


async def test_the_version_the_settings_and_the_rest_api_are_printed() -> None:
    assert await run("version") == (0, version() + "\n", "")
    assert await command("settings", "--markdown") == (0, markdown(), "")
    assert await command("openapi", "--table") == (0, described("table"), "")
    assert await command("openapi", "--types") == (0, described("types"), "")
    code, out, _ = await command("openapi")
    assert (code, json.loads(out)["openapi"]) == (0, "3.1.0")
    code, out, _ = await command("settings", MANYHANDS_PORT="9000")
    assert code == 0
    assert ["MANYHANDS_PORT", "9000"] in [line.split() for line in out.splitlines()]


async def test_an_option_that_there_was_is_refused_with_what_to_do_now() -> None:
    assert "More than one core" in await refusal("--workers", "4")
    assert "always 32" in await refusal("--max-uploads", "4")


async def test_documents_of_nobody_s_get_an_owner(tmp_path: Path) -> None:
    async with SqlStore(sqlite_url(tmp_path)) as store:
        for name in ("ownerless-1", "ownerless-2"):
            await store.catalogue.create(DocumentId(name), "Old", Epoch(1), utc_now())
    place = {"MANYHANDS_DATA_DIR": str(tmp_path)}
    assert await command("adopt", "ownerless-1", "anna", **place) == (0, "anna owns ownerless-1.\n", "")
    assert await command("adopt", "--all", "bert", **place) == (0, "bert owns 1 more.\n", "")
    assert await command("adopt", "--take", "ownerless-1", "carl", **place) == (0, "carl owns ownerless-1.\n", "")
    for arguments in (
        ["ownerless-1", "bert"],
        ["absent-document", "bert"],
        ["bert"],
        ["--all"],
        ["--all", "--take", "a"],
    ):
        code, out, err = await command("adopt", *arguments, **place)
        assert (code, out) == (2, "")
        assert err.startswith("manyhands: ")
        assert err.count("\n") == 1


async def test_the_record_is_read_also_of_documents_that_are_gone(tmp_path: Path) -> None:
    """Whoever looks for a document that is not there any more finds out who deleted it."""
    place = {"MANYHANDS_DATA_DIR": str(tmp_path)}
    async with server_process(tmp_path) as server, httpx.AsyncClient(base_url=server.url) as anna:
        me = (await anna.get("/api/me")).json()["user"]["id"]
        gone = (await anna.post("/api/documents", json={"title": "Secret plans"})).json()["id"]
        await anna.put(f"/api/documents/{gone}/people/bert", json={"role": "viewer"})
        await anna.post(f"/api/documents/{gone}/trash")
        assert (await anna.delete(f"/api/documents/{gone}")).status_code == 204
        assert (await anna.get(f"/api/documents/{gone}/audit")).status_code == 404
    code, out, err = await command("audit", gone, **place)
    assert (code, err) == (0, "")
    deeds = [json.loads(line) for line in out.splitlines()]
    assert [(deed["actor_id"], deed["action"], deed["details"]) for deed in deeds] == [
        (me, "delete", {}),
        (me, "trash", {}),
        (me, "grant", {"user_id": "bert", "role": "viewer"}),
        (me, "create", {}),
    ]
    assert "Secret plans" not in out
    assert await command("audit", "--most", "1", gone, **place) == (0, out.splitlines()[0] + "\n", "")


async def test_it_is_written_down_when_and_by_whom_a_document_was_written_in(tmp_path: Path) -> None:
    place = {"MANYHANDS_DATA_DIR": str(tmp_path)}
    began = utc_now()
    async with server_process(tmp_path) as server, httpx.AsyncClient(base_url=server.url) as http:
        document_id = (await http.post("/api/documents", json={})).json()["id"]
        people = ["Anna", "Bob \U0001f375"]
        for name in people:
            async with person(server, name=name) as somebody:
                await somebody.join(document_id)
                assert "seq" in await somebody.ask("update", document_id, somebody.types(name))
    code, out, err = await command("history", document_id, **place)
    assert (code, err) == (0, "")
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["seq"] for row in rows] == [2, 1]
    assert [[(each["name"], each["kind"]) for each in row["by"]] for row in rows] == [
        [(name, "person")] for name in reversed(people)
    ]
    assert all(began <= datetime.fromisoformat(row["at"]) <= utc_now() for row in rows)
    assert await command("history", "--most", "1", document_id, **place) == (0, out.splitlines()[0] + "\n", "")
    code, out, err = await command("history", "no-such-document", **place)
    assert (code, out, err) == (2, "", "manyhands: There is no document no-such-document.\n")


@pytest.mark.parametrize("document_id", ["no-such-document", "-h_no-such-document", "--no-such-document"])
async def test_a_document_is_named_by_whatever_its_id_begins_with(tmp_path: Path, document_id: str) -> None:
    place = {"MANYHANDS_DATA_DIR": str(tmp_path)}
    code, out, err = await command("audit", document_id, **place)
    assert (code, out, err) == (2, "", f"manyhands: There is no record of a document {document_id}.\n")
    code, out, err = await command("adopt", document_id, "bert", **place)
    assert (code, out) == (2, "")
    assert err.startswith("manyhands: ")
    assert document_id in err


async def test_bad_settings_are_refused_by_name() -> None:
    assert await refusal(MANYHANDS_PROT="1") == "There is no setting MANYHANDS_PROT. Did you mean MANYHANDS_PORT?"
    assert "--port must be a whole number" in await refusal("--port", "http")
    assert "AUTH=guest" in await refusal("--host", "0.0.0.0")


async def test_an_address_that_cannot_be_taken_is_refused(tmp_path: Path) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = str(other.getsockname()[1])
        said = await refusal("--port", port, "--data-dir", str(tmp_path / "data"))
    assert said.startswith(f"Port {port} on 127.0.0.1 is in use")


async def test_a_data_directory_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert "cannot be made" in await refusal("--port", "0", "--data-dir", str(tmp_path / "file" / "data"))
    assert "cannot be made" in await refusal("--port", "0", "--data-dir", str(tmp_path / "file"))


@pytest.mark.parametrize("content", [b"no database" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
async def test_a_corrupt_database_is_refused_and_not_touched(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "manyhands.db"
    path.write_bytes(content)
    assert str(path) in await refusal("--port", "0", "--data-dir", str(tmp_path))
    assert path.read_bytes() == content


async def test_a_database_of_a_newer_version_is_refused_and_not_touched(tmp_path: Path) -> None:
    async with server_process(tmp_path):
        pass
    path = tmp_path / "manyhands.db"
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.read_bytes()
    assert "newer version" in await refusal("--port", "0", "--data-dir", str(tmp_path))
    assert path.read_bytes() == before


async def test_a_second_server_on_the_same_data_is_refused(tmp_path: Path) -> None:
    async with server_process(tmp_path):
        assert "Another Manyhands server" in await refusal("--port", "0", "--data-dir", str(tmp_path))


async def test_named_pages_that_are_not_there_are_refused(tmp_path: Path) -> None:
    said = await refusal("--port", "0", "--data-dir", str(tmp_path / "data"), "--pages-dir", str(tmp_path))
    assert said.startswith("MANYHANDS_PAGES_DIR")


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-name.invalid"])
def test_a_host_that_is_not_ours_is_refused(host: str) -> None:
    with pytest.raises(CannotStart, match="MANYHANDS_HOST"):
        bind(host, 0)


def test_localhost_is_one_address() -> None:
    with contextlib.closing(bind("localhost", 0)) as listener:
        assert listener.getsockname()[1] != 0


async def test_a_token_is_minted_and_inspected() -> None:
    settings = {
        "MANYHANDS_AUTH": "jwt",
        "MANYHANDS_JWT_SECRET": "nobody else knows this, I do hope",
        "MANYHANDS_JWT_AUDIENCE": "us",
    }
    minted = ("token", "mint", "--user", "ann", "--name", "Ann", "--document", "*=viewer", "--minutes", "5")
    code, text, err = await command(*minted, **settings)
    assert (code, err) == (0, "")
    code, said, _ = await command("token", "inspect", given=text, **settings)
    assert (code, said.splitlines()[-1]) == (0, "Good: the server takes the token for ann.")
    assert 'documents: {"*": "viewer"}' in said
    code, said, _ = await command("token", "inspect", given=text, **{**settings, "MANYHANDS_JWT_AUDIENCE": "them"})
    assert (code, said.splitlines()[-1]) == (1, "Refused: The token is meant for another audience (`aud`).")
    assert text.strip() not in said
    assert settings["MANYHANDS_JWT_SECRET"] not in said
    code, _, err = await command(*minted[:4], "--document", "x=boss", **settings)
    assert code == 2
    assert err.startswith("manyhands: --document takes ID=role")
    code, _, err = await command(*minted)
    assert (code, "MANYHANDS_JWT_SECRET" in err) == (2, True)
