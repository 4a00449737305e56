"""A document that has reached its largest size, on a real server: its people empty it themselves, and write on."""

import pytest

from crdt.protocol.batch import encode_batch
from server.config.loading import load
from tests.harness.live_server import until
from tests.harness.person import person
from tests.harness.whole_server import whole_server

SMALL = {"max_document_bytes": "1048576", "max_update_bytes": "262144"}
PIECE = "x" * 200_000


@pytest.mark.slow
async def test_whoever_deletes_in_a_full_document_can_write_again_without_anybody_leaving() -> None:
    async with whole_server(config=load({}, SMALL)) as server, server.browser() as http:
        document_id = str((await http.post("/api/documents", json={})).json()["id"])
        async with person(server) as alice, person(server) as bob, person(server) as carol:
            for somebody in (alice, bob, carol):
                assert "error" not in await somebody.join(document_id)
            for _ in range(5):
                assert "seq" in await alice.ask("update", document_id, alice.types(PIECE))
            assert (await bob.ask("update", document_id, bob.types(PIECE)))["error"]["code"] == "document_full"
            before = alice.doc.get_state()
            del alice.text[:]
            deletion = encode_batch([alice.doc.get_update(before)])
            assert "seq" in await alice.ask("update", document_id, deletion)
            (driver,) = server.app.rooms.registry
            await until(lambda: driver.room.size < len(PIECE))
            assert "seq" in await carol.ask("update", document_id, carol.types(PIECE))
