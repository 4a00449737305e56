"""The catalogue and the attachments beside it. For every backend."""

import asyncio
from datetime import datetime, timedelta, timezone
from functools import partial

import pytest
from msgspec.structs import replace

from crdt.content.excerpt import Excerpt
from crdt.errors import Code, ProtocolError
from crdt.ids import DocumentId, Epoch, Seq
from crdt.protocol.messages import Format
from server.store.base import UNTITLED, Appended, Attachment, Choice, Entry, Order, Page, Stale
from server.store.sharing_base import Link
from server.store.sql import SqlStore
from tests.contracts.storages import (
    DOCUMENT,
    EPOCH,
    NOON,
    NOWHERE,
    OTHER,
    Storage,
    append,
    fill,
    folding_into,
)

HOUR = timedelta(hours=1)


async def titles(store: SqlStore, query: str, *, trashed: bool = False) -> list[str]:
    page = await store.catalogue.find(Choice(query, trashed=trashed), limit=100, cursor=None)
    return [entry.title for entry in page.entries]


async def make(store: SqlStore, *titles: str) -> None:
    """Documents an hour apart, the first one the oldest."""
    for number, title in enumerate(titles):
        await store.catalogue.create(DocumentId(f"document-{number}"), title, EPOCH, NOON + number * HOUR)


async def test_a_name_has_one_document_whoever_comes_first_and_for_ever(store: SqlStore) -> None:
    ids = [DocumentId(f"document-{number}") for number in range(6)]
    catalogue, name = store.catalogue, "notes/may ü"
    assert await catalogue.named(name) is None
    made = await asyncio.gather(*[catalogue.create_named(name, each, "Title", EPOCH, NOON) for each in ids])
    (document_id,) = set(made)
    assert await catalogue.named(name) == document_id
    assert [each for each in ids if await catalogue.get(each) is not None] == [document_id]
    assert await catalogue.named("notes/may") is None
    await catalogue.delete(document_id)
    assert await catalogue.create_named(name, OTHER, "Title", EPOCH, NOON) == document_id
    assert await catalogue.get(OTHER) is None


async def test_a_new_document_is_in_the_catalogue(storage: Storage) -> None:
    async with storage.store() as store:
        made = await store.catalogue.create(DOCUMENT, "Tea \U0001f375 & cake", EPOCH, NOON)
        assert made == Entry(DOCUMENT, "Tea \U0001f375 & cake", NOON, NOON, None, 0)
    async with storage.store() as store:
        assert await store.catalogue.get(DOCUMENT) == made


async def test_making_a_document_twice_answers_with_the_first(store: SqlStore) -> None:
    first = await store.catalogue.create(DOCUMENT, "First", EPOCH, NOON)
    assert await store.catalogue.create(DOCUMENT, "Second", Epoch(2), NOON + HOUR) == first
    loaded = await store.log.load(DOCUMENT)
    assert loaded is not None
    assert loaded.epoch == EPOCH


async def test_what_does_not_exist_cannot_be_changed(store: SqlStore) -> None:
    assert await store.catalogue.get(NOWHERE) is None
    assert await store.catalogue.rename(NOWHERE, "Title", NOON) is None
    assert await store.catalogue.set_trashed(NOWHERE, NOON) is None
    assert await store.catalogue.delete(NOWHERE) is None


async def test_renaming_is_an_edit(store: SqlStore) -> None:
    await make(store, "Old")
    renamed = await store.catalogue.rename(DocumentId("document-0"), "New", NOON + HOUR)
    assert renamed is not None
    assert renamed.entry == Entry(DocumentId("document-0"), "New", NOON, NOON + HOUR, None, 0)
    assert await titles(store, "new") == ["New"]
    assert await titles(store, "old") == []


async def test_a_document_without_a_title_is_called_by_its_first_line(store: SqlStore) -> None:
    made = await store.catalogue.create(DOCUMENT, UNTITLED, EPOCH, NOON)
    assert (made.title, made.preview) == (UNTITLED, "")
    lines = Excerpt("Tea for ZWÖLF", "and cake")
    noted = await store.catalogue.note_excerpt(DOCUMENT, EPOCH, Seq(3), lines)
    assert noted == replace(made, title="Tea for ZWÖLF", preview="and cake", excerpt_seq=3)
    assert await store.catalogue.get(DOCUMENT) == noted
    assert (await store.log.heads([DOCUMENT]))[DOCUMENT].title == "Tea for ZWÖLF"
    assert await titles(store, "zwölf") == await titles(store, "CAKE") == ["Tea for ZWÖLF"]
    assert await titles(store, "coffee") == []
    await store.catalogue.rename(DOCUMENT, "Party", NOON)
    named = await store.catalogue.get(DOCUMENT)
    assert named is not None
    assert (named.title, named.preview) == ("Party", "Tea for ZWÖLF")
    await store.catalogue.rename(DOCUMENT, UNTITLED, NOON)
    again = await store.catalogue.get(DOCUMENT)
    assert again is not None
    assert (again.title, again.preview) == ("Tea for ZWÖLF", "and cake")


