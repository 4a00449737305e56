"""Other servers' documents come in: by name, again and again, while people write, and nobody's id is claimed."""

import json
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
from pycrdt import Doc, Text, XmlElement, XmlFragment, XmlText

from crdt.errors import Code, ProtocolError
from crdt.ids import ClientId, DocumentId
from crdt.log.replica import Replica
from crdt.permissions import Role
from crdt.protocol.batch import encode_batch
from crdt.protocol.messages import Acknowledged, Format, JoinRequest, Request, UpdateMessage
from crdt.yjs.limits import GateLimits
from server.cli.history import history_of
from server.cli.import_places import IMPORTER, Here
from server.cli.importing import Importer, Outcome, Result, told
from server.cli.neighbours import Foreign
from server.doors.direct import DirectDoor
from server.doors.names import NamedDocuments
from server.people.access import Access
from server.rooms import RoomSettings
from server.sandbox import Sandbox
from server.store.database import utc_now
from server.store.deeds_base import OPERATOR
from tests.harness.house import ANNA as HOUSE_ANNA
from tests.harness.house import House
from tests.harness.in_process_sandbox import InProcessSandbox
from tests.harness.live_server import until

LIMITS = GateLimits()
ANNA, BERT = 1001, 1002
"""Client ids on the old server."""


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with House(settings=RoomSettings(linger=0.001)) as house:
        yield house


def importer(house: House, *, dry_run: bool = False, **given: Any) -> Importer:
    sandbox: Sandbox = InProcessSandbox()  # type: ignore[assignment]
    return Importer(Here(house.store.catalogue, DirectDoor(house.rooms), **given), sandbox, LIMITS, dry_run=dry_run)


async def taken(house: House, *found: Foreign, **given: Any) -> list[Result]:
    """Run the import once, as the command does."""
    return [result async for result in importer(house, **given).take_all(found)]


def outcomes(results: list[Result]) -> list[str]:
    return [result.outcome for result in results]


class OldServer:
    """A document on another server, and the people who write there."""

    def __init__(self, root: str = "story") -> None:
        self.doc: Doc[Any] = Doc()
        self.root = root

    def writes(self, client_id: int, words: str) -> None:
        person: Doc[Any] = Doc(client_id=client_id)
        person.apply_update(self.doc.get_update())
        story = person.get(self.root, type=Text)
        story.insert(len(story), words)
        self.doc.apply_update(person.get_update())

    def deletes(self, first: int, end: int) -> None:
        del self.doc.get(self.root, type=Text)[first:end]

    def found(self, name: str = "our room") -> Foreign:
        return Foreign(name, [self.doc.get_update()])

    @property
    def text(self) -> str:
        return str(self.doc.get(self.root, type=Text))


async def stored(house: House, document_id: DocumentId) -> "Doc[Any]":
    loaded = await house.store.log.load(document_id)
    assert loaded is not None
    doc: Doc[Any] = Doc()
    doc.apply_update(Replica(loaded, LIMITS).document.snapshot())
    return doc


async def text_of(house: House, name: str = "our room") -> str:
    document_id = await house.store.catalogue.named(name)
    assert document_id is not None
    return str((await stored(house, document_id)).get("story", type=Text))


async def head_of(house: House, name: str = "our room") -> int:
    document_id = await house.store.catalogue.named(name)
    assert document_id is not None
    return (await house.store.log.heads([document_id]))[document_id].seq


async def test_a_document_comes_in_by_its_name_and_a_second_run_brings_only_what_is_new(house: House) -> None:
    old = OldServer()
    old.writes(ANNA, "Anna's words. ")
    assert outcomes(await taken(house, old.found(), owner="carl", link_role=Role.VIEWER)) == [Outcome.IMPORTED]
    assert await text_of(house) == "Anna's words. "
    first = await head_of(house)
    assert outcomes(await taken(house, old.found())) == [Outcome.UNCHANGED]
    assert await head_of(house) == first
    old.writes(BERT, "Bert's words.")
    old.deletes(0, 7)
    (result,) = await taken(house, old.found())
    assert (result.outcome, await text_of(house), await head_of(house)) == ("changed", old.text, first + 1)
    assert result.written < 60
    document_id = await house.store.catalogue.named("our room")
    assert document_id is not None
    standing = (await house.store.sharing.access([document_id], []))[document_id]
    assert (standing.owner and standing.owner.user_id, standing.link.role) == ("carl", Role.VIEWER)
    entry = await house.store.catalogue.get(document_id)
    assert entry is not None
    assert entry.title == "our room"
    deed = (await house.store.deeds.list(document_id))[-1]
    assert (deed.kind, deed.by) == ("create", OPERATOR)
    lines = await history_of(house.store, document_id, 10)
    assert lines is not None
    assert {(by["user_id"], by["kind"]) for line in lines for by in json.loads(line)["by"]} == {
        (IMPORTER.user.user_id, "agent")
    }


