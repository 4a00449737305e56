"""The Python client and a real server: what is saved, what is refused, and who comes back."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pycrdt import Doc, Text, XmlFragment

import manyhands
from crdt.budget import Rate
from crdt.content.schema import SCHEMA
from crdt.ids import DocumentId, Epoch
from crdt.permissions import Role
from crdt.protocol.batch import encode_batch
from crdt.protocol.messages import Limits
from manyhands import Document
from manyhands.address import Address
from manyhands.paragraphs import FORMAT
from server.auth.jwt import JwtAuthenticator
from server.auth.tokens import FixedKey, Rules, secret_key
from server.cli.service_tokens import create
from server.config import Config
from server.config.limits import ConnectionLimits, Rates
from server.config.people import PeopleSettings
from server.rooms import RoomSettings
from tests.client.site import Site, failing, site, story, until
from tests.harness.bell import PATIENCE, given_time
from tests.harness.live_server import is_behind, serving
from tests.harness.live_server import until as all_hung_up
from tests.harness.memory_store import memory_store
from tests.harness.person import person
from tests.harness.ports import quiet_port
from tests.harness.processes import mortal
from tests.harness.relay import Relay
from tests.harness.tokens import SECRET, token
from tests.harness.whole_server import Clock, whole_server

CLIENT_WEB = Path(__file__).parents[2] / "client_web"
PAGE = Path(__file__).with_name("provider.mjs")


@pytest.fixture
async def place() -> AsyncIterator[Site]:
    async with site() as place:
        yield place


async def test_two_programs_write_in_one_document(place: Site) -> None:
    async with place.opened(name="Ada") as ada, place.opened() as bo:
        assert (ada.status, ada.title, ada.role) == ("synced", "Story", "editor")
        await ada.append("Good morning\nand more")
        await ada.saved()
        await bo.append("Good evening")
        assert await bo.markdown() == "Good morning\n\nand more\n\nGood evening\n"
        await until(ada, lambda: "evening" in str(ada.get("default", type=XmlFragment)))
        assert await ada.plain_text() == "Good morning\nand more\nGood evening\n"
        assert (ada.unsaved, bo.unsaved) == (0, 0)


async def test_markdown_is_appended_behind_what_was_written(place: Site) -> None:
    async with place.opened() as ada:
        await ada.append("Shopping")
        await ada.append_markdown("## List\n\n- _milk_\n- bread")
        assert "<heading" in str(ada.get("default", type=XmlFragment))
        await ada.append("The end")
        assert await ada.markdown() == "Shopping\n\n## List\n\n- _milk_\n- bread\n\nThe end\n"
    await place.asks("PUT", "/link", role="viewer", address_alone=True)
    async with place.opened() as bo:
        with pytest.raises(manyhands.Forbidden):
            await bo.append_markdown("No")


async def test_a_document_is_opened_by_the_address_of_its_page(place: Site) -> None:
    async with manyhands.connect(f"{place.url}/d/{place.document_id}") as ada:
        assert ada.document_id == place.document_id


async def test_a_broadcast_reaches_the_others_that_are_here(place: Site) -> None:
    async with failing(place.opened(place.detour, name="Ada")) as ada, place.opened(name="Bo") as bo:
        heard = list[tuple[str, str]]()
        stop = bo.on_broadcast(lambda text, person: heard.append((text, person.name)))
        later = list[str]()
        bo.on_broadcast(lambda text, _person: later.append(text))
        await ada.broadcast("☂")
        await until(bo, lambda: heard == [("☂", "Ada")])
        for payload, code in (("x" * 70_000, "too_large"), ("\ud83d", "malformed")):
            with pytest.raises(manyhands.Refused) as refused:
                await ada.broadcast(payload)
            assert refused.value.code == code
        stop()
        await ada.broadcast("again")
        await until(bo, lambda: later == ["☂", "again"])
        await place.asks("PUT", "/link", role="viewer", address_alone=True)
        await until(ada, lambda: ada.role == "viewer")
        with pytest.raises(manyhands.Forbidden):
            await ada.broadcast("from a reader")
        assert heard == [("☂", "Ada")]


@pytest.mark.parametrize(
    ("url", "document", "address"),
    [
        ("https://docs.example.org/", "an-id", Address("https://docs.example.org", "an-id", None)),
        ("https://docs.example.org/d/an-id", None, Address("https://docs.example.org", "an-id", None)),
        ("https://example.org/docs/d/an-id/#link=secret", None, Address("https://example.org/docs", "an-id", "secret")),
        ("http://localhost:8000/docs", "an-id", Address("http://localhost:8000/docs", "an-id", None)),
    ],
)
def test_addresses_name_a_server_and_a_document(url: str, document: str | None, address: Address) -> None:
    assert Address.of(url, document) == address


@pytest.mark.parametrize(("url", "document"), [("localhost:8000", "an-id"), ("https://docs.example.org", None)])
def test_other_addresses_are_errors(url: str, document: str | None) -> None:
    with pytest.raises(ValueError, match=r"address"):
        manyhands.connect(url, document)


@asynccontextmanager
async def page(place: Site) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the browser's provider in Node."""
    command = mortal("node", PAGE, place.url, place.document_id)
    node = await asyncio.create_subprocess_exec(*command, cwd=CLIENT_WEB, stdout=asyncio.subprocess.PIPE)
    try:
        yield node
    finally:
        if node.returncode is None:
            node.kill()
        await node.communicate()