async def test_a_line_that_repeats_the_given_title_is_no_preview(store: SqlStore) -> None:
    await store.catalogue.create(DOCUMENT, "Tea", EPOCH, NOON)
    noted = await store.catalogue.note_excerpt(DOCUMENT, EPOCH, Seq(1), Excerpt("Tea", "and cake"))
    assert noted is not None
    assert (noted.title, noted.preview) == ("Tea", "and cake")


async def test_the_lines_of_an_older_row_or_another_epoch_are_not_noted(store: SqlStore) -> None:
    await store.catalogue.create(DOCUMENT, UNTITLED, EPOCH, NOON)
    noted = await store.catalogue.note_excerpt(DOCUMENT, EPOCH, Seq(5), Excerpt("new", ""))
    for epoch, seq in ((EPOCH, 5), (EPOCH, 4), (Epoch(EPOCH + 1), 6)):
        assert await store.catalogue.note_excerpt(DOCUMENT, epoch, Seq(seq), Excerpt("old", "")) is None
    assert await store.catalogue.note_excerpt(NOWHERE, EPOCH, Seq(1), Excerpt("old", "")) is None
    assert await store.catalogue.get(DOCUMENT) == noted


async def test_moments_keep_their_microseconds_and_lose_their_zone(store: SqlStore) -> None:
    zone = timezone(timedelta(hours=-5))
    made = await store.catalogue.create(DOCUMENT, "", EPOCH, datetime(2030, 1, 1, 7, 0, 0, 123456, tzinfo=zone))
    assert made.created_at == NOON + timedelta(microseconds=123456)
    assert made.created_at.utcoffset() == timedelta()


async def test_trash_and_back(store: SqlStore) -> None:
    await make(store, "Here", "There")
    gone = await store.catalogue.set_trashed(DocumentId("document-0"), NOON + HOUR)
    assert gone is not None
    assert gone.entry is not None
    assert (gone.entry.trashed_at, gone.entry.updated_at) == (NOON + HOUR, NOON)
    assert await titles(store, "") == ["There"]
    assert await titles(store, "", trashed=True) == ["Here"]
    back = await store.catalogue.set_trashed(DocumentId("document-0"), None)
    assert back is not None
    assert back.entry is not None
    assert back.entry.trashed_at is None
    assert await titles(store, "") == ["There", "Here"]


async def test_what_is_in_the_trash_already_or_not_at_all_stays_as_it_is(store: SqlStore) -> None:
    await make(store, "Here")
    here = DocumentId("document-0")
    await store.catalogue.set_trashed(here, NOON)
    again = await store.catalogue.set_trashed(here, NOON + HOUR)
    assert again is not None
    assert again.entry is not None
    assert (again.deed, again.entry.trashed_at) == (None, NOON)
    await store.catalogue.set_trashed(here, None)
    for done in (
        await store.catalogue.set_trashed(here, None),
        await store.catalogue.delete(here, only_trashed=True),
    ):
        assert done is not None
        assert done.deed is None
    assert await titles(store, "") == ["Here"]
    await store.catalogue.set_trashed(here, NOON)
    deleted = await store.catalogue.delete(here, only_trashed=True)
    assert deleted is not None
    assert deleted.entry is None


async def test_size_and_last_edit_follow_the_log(store: SqlStore) -> None:
    await fill(store, "aaaa", "bb")
    entry = await store.catalogue.get(DOCUMENT)
    assert entry is not None
    assert entry.size == 6
    assert entry.updated_at > NOON
    await store.log.append([append("aaaa"), append("refused", epoch=2)])
    await store.log.compact(DOCUMENT, folding_into(b"snap"))
    await store.log.append([append("c")])
    grown = await store.catalogue.get(DOCUMENT)
    assert grown is not None
    assert grown.size == 5
    assert grown.updated_at > entry.updated_at