async def test_doors_open_what_was_imported_by_its_name_also_where_names_make_no_documents(house: House) -> None:
    old = OldServer()
    old.writes(ANNA, "words")
    (result,) = await taken(house, old.found())
    access = Access(house.store, guests=False)
    names = NamedDocuments(house.store.catalogue, access, lambda _: 0.0, utc_now, makes=False)
    assert await names.find("our room", HOUSE_ANNA, "127.0.0.1") == result.document_id
    with pytest.raises(ProtocolError, match="MANYHANDS_ROOMS_BY_NAME"):
        await names.find("another room", HOUSE_ANNA, "127.0.0.1")


async def test_deletions_alone_are_a_change(house: House) -> None:
    old = OldServer()
    old.writes(ANNA, "Some words")
    await taken(house, old.found())
    old.deletes(4, 10)
    assert outcomes(await taken(house, old.found())) == [Outcome.CHANGED]
    assert outcomes(await taken(house, old.found())) == [Outcome.UNCHANGED]
    assert await text_of(house) == "Some"


async def test_what_people_write_here_meanwhile_is_merged_and_they_see_what_comes(house: House) -> None:
    old = OldServer()
    old.writes(ANNA, "Old words. ")
    await taken(house, old.found(), link_role=Role.EDITOR)
    document_id = await house.store.catalogue.named("our room")
    assert document_id is not None
    async with DirectDoor(house.rooms).author(document_id, IMPORTER) as author:
        here: Doc[Any] = Doc(client_id=author.client_id)
        here.apply_update(author.state)
        before = here.get_state()
        here.get("story", type=Text).insert(0, "New words. ")
        await author.write(here.get_update(before))
        await house.enter("reader", document_id, JoinRequest(b"\0", ClientId(5)))
        old.writes(ANNA, "Late words.")
        assert outcomes(await taken(house, old.found())) == [Outcome.CHANGED]
    assert await text_of(house) == "New words. Old words. Late words."
    await until(lambda: any(isinstance(each, UpdateMessage) for each in house.ears.said["reader"]))


async def test_what_cannot_be_taken_is_named_with_its_reason_and_the_others_go_on(house: House) -> None:
    good, trashed, deleted = OldServer(), OldServer(), OldServer()
    for each in (good, trashed, deleted):
        each.writes(ANNA, "words")
    await taken(house, trashed.found("trashed"), deleted.found("deleted"))
    await until(lambda: not list(house.rooms.registry))
    for name in ("trashed", "deleted"):
        document_id = await house.store.catalogue.named(name)
        assert document_id is not None
        if name == "trashed":
            await house.store.catalogue.set_trashed(document_id, (await _entry(house, document_id)).created_at)
        else:
            await house.store.catalogue.delete(document_id)
    good.writes(BERT, " more")
    trashed.writes(BERT, " more")
    said: list[str] = []
    found = (
        Foreign("broken", [b"\x01\x02\x03"]),
        Foreign("not read", unreadable="The disk is broken."),
        Foreign("", good.found().updates),
        Foreign("a\nline", good.found().updates),
        Foreign("n" * 256, good.found().updates),
        trashed.found("trashed"),
        deleted.found("deleted"),
        Foreign("empty", [b"\0\0"]),
        good.found("good"),
        good.found("good"),
        Foreign("half", [*good.found().updates, b"\x01\x01\x63\x05\x84\x63\x04\x01a\0"]),
    )
    assert not await told(importer(house).take_all(found), said.append)
    kinds = [line.split()[0] for line in said[:-1]]
    assert kinds == ["refused"] * 7 + ["unchanged", "imported", "refused", "imported"]
    assert said[-1] == "Documents: 2 imported, 0 changed, 1 unchanged, 8 refused."
    for line, reason in zip(
        said, ("announces", "disk", "1 to 255", "1 to 255", "1 to 255", "trash", "no such"), strict=False
    ):
        assert reason in line, line
    assert "the same name" in said[9]
    assert "Changes of 1 updates were left out" in said[10]
    assert [await house.store.catalogue.named(name) for name in ("broken", "empty")] == [None, None]
    assert await text_of(house, "good") == await text_of(house, "half") == "words more"


async def _entry(house: House, document_id: DocumentId) -> Any:
    return await house.store.catalogue.get(document_id)


async def test_a_dry_run_says_the_same_and_writes_nothing(house: House) -> None:
    old = OldServer()
    old.writes(ANNA, "words")
    assert outcomes(await taken(house, old.found(), Foreign("broken", [b"?"]), dry_run=True)) == ["imported", "refused"]
    assert await house.store.catalogue.named("our room") is None
    await taken(house, old.found())
    head = await head_of(house)
    old.deletes(0, 1)
    assert outcomes(await taken(house, old.found(), dry_run=True)) == [Outcome.CHANGED]
    assert await head_of(house) == head