@pytest.mark.slow
async def test_a_program_and_the_browsers_provider(place: Site) -> None:
    async with page(place) as node, place.opened() as ada:
        await ada.append("from Python")
        await until(ada, lambda: "from the browser" in str(ada.get("default", type=XmlFragment)))
        await until(ada, lambda: [(each.name, each.state.get("cursor")) for each in ada.people] == [("Bo", 7)])
        await ada.append("goodbye")
        async with asyncio.timeout(PATIENCE):
            out, _ = await node.communicate()
        assert await ada.markdown() == "from Python\n\nfrom the browser\n\ngoodbye\n"
        await until(ada, lambda: not ada.people)
    text = "".join(f"<paragraph>{line}</paragraph>" for line in ("from Python", "from the browser", "goodbye"))
    assert json.loads(out) == {"text": text, "refusal": None}


async def test_a_program_and_any_client_of_socketio(place: Site) -> None:
    async with place.opened() as ada, person(place.server) as bo:
        await bo.join(place.document_id)
        assert await bo.ask("update", place.document_id, bo.types("Hi")) == {"seq": 1}
        await until(ada, lambda: str(story(ada)) == "Hi")
        story(ada).insert(2, " there")
        await bo.hears("update")
        assert str(bo.text) == "Hi there"


async def test_others_see_who_is_here(place: Site) -> None:
    async with place.opened(name="Ada", color="#112233") as ada, place.opened() as bo:
        ada.show({"reads": 3})
        await until(bo, lambda: bool(bo.people))
        [seen] = bo.people
        assert (seen.name, seen.color, seen.state) == ("Ada", "#112233", {"reads": 3})
        with pytest.raises(TypeError):
            ada.show({"reads": b"bytes"})
        with pytest.raises(ValueError, match="JSON"):
            ada.show({"reads": float("nan")})
        ada.show(None)
        await until(bo, lambda: not bo.people)


async def test_rows_that_come_within_a_transaction_harm_nothing(place: Site) -> None:
    async with place.opened() as ada, place.opened() as bo:
        with ada.transaction():
            story(ada).insert(0, "mine ")
            story(bo).insert(0, "yours ")
            await until(ada, lambda: "yours" in str(story(ada)))
        await ada.saved()
        await until(bo, lambda: sorted(str(story(bo)).split()) == ["mine", "yours"])
        await until(ada, lambda: str(story(ada)) == str(story(bo)), bo)
        assert ada.refusal is None


async def test_a_listener_that_fails_ends_nothing(place: Site) -> None:
    faults: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context["exception"]))

    def fails(_event: object = None) -> None:
        raise ZeroDivisionError

    async with place.opened() as ada, place.opened() as bo:
        ada.subscribe(fails)
        words = story(ada)
        words.observe(fails)
        story(bo).insert(0, "Hi")
        await until(ada, lambda: str(words) == "Hi")
        await ada.append("still here")
        await ada.saved()
    assert {type(fault) for fault in faults} == {ZeroDivisionError, ExceptionGroup}