async def test_last_edited_comes_first(store: SqlStore) -> None:
    await store.catalogue.create(DOCUMENT, "Older", EPOCH, NOON - 2 * HOUR)
    await store.catalogue.create(OTHER, "Newer", EPOCH, NOON - HOUR)
    assert await titles(store, "") == ["Newer", "Older"]
    await store.log.append([append("a")])
    assert await titles(store, "") == ["Older", "Newer"]


@pytest.mark.parametrize(
    ("title", "query"),
    [
        ("Grüße aus Köln", "GRÜSSE"),
        ("Ünïcödé", "ünÏCÖDÉ"),
        ("ΟΔΟΣ", "οδος"),
        ("Протокол", "протОКОЛ"),
        ("cafe\u0301", "CAFÉ"),
        ("会議の議事録", "議事"),
        ("100% of a_b\\c", "% OF A_B\\"),
        ("'; DROP TABLE documents; --", "drop table"),
        ("Tea \U0001f375", "\U0001f375"),
        ("x" * 60_000, "X" * 59_999),
    ],
)
async def test_titles_are_found_in_any_script_and_case(store: SqlStore, title: str, query: str) -> None:
    await make(store, title, "something else")
    assert await titles(store, query) == [title]


@pytest.mark.parametrize("query", ["%", "_", "\\", "*", "nothing like it", "a%c"])
async def test_a_query_has_no_wildcards(store: SqlStore, query: str) -> None:
    await make(store, "abc", "A second one")
    assert await titles(store, query) == []


@pytest.mark.parametrize("half", ["\ud83c", "a\udf75b", "a\0b"])
async def test_what_some_database_cannot_hold_is_no_title(store: SqlStore, half: str) -> None:
    await make(store, "Whole")
    with pytest.raises(ProtocolError) as made:
        await store.catalogue.create(DOCUMENT, half, EPOCH, NOON)
    with pytest.raises(ProtocolError) as renamed:
        await store.catalogue.rename(DocumentId("document-0"), half, NOON)
    with pytest.raises(ProtocolError) as found:
        await store.catalogue.find(Choice(half), limit=1, cursor=None)
    assert {refusal.value.code for refusal in (made, renamed, found)} == {Code.MALFORMED}
    assert await titles(store, "") == ["Whole"]


async def test_pages_follow_each_other_without_gaps_or_repeats(store: SqlStore) -> None:
    for number in range(10):  # pairs share their moment
        await store.catalogue.create(DocumentId(f"document-{number}"), f"{number}", EPOCH, NOON + number // 2 * HOUR)
    seen: list[str] = []
    cursor = None
    for expected in (3, 3, 3, 1):
        page = await store.catalogue.find(Choice(), limit=3, cursor=cursor)
        assert len(page.entries) == expected
        seen += [entry.title for entry in page.entries]
        cursor = page.cursor
    assert cursor is None
    assert seen == [f"{number}" for number in reversed(range(10))]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (Order.EDITED, ["apple", "Berry", "cherry", "Date"]),
        (Order.CREATED, ["Date", "apple", "cherry", "Berry"]),
        (Order.TITLE, ["apple", "Berry", "cherry", "Date"]),
        (Order.OPENED, ["cherry", "Date", "apple", "Berry"]),
    ],
)
async def test_a_list_has_the_order_that_was_chosen_also_over_pages(
    store: SqlStore, order: Order, expected: list[str]
) -> None:
    await make(store, "Berry", "cherry", UNTITLED, "Date")
    apple, berry, cherry, date = (DocumentId(f"document-{number}") for number in (2, 0, 1, 3))
    await store.catalogue.note_excerpt(apple, EPOCH, Seq(1), Excerpt("apple", "and pear"))
    for number, document_id in enumerate((date, cherry, berry, apple)):
        entry = await store.catalogue.get(document_id)
        assert entry is not None
        title = UNTITLED if document_id == apple else entry.title
        await store.catalogue.rename(document_id, title, NOON + (9 + number) * HOUR)
    for document_id in (date, cherry):
        await store.shelf.note_opened(document_id, "reader")
    await store.shelf.note_opened(berry, "another")
    seen: list[str] = []
    cursor = None
    while cursor is not None or not seen:
        page = await store.catalogue.find(Choice(order=order, reader="reader"), limit=1, cursor=cursor)
        seen += [entry.title for entry in page.entries]
        cursor = page.cursor
    assert seen == expected


