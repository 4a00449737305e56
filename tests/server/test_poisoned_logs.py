"""Logs that former versions, or a disk, have poisoned in each known way: the document opens, shows all before and behind, and goes on.

Each row is written as a former version would have, or as the disk has left it; then a server, a
process of its own, is started over it.
"""

import signal
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from crdt.ids import DocumentId, Epoch, UpdateId
from crdt.protocol.batch import encode_batch
from crdt.yjs.contents import XML_ELEMENT
from server.store.base import Append
from server.store.database import utc_now
from server.store.sql import SqlStore
from server.store.sqlite import sqlite_url
from tests.harness.stranger import stranger
from tests.harness.update_writer import embed, item, number, shared, text, update, values
from tests.server.server_process import command, server_process

pytestmark = pytest.mark.slow

DOCUMENT = "a-poisoned-document"
NODE = "the-node"
ANNA, MALLORY = 5, 9
ROOT = "story"

BEFORE = update({ANNA: (0, [text("before ", parent=ROOT)])})
BEHIND = update({ANNA: (7, [text("behind", left=(ANNA, 6))])})


def json_values(count: int, *raw: bytes) -> bytes:
    return item(2, number(count) + b"".join(raw), parent=ROOT)


def crashing() -> bytes:
    """What the gate takes for an old value and a text, and yrs 0.28 for lists nested 30,000 deep."""
    inner = b"\0\1" + b"\x75\1" * 30_000 + b"\x7e"
    content = inner + b"a" * ((8 - len(inner)) % 128)
    text_in_tt = item(4, number(len(content)) + content, parent="tt")
    return update({MALLORY: (0, [json_values(1, b"\x011"), text_in_tt])})


def bottomless() -> list[bytes]:
    """Elements in one another, and the deletion of the outermost, which overflows the engine's stack."""
    chain = [shared(XML_ELEMENT, parent="t"), *(shared(XML_ELEMENT, parent=(MALLORY, n)) for n in range(60_000))]
    return [update({MALLORY: (0, chain)}), update({}, {MALLORY: [(0, 1)]})]


POISONS: dict[str, Callable[[], Sequence[bytes]]] = {
    "an integer beyond 63 bits": lambda: [update({MALLORY: (0, [embed('{"id":10000000000000000000}', parent=ROOT)])})],
    "a value of an old form": lambda: [update({MALLORY: (0, [json_values(1, b"\x04true")])})],
    "a crash": lambda: [crashing()],
    "a stack that overflows": bottomless,
    "a key that browsers choke on": lambda: [
        update({MALLORY: (0, [values("7601" + (b"\x09__proto__").hex() + "7e", parent=ROOT)])})
    ],
    "no update": lambda: [b"\xff\xff\xff"],
    "a gap": lambda: [update({MALLORY: (40, [text("lost", left=(MALLORY, 39))])})],
    "a past that never was": lambda: [update({MALLORY: (0, [text("lost", left=(77, 3))])})],
}


async def poison(directory: Path, updates: Sequence[bytes], *statements: str, document: str = DOCUMENT) -> None:
    """Write the rows, and note that the node had the document open when it died."""
    document_id = DocumentId(document)
    async with SqlStore(sqlite_url(directory)) as store:
        await store.catalogue.create(document_id, "Story", Epoch(1), utc_now())
        appends = [
            Append(document_id, Epoch(1), UpdateId(f"row-{n}"), encode_batch([each]))
            for n, each in enumerate([BEFORE, *updates, BEHIND])
        ]
        await store.log.append(appends)
        await store.open_marks.mark(document_id, NODE)
    with closing(sqlite3.connect(directory / "manyhands.db", isolation_level=None)) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount > 0


async def goes_on(directory: Path, *documents: str, otherwise: str = "") -> None:
    """Start a server, read everything, write on, read again from a second server."""
    for visit in range(2):
        async with server_process(directory, "--node-id", NODE) as server:
            for document in documents or (DOCUMENT,):
                async with stranger(server.url) as reader:
                    shown = await reader.reads(document, ROOT)
                    assert shown.startswith("before "), (document, shown)
                    assert (otherwise or "behind") in shown, document
                    assert await reader.sends(update({100 + visit: (0, [text("more ", parent=ROOT)])})) is None
                    assert "more " in await reader.reads(document, ROOT), document
                    assert server.running, document
            assert not [line for line in server.log if "replica_in_doubt" in line]
            server.signal(signal.SIGTERM)
            assert await server.end() == 0


DAMAGES = {
    "changed": "UPDATE log_rows SET batch = x'62ff'",
    "lost": "DELETE FROM log_rows",
}
"""What a disk does to a row."""


def damage(kind: str, document: str) -> str:
    """Damage a document's second row."""
    return (
        f"{DAMAGES[kind]} WHERE seq = 2 AND document_key = (SELECT key FROM documents WHERE document_id = '{document}')"
    )