async def test_what_is_written_offline_comes_later_and_once(place: Site) -> None:
    async with place.opened(place.detour) as ada, place.opened() as bo:
        story(ada).insert(0, "one ")
        await ada.saved()
        await place.relay.cut()
        await until(ada, lambda: ada.status != "synced")
        story(ada).insert(4, "two ")
        with pytest.raises(manyhands.Unreachable, match="1 changes are not saved") as late:
            await ada.saved(timeout=0.05)
        assert isinstance(late.value, TimeoutError)
        story(bo).insert(0, "zero ")
        await place.relay.mend()
        ada.reconnect_now()
        await ada.saved()
        await until(bo, lambda: str(story(bo)) == "zero one two ")
        await until(ada, lambda: str(story(ada)) == "zero one two ")


async def test_a_slow_network_loses_nothing(place: Site) -> None:
    place.relay.delay = 0.02
    async with place.opened(place.detour) as ada, place.opened(place.detour) as bo:
        for count in range(20):
            story(ada).insert(0, f"a{count} ")
            story(bo).insert(len(story(bo)), f"b{count} ")
            await asyncio.sleep(0)
        await asyncio.gather(ada.saved(), bo.saved())
        words = {f"{letter}{count}" for letter in "ab" for count in range(20)}
        await until(ada, lambda: sorted(str(story(ada)).split()) == sorted(words))
        await until(bo, lambda: str(story(bo)) == str(story(ada)), ada)


@pytest.mark.slow
@pytest.mark.parametrize("writes", [False, True])
async def test_who_was_too_slow_gets_what_they_missed(writes: bool) -> None:
    limits = Limits(backlog_bytes=64 * 2**10, part_bytes=64 * 2**10)
    async with serving(settings=RoomSettings(limits=limits)) as server, Relay(quiet_port(), server.port) as relay:
        document_id = await server.new_document()
        opened = partial(manyhands.connect, document=document_id, timeout=PATIENCE)
        async with opened(server.url) as bo, opened(f"http://127.0.0.1:{relay.port}") as ada:
            heard = bytearray()
            relay.from_dependency = heard.extend
            relay.open.clear()  # what comes fills the kernel's buffers, and then the server's
            while not is_behind(server, document_id):
                story(bo).insert(0, "long " * 10_000)
                await bo.saved()
            story(bo).insert(0, "missed ")  # what made it fall behind was sent
            await bo.saved()
            if writes:  # the answer may show the gap before the server says that there is one
                story(ada).insert(0, "meanwhile ")
            relay.open.set()
            await ada.saved()
            await until(ada, lambda: str(story(ada)) == str(story(bo)), bo)
            assert str(story(bo)).count("meanwhile") == writes
            assert writes or b'"resync"' in heard


async def test_a_large_change_travels_in_parts(place: Site) -> None:
    words = "many words " * 150_000
    async with place.opened() as ada:
        story(ada).insert(0, words)
        story(ada).insert(0, "behind ")
        await ada.saved()
    async with place.opened() as bo:
        assert str(story(bo)) == f"behind {words}"


async def test_the_end_of_the_block_waits_for_what_is_written(place: Site) -> None:
    async with place.opened() as ada:
        story(ada).insert(0, "last words")
    async with place.opened() as bo:
        assert str(story(bo)) == "last words"


async def test_the_document_stays_when_the_session_is_over(place: Site, tmp_path: Path) -> None:
    async with place.opened(outbox=tmp_path / "outbox") as ada:
        story(ada).insert(0, "shared ")
    assert ada.status == "closed"
    story(ada).insert(0, "alone ")
    assert str(story(ada)) == "alone shared "
    assert ada.unsaved == 0
    with pytest.raises(RuntimeError, match="opened once"):
        async with ada:
            pass


async def test_who_waits_is_told_when_the_document_is_left(place: Site) -> None:
    async with failing(place.opened(place.detour)) as ada:
        await place.relay.cut()
        story(ada).insert(0, "never")
        waiting = asyncio.create_task(ada.saved())
        await asyncio.sleep(0)
    with pytest.raises(manyhands.ManyhandsError, match="left"):
        await waiting