async def test_a_full_last_page_has_no_cursor(store: SqlStore) -> None:
    await make(store, "a", "b")
    page = await store.catalogue.find(Choice(), limit=2, cursor=None)
    assert (len(page.entries), page.cursor) == (2, None)


async def test_edits_between_two_pages_do_not_shift_the_second(store: SqlStore) -> None:
    await make(store, "a", "b", "c", "d")
    first = await store.catalogue.find(Choice(), limit=2, cursor=None)
    assert [entry.title for entry in first.entries] == ["d", "c"]
    await store.catalogue.create(DOCUMENT, "new", EPOCH, NOON + 9 * HOUR)
    await store.catalogue.rename(DocumentId("document-3"), "d, edited", NOON + 9 * HOUR)
    await store.catalogue.delete(DocumentId("document-2"))
    second = await store.catalogue.find(Choice(), limit=2, cursor=first.cursor)
    assert [entry.title for entry in second.entries] == ["b", "a"]


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "1",
        "1.document-1",
        "e1.",
        "e.document-1",
        "e-1.document-1",
        "e1.document-1 ",
        "e1.short",
        "e" + "9" * 18 + ".document-1",
        "e٣.document-1",
        "c1.document-1",
        "t_.document-1",
    ],
)
async def test_a_cursor_that_no_page_gave_is_refused(store: SqlStore, cursor: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        await store.catalogue.find(Choice(), limit=1, cursor=cursor)
    assert refused.value.code is Code.MALFORMED


@pytest.mark.parametrize("words", ["AAAA", "AA", "gA", "a"])
async def test_a_cursor_between_titles_that_no_page_gave_is_refused(store: SqlStore, words: str) -> None:
    with pytest.raises(ProtocolError) as refused:
        await store.catalogue.find(Choice(order=Order.TITLE), limit=1, cursor=f"t{words}.document-1")
    assert refused.value.code is Code.MALFORMED


async def test_an_empty_catalogue_is_an_empty_page(store: SqlStore) -> None:
    assert await store.catalogue.find(Choice(), limit=1, cursor=None) == Page((), None)


def file_of(size: int, name: str) -> Attachment:
    return Attachment(name * 64, "image/png", name.encode() * size)


async def test_a_documents_attachments_are_bounded_together(store: SqlStore) -> None:
    await fill(store)
    await fill(store, document_id=OTHER)
    put = partial(store.attachments.put, DOCUMENT, most_bytes=1000)
    assert await put(file_of(600, "a"))
    with pytest.raises(ProtocolError) as refused:
        await put(file_of(401, "b"))
    assert refused.value.code is Code.DOCUMENT_FULL
    assert await store.attachments.fetch(DOCUMENT, "b" * 64) is None
    assert await put(file_of(400, "c"))
    assert await put(file_of(400, "c")), "again: nothing is added"
    assert await store.attachments.put(OTHER, file_of(1000, "d"), most_bytes=1000)
    assert await store.attachments.put(DOCUMENT, file_of(1000, "e"))


async def test_a_copied_attachment_belongs_to_both_documents(store: SqlStore) -> None:
    await fill(store)
    await fill(store, document_id=OTHER)
    name = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"  # sha256(b"test")
    attachment = Attachment(name, "image/png", b"test")
    await store.attachments.put(DOCUMENT, attachment)
    copy = store.attachments.copy
    with pytest.raises(ProtocolError) as refused:
        await copy(OTHER, DOCUMENT, name, most_bytes=3)
    assert refused.value.code is Code.DOCUMENT_FULL
    assert await store.attachments.fetch(OTHER, name) is None
    assert await copy(OTHER, DOCUMENT, name, most_bytes=4)
    assert await copy(OTHER, DOCUMENT, name, most_bytes=4), "again: nothing is added"
    assert not await copy(OTHER, DOCUMENT, "0" * 64)
    assert not await copy(OTHER, NOWHERE, "0" * 64)
    assert not await copy(NOWHERE, DOCUMENT, name)
    await store.catalogue.delete(DOCUMENT)
    assert await store.attachments.fetch(OTHER, name) == attachment
    assert await copy(OTHER, DOCUMENT, name), "it is here already"


async def test_attachments_that_are_put_at_once_do_not_pass_the_bound_together(store: SqlStore) -> None:
    await fill(store)
    puts = [store.attachments.put(DOCUMENT, file_of(400, name), most_bytes=1000) for name in "abcdef"]
    outcomes = await asyncio.gather(*puts, return_exceptions=True)
    assert sorted(map(str, outcomes)).count("True") == 2
    assert all(outcome is True or isinstance(outcome, ProtocolError) for outcome in outcomes)


async def test_attachments_come_back_and_go_with_their_document(storage: Storage) -> None:
    name = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"  # sha256(b"test")
    attachment = Attachment(name, "image/png", b"test")
    async with storage.store() as store:
        await fill(store)
        await fill(store, document_id=OTHER)
        assert await store.attachments.put(DOCUMENT, attachment)
        assert await store.attachments.put(DOCUMENT, attachment)
        assert not await store.attachments.put(NOWHERE, attachment)
    async with storage.store() as store:
        assert await store.attachments.fetch(DOCUMENT, name) == attachment
        assert await store.attachments.fetch(OTHER, name) is None
        assert await store.attachments.fetch(DOCUMENT, "0" * 64) is None
        await store.catalogue.delete(DOCUMENT)
        await fill(store)
        assert await store.attachments.fetch(DOCUMENT, name) is None


async def test_the_first_declared_format_stays_and_only_its_version_rises(store: SqlStore) -> None:
    await make(store, "Story")
    document_id = DocumentId("document-0")
    formats = [Format("ours", 2), Format("theirs", 9), Format("ours", 1), Format("ours", 2), Format("ours", 3)]
    done = [await store.catalogue.declare_format(document_id, each) for each in formats]
    assert [each is not None and each.deed is not None for each in done] == [True, False, False, False, True]
    assert [each and each.entry and each.entry.format for each in done] == [Format("ours", 2)] * 4 + [Format("ours", 3)]
    heads = await store.log.heads([document_id])
    assert (heads[document_id].format, heads[document_id].any_format) == (Format("ours", 3), False)
    assert await store.catalogue.declare_format(NOWHERE, Format("ours", 1)) is None


async def test_two_nodes_that_declare_at_once_agree_on_one_format(store: SqlStore) -> None:
    await make(store, "Story")
    document_id = DocumentId("document-0")
    formats = [Format(f"editor-{number}", 1) for number in range(6)]
    done = await asyncio.gather(*[store.catalogue.declare_format(document_id, each) for each in formats])
    entry = await store.catalogue.get(document_id)
    assert entry is not None
    assert [each.entry.format for each in done if each is not None and each.entry is not None] == [entry.format] * 6
    assert sum(each is not None and each.deed is not None for each in done) == 1


async def test_who_was_judged_before_access_changed_declares_no_format(store: SqlStore) -> None:
    await make(store, "Story")
    document_id = DocumentId("document-0")
    changed = await store.sharing.set_link(document_id, Link(None))
    assert changed is not None
    late = await store.catalogue.declare_format(document_id, Format("ours", 1), changed.access_version - 1)
    assert late is not None
    assert (late.deed, late.entry and late.entry.format, late.access_version) == (None, None, changed.access_version)
    await store.catalogue.set_trashed(document_id, NOON)
    in_the_trash = await store.catalogue.declare_format(document_id, Format("ours", 1), changed.access_version)
    assert in_the_trash is not None
    assert in_the_trash.deed is None


async def test_an_append_that_does_not_know_of_the_format_is_stale(store: SqlStore) -> None:
    await fill(store)
    declared = await store.catalogue.declare_format(DOCUMENT, Format("ours", 1))
    assert declared is not None
    late = replace(append("a"), access_version=declared.access_version - 1)
    in_time = replace(late, access_version=declared.access_version)
    assert await store.log.append([late]) == [Stale()]
    assert await store.log.append([in_time]) == [Appended(Seq(1))]


async def test_the_owner_lets_other_formats_write_and_takes_that_back(store: SqlStore) -> None:
    await make(store, "Story")
    document_id = DocumentId("document-0")
    allowed = await store.catalogue.allow_any_format(document_id, allowed=True)
    again = await store.catalogue.allow_any_format(document_id, allowed=True)
    forbidden = await store.catalogue.allow_any_format(document_id, allowed=False)
    assert allowed is not None
    assert again is not None
    assert forbidden is not None
    assert [each.entry and each.entry.any_format for each in (allowed, again, forbidden)] == [True, True, False]
    assert again.deed is None
    assert forbidden.access_version > allowed.access_version
