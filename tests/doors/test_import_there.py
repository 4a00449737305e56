"""An import into a running server, over the door of y-websocket."""

from typing import Any

import pytest
from pycrdt import Doc, Text, XmlElement, XmlFragment, XmlText

from crdt.budget import Rate
from crdt.ids import DocumentId, Epoch
from crdt.permissions import Role
from crdt.protocol.messages import Format
from crdt.yjs.limits import GateLimits
from server.cli import CannotDo
from server.cli.import_places import There, importer_there
from server.cli.importing import Importer, Outcome, Result
from server.cli.neighbours import Foreign
from server.config import Config
from server.config.limits import Rates
from server.config.people import PeopleSettings
from server.sandbox import Sandbox
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.harness.ports import quiet_port
from tests.harness.tokens import SECRET
from tests.harness.tokens import token as signed
from tests.harness.whole_server import WholeServer, whole_server

pytestmark = pytest.mark.slow
JWT = PeopleSettings(auth="jwt", jwt_secret=SECRET)


def state(words: str, client_id: int = 7, root: str = "story") -> bytes:
    doc: Doc[Any] = Doc(client_id=client_id)
    doc.get(root, type=Text).insert(0, words)
    return doc.get_update()


async def taken(url: str, *found: Foreign, token: str | None = None) -> list[Result]:
    sandbox: Sandbox = InProcessSandbox()  # type: ignore[assignment]
    importer = Importer(There(url.replace("http", "ws"), token, pause=0.01), sandbox, GateLimits())
    return [result async for result in importer.take_all(found)]


async def rows(server: WholeServer, name: str) -> int:
    document_id = await server.store.catalogue.named(name)
    assert document_id is not None
    return (await server.store.log.heads([document_id]))[document_id].seq


async def test_documents_come_into_a_running_server_and_a_second_run_brings_only_what_is_new() -> None:
    async with whole_server() as server:
        found = Foreign("a room/with %", [state("one ")])
        assert [each.outcome for each in await taken(server.url, found)] == [Outcome.IMPORTED]
        assert [each.outcome for each in await taken(server.url, found)] == [Outcome.UNCHANGED]
        assert await rows(server, found.name) == 1
        more = Foreign(found.name, [*found.updates, state("two", 8)])
        results = await taken(server.url, more, Foreign("broken", [b"?"]), Foreign("", [state("x")]))
        assert [each.outcome for each in results] == ["changed", "refused", "refused"]
        assert "1 to 255" in results[2].note
        assert await rows(server, found.name) == 2
        assert await server.store.catalogue.named("broken") is None


async def test_a_document_with_a_format_takes_the_last_changes() -> None:
    async with whole_server() as server:
        await taken(server.url, Foreign("room", [state("", 7), state("words", 8, "other")]))
        document_id = await server.store.catalogue.named("room")
        assert document_id is not None
        doc: Doc[Any] = Doc(client_id=9)
        doc.get("default", type=XmlFragment).children.append(XmlElement("paragraph", {}, [XmlText("Late")]))
        await server.store.catalogue.declare_format(document_id, Format("manyhands", 2), 0, by="anna")
        (result,) = await taken(server.url, Foreign("room", [doc.get_update()]))
        assert (result.outcome, result.note) == (Outcome.CHANGED, "")


async def test_whoever_may_not_write_or_make_a_document_is_told_so() -> None:
    async with whole_server(JWT) as server:
        await server.store.catalogue.create(
            DocumentId("a-document-of-anns"), "Title", Epoch(1), server.clock(), owner="ann", link_role=Role.VIEWER
        )
        found = Foreign("a-document-of-anns", [state("words")]), Foreign("room", [state("words")])
        said = [each.note for each in await taken(server.url, *found, token=signed(sub="bob"))]
        assert "not to change it" in said[0]
        assert "MANYHANDS_ROOMS_BY_NAME" in said[1]
        (result,) = await taken(server.url, found[0], token=signed(sub="ann"))
        assert result.outcome is Outcome.IMPORTED
        (result,) = await taken(server.url, found[0])
        assert result.outcome is Outcome.REFUSED


async def test_a_server_with_too_much_to_do_is_asked_again() -> None:
    config = Config(rates=Rates(creation_rate=Rate(20, 20)))
    async with whole_server(config=config) as server:
        found = [Foreign(f"room {number}", [state("words")]) for number in range(24)]
        assert [each.outcome for each in await taken(server.url, *found)] == [Outcome.IMPORTED] * 24


async def test_an_address_without_a_server_ends_the_import() -> None:
    with pytest.raises(CannotDo, match="cannot be reached"):
        await taken(f"http://127.0.0.1:{quiet_port()}", Foreign("room", [state("words")]))
    with pytest.raises(CannotDo, match="no address"):
        async with importer_there(Config(), "docs.example.org", None):
            pass