@pytest.mark.slow
async def test_who_leaves_at_any_moment_of_connecting_again_is_gone(place: Site) -> None:
    """Leaving ends the task that connects, wherever that task has got to."""
    for turns in range(30):
        async with asyncio.timeout(PATIENCE), place.opened(place.detour) as ada:
            ada.reconnect_now()  # already connected: the next pause ends before it begins
            await place.relay.cut()
            await place.relay.mend()
            for _ in range(turns):
                await asyncio.sleep(0)
        assert ada.status == "closed"
        await all_hung_up(lambda: place.relay.connections == 0)


async def test_an_error_in_the_block_does_not_wait(place: Site) -> None:
    async with failing(place.opened(place.detour)) as ada:
        await place.relay.cut()
        story(ada).insert(0, "lost")
    assert ada.unsaved == 1


async def test_who_only_reads_is_told_before_writing(place: Site) -> None:
    await place.asks("PUT", "/link", role="viewer", address_alone=True)
    async with place.opened() as ada:
        assert ada.role == "viewer"
        with pytest.raises(manyhands.Forbidden):
            await ada.append("No")
        assert ada.unsaved == 0
        assert await ada.plain_text() == "\n"


async def test_a_refused_change_stays_here_and_goes_when_it_may(place: Site) -> None:
    await place.asks("PUT", "/link", role="viewer", address_alone=True)
    async with place.opened() as ada:
        story(ada).insert(0, "Please")
        with pytest.raises(manyhands.Forbidden):
            await ada.saved()
        assert isinstance(ada.refusal, manyhands.Forbidden)
        assert (ada.unsaved, str(story(ada))) == (1, "Please")
        assert said_by(ada.unsaved_changes) == "Please"
        await place.asks("PUT", "/link", role="editor", address_alone=True)
        await until(ada, lambda: ada.unsaved == 0)
        await ada.saved()
        assert ada.refusal is None


def said_by(changes: Sequence[bytes]) -> str:
    """What changes say alone."""
    doc: Doc[Any] = Doc()
    for change in changes:
        doc.apply_update(change)
    return str(doc.get("story", type=Text))


async def steal(place: Site, client_id: int, *, keyed: bool) -> None:
    """Write as a stranger under a client id: as one's own, or as one that comes along."""
    thief: Doc[Any] = Doc(client_id=client_id)
    thief.get("story", type=Text).insert(0, "stolen ")
    async with person(place.server) as stranger:
        if keyed:
            shown = {"state_vector": b"\0", "client_id": client_id, "key": "k" * 32}
            assert "error" not in await stranger.ask("join", place.document_id, shown)
        else:
            await stranger.join(place.document_id)
        assert "seq" in await stranger.ask("update", place.document_id, encode_batch([thief.get_update()]))


@pytest.mark.parametrize("keyed", [True, False])
async def test_words_go_on_when_somebody_else_has_written_under_their_client_id(place: Site, keyed: bool) -> None:
    async with place.opened() as ada, place.opened(place.detour) as bo:
        await place.relay.cut()
        story(bo).insert(0, "mine ")
        await steal(place, bo.client_id, keyed=keyed)
        await place.relay.mend()
        bo.reconnect_now()
        await bo.saved()
        await until(ada, lambda: sorted(str(story(ada)).split()) == ["mine", "stolen"])
        await until(bo, lambda: str(story(bo)) == str(story(ada)))
        story(bo).insert(5, "more ")
        story(ada).insert(0, "ada ")
        await bo.saved()
        await ada.saved()
        await until(ada, lambda: len(str(story(ada)).split()) == 4, bo)
        await until(bo, lambda: str(story(bo)) == str(story(ada)))
        assert (bo.refusal, bo.closed, ada.unsaved) == (None, None, 0)