async def test_everything_before_and_behind_it_is_there_and_the_doctor_names_what_is_damaged(tmp_path: Path) -> None:
    poisoned = {kind: "after-" + kind.replace(" ", "-") for kind in POISONS}
    for kind, document in poisoned.items():
        await poison(tmp_path, POISONS[kind](), document=document)
    damaged = {kind: "with-a-row-" + kind for kind in DAMAGES}
    lost = update({MALLORY: (0, [text("lost ", parent=ROOT)])})
    for kind, document in damaged.items():
        await poison(tmp_path, [lost], damage(kind, document), document=document)
    await goes_on(tmp_path, *poisoned.values(), *damaged.values())
    code, out, _ = await command("doctor", MANYHANDS_DATA_DIR=str(tmp_path))
    assert code == 0
    for document in damaged.values():
        assert f"{document} 2 kept" in out


async def test_words_whose_beginning_was_damaged_are_still_there(tmp_path: Path) -> None:
    typed = [
        update({ANNA: (13, [text(" and", left=(ANNA, 12))])}),
        update({ANNA: (17, [text(" on", left=(ANNA, 16))])}),
    ]
    await poison(tmp_path, [], damage("changed", DOCUMENT))
    async with SqlStore(sqlite_url(tmp_path)) as store:
        await store.log.append(
            [
                Append(DocumentId(DOCUMENT), Epoch(1), UpdateId(f"on-{n}"), encode_batch([each]))
                for n, each in enumerate(typed)
            ]
        )
    await goes_on(tmp_path, otherwise=" and on")


async def test_one_command_mends_every_document_of_a_stopped_server(tmp_path: Path) -> None:
    await poison(tmp_path, bottomless())
    place = {"MANYHANDS_DATA_DIR": str(tmp_path)}
    assert (await command("doctor", **place))[1] == "Nothing is set aside.\n"
    code, out, _ = await command("doctor", "check", **place)
    assert code == 0
    assert f"{DOCUMENT}: 3.0 is set aside." in out
    assert "Documents that were opened: 1 of 1." in out
    assert (await command("doctor", "check", **place))[1] == "Documents that were opened: 1 of 1.\n"
    code, out, _ = await command("doctor", **place)
    assert f"{DOCUMENT} 3.0 kept" in out
    code, out, _ = await command("doctor", "show", DOCUMENT, "3.0", **place)
    assert f"deletes what client {MALLORY} wrote at clock 0 to 0" in out
    code, _, err = await command("doctor", "put-back", DOCUMENT, "3.0", **place)
    assert code == 2
    assert "still does not apply" in err
    assert (await command("doctor", "drop", DOCUMENT, "3.0", **place))[1] == f"Dropped 3.0 of {DOCUMENT}.\n"
    assert (await command("doctor", **place))[1] == "Nothing is set aside.\n"
    assert f"{DOCUMENT} 3.0 dropped" in (await command("doctor", "--all", **place))[1]
    await goes_on(tmp_path)


@pytest.mark.parametrize(
    ("statement", "place", "said", "why"),
    [
        ("", "2.0", "lost", "applied already"),
        ("UPDATE log_rows SET checksum = checksum + 1 WHERE seq = 2", "2", "lost", "damaged as a whole"),
    ],
)
async def test_the_doctor_shows_what_it_does_not_write_twice(
    tmp_path: Path, statement: str, place: str, said: str, why: str
) -> None:
    """Words whose past alone is lost stand in the document; of a damaged row nobody knows what is true."""
    await poison(tmp_path, POISONS["a gap"](), *filter(None, [statement]))
    settings = {"MANYHANDS_DATA_DIR": str(tmp_path)}
    assert (await command("doctor", "check", DOCUMENT, **settings))[0] == 0
    assert said in (await command("doctor", "show", DOCUMENT, place, **settings))[1]
    code, _, err = await command("doctor", "put-back", DOCUMENT, place, **settings)
    assert (code, why in err) == (2, True), err


async def test_the_doctor_says_what_it_cannot_do(tmp_path: Path) -> None:
    await poison(tmp_path, [b"\xff"])
    place = {"MANYHANDS_DATA_DIR": str(tmp_path)}
    assert (await command("doctor", "check", DOCUMENT, **place))[0] == 0
    for arguments, sentence in (
        (("show", "no-such-document", "1.0"), "There is no document"),
        (("show", DOCUMENT, "1.0"), "it is one of 2.0"),
        (("check", "no-such-document"), "There is no document"),
    ):
        code, out, err = await command("doctor", *arguments, **place)
        assert (code, out) == (2, "")
        assert sentence in err
    assert "cannot be read" in (await command("doctor", "show", DOCUMENT, "2.0", **place))[1]
    assert (await command("doctor", "show", DOCUMENT, "2.0", "--hex", **place))[1].endswith("ff\n")