async def test_the_last_changes_come_also_when_an_editor_has_given_the_document_its_format(house: House) -> None:
    old = OldServer("default")
    old.doc.get("default", type=XmlFragment).children.append(XmlElement("paragraph", {}, [XmlText("Old words")]))
    await taken(house, old.found())
    document_id = await house.store.catalogue.named("our room")
    assert document_id is not None
    await house.store.catalogue.declare_format(document_id, Format("manyhands", 2), 0, by="anna")
    old.doc.get("default", type=XmlFragment).children.append(XmlElement("paragraph", {}, [XmlText("Late words")]))
    assert outcomes(await taken(house, old.found())) == [Outcome.CHANGED]
    text = str((await stored(house, document_id)).get("default", type=XmlFragment))
    assert text == "<paragraph>Old words</paragraph><paragraph>Late words</paragraph>"


KEY = "a-key-of-some-browser"


async def comes(house: House, who: str, copy: "Doc[Any]", client_id: int, key: str | None = None) -> Any:
    """Join under a client id, bring all that the server lacks of a copy, and return the answer."""
    document_id = await house.store.catalogue.named("our room")
    assert document_id is not None
    await house.enter(who, document_id, JoinRequest(b"\0", ClientId(client_id), key))
    request = Request(object())
    taking = house.receive(who, encode_batch([copy.get_update()]), request, document_id)
    if taking is not None:
        await taking
    await until(lambda: request in house.ears.answers)
    house.disconnect(who)
    return house.ears.answers[request]


def offline_copy(old: OldServer, client_id: int, words: str) -> "Doc[Any]":
    """Return somebody's copy with words that no server has seen."""
    copy: Doc[Any] = Doc(client_id=client_id)
    copy.apply_update(old.doc.get_update())
    story = copy.get("story", type=Text)
    story.insert(len(story), words)
    return copy


@pytest.mark.parametrize("key", [KEY, None])
@pytest.mark.parametrize("own", [ANNA, 77])
async def test_who_wrote_on_the_old_server_comes_back_with_an_old_copy_and_goes_on(
    house: House, own: int, key: str | None
) -> None:
    """They go on under the old client id, or bring its words under a new one, with a key or without."""
    old = OldServer()
    old.writes(ANNA, "Anna. ")
    old.writes(BERT, "Bert. ")
    await taken(house, old.found(), link_role=Role.EDITOR)
    document_id = await house.store.catalogue.named("our room")
    assert document_id is not None
    loaded = await house.store.log.load(document_id)
    assert loaded is not None
    assert loaded.author_keys == {}
    annas = offline_copy(old, ANNA, "Anna, offline. ")
    assert isinstance(await comes(house, "anna", annas, own, key), Acknowledged)
    annas.get("story", type=Text).insert(0, "Once more. ")
    assert isinstance(await comes(house, "anna", annas, own, key), Acknowledged)
    old.writes(BERT, "Bert, late. ")
    assert outcomes(await taken(house, old.found())) == [Outcome.CHANGED]
    text = await text_of(house)
    assert sorted(text.split(". ")) == sorted(["Once more", "Anna", "Bert", "Anna, offline", "Bert, late", ""])


async def test_an_import_waits_for_the_page_that_goes_on_under_an_old_client_id_to_bring_its_own_words(
    house: House,
) -> None:
    old = OldServer()
    old.writes(ANNA, "one ")
    await taken(house, old.found(), link_role=Role.EDITOR)
    annas = offline_copy(old, ANNA, "two ")
    assert isinstance(await comes(house, "anna", annas, ANNA, KEY), Acknowledged)
    annas.get("story", type=Text).insert(8, "three ")
    old.doc.apply_update(annas.get_update())
    (result,) = await taken(house, old.found())
    assert result.outcome is Outcome.REFUSED
    assert "brings its own words" in result.note
    assert isinstance(await comes(house, "anna", annas, ANNA, KEY), Acknowledged)
    assert outcomes(await taken(house, old.found())) == [Outcome.UNCHANGED]
    assert await text_of(house) == "one two three "


async def test_whoever_goes_on_first_under_an_imported_id_with_a_key_has_it(house: House) -> None:
    """Somebody else may be first, if they may write. The owner's later words are refused, and not lost unseen."""
    old = OldServer()
    old.writes(ANNA, "Anna. ")
    await taken(house, old.found(), link_role=Role.EDITOR)
    forged = offline_copy(old, ANNA, "?")
    assert isinstance(await comes(house, "mallory", forged, ANNA, "the-key-of-another-one"), Acknowledged)
    document_id = await house.store.catalogue.named("our room")
    assert document_id is not None
    with pytest.raises(ProtocolError) as refused:
        await comes(house, "anna", offline_copy(old, ANNA, "offline"), ANNA, KEY)
    assert refused.value.code is Code.CLIENT_ID_TAKEN
    answer = await comes(house, "anna", offline_copy(old, ANNA, "offline"), 77, KEY)
    assert (answer.code, await text_of(house)) == (Code.CLIENT_ID_TAKEN, "Anna. ?")