async def test_words_of_an_earlier_program_go_on_as_well(place: Site, tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    async with failing(place.opened(place.detour, outbox=outbox)) as bo:
        await place.relay.cut()
        story(bo).insert(0, "mine ")
        client_id = bo.client_id
    await steal(place, client_id, keyed=True)
    async with place.opened(outbox=outbox) as again, place.opened() as ada:
        await again.saved()
        await until(ada, lambda: sorted(str(story(ada)).split()) == ["mine", "stolen"])
        assert str(story(again)) == str(story(ada))


async def test_whose_new_client_id_is_taken_too_is_told_and_has_another_the_next_time(place: Site) -> None:
    async with place.opened() as ada, failing(place.opened(place.detour)) as bo:
        await place.relay.cut()
        story(bo).insert(0, "mine")
        for client_id in (bo.client_id, bo.client_id + 1):
            await steal(place, client_id, keyed=True)
        await place.relay.mend()
        bo.reconnect_now()
        await until(bo, lambda: bo.refusal is not None or bo.closed is not None, ada)
        assert isinstance(bo.refusal or bo.closed, manyhands.ClientIdTaken)
        assert said_by(bo.unsaved_changes) == "mine"
        async with place.opened() as again:
            story(again).insert(0, "mine ")
        await until(ada, lambda: "mine" in str(story(ada)))


async def test_another_format_is_read_and_not_written(place: Site) -> None:
    async with place.opened() as ada, place.opened(format={"name": "another", "version": 1}) as bo:
        await ada.append("ours")
        await ada.saved()
        await until(bo, lambda: bo.status == "synced" and "ours" in str(bo.get("default", type=XmlFragment)))
        with pytest.raises(manyhands.OtherFormat):
            await bo.append("theirs")
        story(bo).insert(0, "other roots are free")
        await bo.saved()


async def test_a_deleted_document_says_so(place: Site) -> None:
    async with place.opened() as ada:
        await place.asks("POST", "/trash")
        await until(ada, lambda: not ada._own.about.may_write)
        with pytest.raises(manyhands.Forbidden):
            await ada.append("No")
        await place.asks("DELETE")
        await until(ada, lambda: ada.closed is not None)
        assert isinstance(ada.closed, manyhands.Deleted)
        assert ada.status == "closed"
    with pytest.raises(manyhands.NotFound):
        async with place.opened():
            pass


async def test_a_server_that_is_not_there_is_unreachable(place: Site) -> None:
    await place.relay.cut()
    with pytest.raises(manyhands.Unreachable):
        async with place.opened(place.detour, timeout=0.2):
            pass


@pytest.mark.slow
async def test_a_server_that_takes_nobody_says_why(place: Site) -> None:
    crowd = whole_server(config=Config(connections=ConnectionLimits(max_connections_per_user=1)))
    async with crowd as server, server.browser() as http:
        document_id = (await http.post("/api/documents", json={"title": "Story"})).json()["id"]
        cookie = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        opened = partial(manyhands.connect, server.url, document_id, cookie=cookie)

        async def is_told(seconds: float) -> bool:
            with pytest.raises(manyhands.Unreachable) as error:
                async with opened(timeout=seconds):
                    pass
            return "too_many" in str(error.value)

        async with opened(timeout=PATIENCE):
            await given_time(is_told, 0.5)


@pytest.mark.slow
async def test_whoever_writes_too_fast_waits_and_loses_nothing() -> None:
    await given_time(eight_changes_wait_and_none_is_lost, 0.1)


async def eight_changes_wait_and_none_is_lost(seconds: float) -> bool:
    """False: each was asked for after that while, and taken at once."""
    config = Config(rates=Rates(update_rate=Rate(1 / seconds, 2)))
    async with whole_server(config=config) as server, server.browser() as http:
        document_id = (await http.post("/api/documents", json={"title": "Story"})).json()["id"]
        async with manyhands.connect(server.url, document_id, timeout=PATIENCE) as ada:
            waited = False
            for _ in range(8):
                story(ada).insert(len(story(ada)), "word ")
                await until(ada, lambda: not ada.unsaved or ada.status != "synced")
                waited = waited or ada.status != "synced"
            made = str(story(ada))
            await ada.saved()
        async with manyhands.connect(server.url, document_id, timeout=PATIENCE) as later:
            assert str(story(later)) == made
    return waited


async def test_changes_in_a_file_outlive_the_program(place: Site, tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    async with failing(place.opened(place.detour, outbox=outbox)) as ada:
        story(ada).insert(0, "saved, ")
        await ada.saved()
        await place.relay.cut()
        await until(ada, lambda: ada.status != "synced")
        story(ada).insert(7, "and kept")
    async with place.opened(outbox=outbox) as later, place.opened() as bo:
        assert str(story(later)) == "saved, and kept"
        await later.saved()
        await until(bo, lambda: str(story(bo)) == "saved, and kept")


async def test_changes_of_an_earlier_life_are_not_merged(place: Site, tmp_path: Path) -> None:
    outbox = tmp_path / "outbox"
    async with failing(place.opened(place.detour, outbox=outbox)) as ada:
        await place.relay.cut()
        story(ada).insert(0, "before")
    await place.asks("POST", "/trash")
    await place.asks("DELETE")
    again = DocumentId(place.document_id)
    await place.server.store.catalogue.create(again, "Story", Epoch(9), datetime.now(UTC), link_role=Role.EDITOR)
    for _ in range(2):  # the changes stay in the file
        later = place.opened(outbox=outbox)
        with pytest.raises(manyhands.EpochChanged):
            async with later:
                pass
        assert said_by(later.unsaved_changes) == "before"
    async with place.opened() as bo:
        assert str(story(bo)) == ""


def tokens() -> JwtAuthenticator:
    return JwtAuthenticator(FixedKey(secret_key(SECRET)), Rules(None, None), time.time)


@pytest.mark.slow
async def test_a_token_that_ends_is_replaced_and_nothing_is_lost() -> None:
    async def is_replaced(seconds: float) -> bool:
        """Write with a token that holds so long. False if it ended before the document was open."""
        given: list[str] = []

        async def fresh() -> str:
            given.append(token(exp=time.time() + (600 if given else seconds)))
            return given[-1]

        async with manyhands.connect(server.url, document_id, token=fresh, timeout=PATIENCE) as ada:
            if len(given) > 1:
                return False
            story(ada).insert(0, "a")
            await until(ada, lambda: len(given) > 1)
            story(ada).insert(0, "b")
            await ada.saved()
            assert ada.closed is None
        return True

    async with serving(authenticator=tokens()) as server:
        document_id = await server.new_document()
        await given_time(is_replaced, 0.4)


async def test_a_program_comes_with_a_service_token() -> None:
    clock = Clock()
    people = PeopleSettings(auth="jwt", jwt_secret=SECRET)
    async with whole_server(people, store=memory_store(clock), clock=clock) as server, server.browser() as http:
        given = await create(server.store, "Notes", "anna", {"*": "editor"}, clock(), None)
        made = await http.post("/api/documents", json={}, headers={"Authorization": f"Bearer {given}"})
        async with manyhands.connect(server.url, made.json()["id"], token=given, timeout=PATIENCE) as ada:
            await ada.append("by a program")
            assert await ada.markdown() == "by a program\n"


@pytest.mark.slow
async def test_a_fresh_token_of_somebody_else_ends_the_session() -> None:
    async def ends(seconds: float) -> bool:
        """Open with a token that holds so long. False if it ended before the document was open."""
        given: list[str] = []

        def fresh() -> str:
            runs_out = time.time() + (600 if given else seconds)
            given.append(token(exp=runs_out, sub="bob" if given else "ann"))
            return given[-1]

        async with failing(manyhands.connect(server.url, document_id, token=fresh, timeout=PATIENCE)) as ada:
            if len(given) > 1:
                return False
            await until(ada, lambda: ada.closed is not None)
            assert isinstance(ada.closed, manyhands.Forbidden)
        return True

    async with serving(authenticator=tokens()) as server:
        document_id = await server.new_document()
        await given_time(ends, 0.4)


@pytest.mark.parametrize("given", ["nonsense", lambda: "nonsense", None], ids=["token", "source", "nobody"])
async def test_without_a_good_token_nobody_comes_in(given: Any) -> None:
    async with serving(authenticator=tokens()) as server:
        document_id = await server.new_document()
        with pytest.raises(manyhands.Unauthenticated):
            async with manyhands.connect(server.url, document_id, token=given, timeout=PATIENCE):
                pass


def test_the_client_knows_the_format_of_this_release() -> None:
    assert {"name": SCHEMA.name, "version": SCHEMA.version} == FORMAT


def test_the_module_names_what_it_has() -> None:
    assert set(dir(manyhands)) == set(manyhands.__all__)
    assert all(hasattr(manyhands, name) for name in manyhands.__all__)
    with pytest.raises(AttributeError):
        manyhands.nothing  # noqa: B018


async def test_a_document_is_opened_before_it_is_used() -> None:
    document = manyhands.connect("http://127.0.0.1:1", "a-document")
    assert isinstance(document, Document)
    assert document.status == "closed"
    with pytest.raises(RuntimeError, match="Open the document first"):
        await document.saved()