def rebuild(doc: "Doc[Any]", random: Random) -> None:
    """Do what editors do: type, split, delete, and turn blocks into others by a copy."""
    blocks = doc.get("default", type=XmlFragment).children
    at = random.randrange(len(blocks)) if len(blocks) else 0
    act = random.choice(("type", "type", "turn", "turn", "split", "delete", "add"))
    if act == "add" or not len(blocks):
        blocks.insert(at, XmlElement("paragraph", {}, [XmlText(f"Block {random.randrange(1000)} with words. ")]))
        return
    block = blocks[at]
    words = block.children[0]
    match act:
        case "type":
            words.insert(random.randrange(len(words) + 1), random.choice(("tap ", "ö", "👍", "long words here ")))
        case "turn":
            said = str(words)
            del blocks[at]
            blocks.insert(at, XmlElement(random.choice(("heading", "paragraph", "codeBlock")), {}, [XmlText(said)]))
        case "split":
            said = str(words)
            cut = len(said) // 2
            del words[cut:]
            blocks.insert(at + 1, XmlElement("paragraph", {}, [XmlText(said[cut:])]))
        case _:
            del blocks[at]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
async def test_rebuilt_blocks_of_the_old_server_are_not_taken_for_words_that_must_be_rescued(
    house: House, seed: int
) -> None:
    """Nobody writes here, so each import must end exactly where the old server is."""
    random, old = Random(seed), OldServer("default")
    people: list[Doc[Any]] = [Doc(client_id=ANNA), Doc(client_id=BERT)]
    for _ in range(4):
        for _ in range(12):
            person = random.choice(people)
            if random.random() < 0.7:
                person.apply_update(old.doc.get_update(person.get_state()))
            with person.transaction():
                rebuild(person, random)
            old.doc.apply_update(person.get_update(old.doc.get_state()))
        assert outcomes(await taken(house, old.found()))[0] in {Outcome.IMPORTED, Outcome.CHANGED}
        document_id = await house.store.catalogue.named("our room")
        assert document_id is not None
        here = await stored(house, document_id)
        assert str(here.get("default", type=XmlFragment)) == str(old.doc.get("default", type=XmlFragment))
    assert outcomes(await taken(house, old.found())) == [Outcome.UNCHANGED]


def turn(doc: "Doc[Any]", random: Random) -> None:
    """Make a copy of a block in the place of the block, as editors change a block's kind."""
    blocks = doc.get("default", type=XmlFragment).children
    at = random.randrange(len(blocks))
    said = str(blocks[at].children[0])
    del blocks[at]
    blocks.insert(at, XmlElement(random.choice(("heading", "paragraph")), {}, [XmlText(said)]))


def type_word(doc: "Doc[Any]", random: Random, word: str) -> None:
    words = random.choice(list(doc.get("default", type=XmlFragment).children)).children[0]
    words.insert(random.choice((0, len(words))), f" {word} ")


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
async def test_words_of_people_here_survive_what_is_rebuilt_on_the_old_server(house: House, seed: int) -> None:
    """Both servers are in use, and the last changes come again and again. Each word stays, once."""
    random, old, said = Random(seed), OldServer("default"), list[str]()
    for number in range(3):
        words = [XmlText(f"Block number {number} with some words of its own.")]
        old.doc.get("default", type=XmlFragment).children.append(XmlElement("paragraph", {}, words))
    await taken(house, old.found())
    document_id = await house.store.catalogue.named("our room")
    assert document_id is not None
    for round_ in range(6):
        with old.doc.transaction():
            if random.random() < 0.5:
                turn(old.doc, random)
            else:
                said.append(f"old{round_}")
                type_word(old.doc, random, said[-1])
        async with DirectDoor(house.rooms).author(document_id, IMPORTER) as author:
            here: Doc[Any] = Doc(client_id=author.client_id)
            here.apply_update(author.state)
            steps: list[bytes] = []
            here.observe(lambda event: steps.append(event.update))  # noqa: B023 - called in this round
            said.append(f"here{round_}")
            type_word(here, random, said[-1])
            await author.write(*steps)
        await taken(house, old.found())
    text = str((await stored(house, document_id)).get("default", type=XmlFragment))
    assert [text.count(word) for word in (*said, "Block number")] == [*[1] * len(said), 3]
    assert outcomes(await taken(house, old.found())) == [Outcome.UNCHANGED]
