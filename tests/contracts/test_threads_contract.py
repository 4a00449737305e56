"""Discussions and inboxes. For every backend."""

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from crdt.errors import Code, ProtocolError
from crdt.permissions import Role
from crdt.protocol.messages import User
from crdt.protocol.row import Contributor
from server.store import inbox, threads_acting
from server.store.deeds_base import ABOUT_DISCUSSION, Kind
from server.store.inbox_base import Place, Reason
from server.store.sharing_base import KnownUser
from server.store.sql import SqlStore
from server.store.threads_base import (
    REACTION_BYTES,
    Act,
    Acted,
    Actor,
    Begin,
    Change,
    Delete,
    Discussion,
    Overtaken,
    Quote,
    React,
    Rule,
    Said,
    Say,
    Settle,
    StoredThread,
)
from tests.contracts.storages import DOCUMENT, EPOCH, NOON, NOWHERE

ANN, BERT, CARL = (
    Actor(Contributor(name.lower(), name), role, 10**6)
    for name, role in (("Ann", Role.OWNER), ("Bert", Role.EDITOR), ("Carl", Role.COMMENTER))
)
EVERYBODY = (ANN, BERT, CARL)


def uid(number: int) -> str:
    return str(UUID(int=number))


T1, T2 = uid(1), uid(2)


def said(words: str, *mentions: str) -> Said:
    pieces = [{"type": "text", "text": words}, *({"type": "mention", "attrs": {"id": each}} for each in mentions)]
    return Said(json.dumps([{"type": "paragraph", "content": pieces}]), mentions)


def words_of(body: str) -> str:
    return str(json.loads(body)[0]["content"][0]["text"]) if body else ""


def begin(thread: int = 1, words: str = "Is it?", *mentions: str, assignee: str | None = None) -> Begin:
    return Begin(uid(thread), uid(100), said(words, *mentions), Quote("brave", "Oh ", " new"), assignee=assignee)


def reply(comment: int, words: str = "It is.", *mentions: str, thread: int = 1) -> Say:
    return Say(uid(thread), uid(comment), said(words, *mentions))


async def made(store: SqlStore) -> None:
    await store.catalogue.create(DOCUMENT, "Title", EPOCH, NOON, owner="ann")
    for actor in EVERYBODY:
        who = actor.who
        await store.users.remember(KnownUser(User(who.user_id, who.name, "#112233"), "guest"))


async def act(store: SqlStore, actor: Actor, *acts: Act) -> Acted:
    done: list[Acted] = []
    for each in acts:
        acted = await store.threads.act(DOCUMENT, actor, each)
        assert isinstance(acted, Acted)
        done.append(acted)
    return done[-1]


async def read(store: SqlStore, since: int = 0, **bounds: int) -> Discussion:
    discussion = await store.threads.read(DOCUMENT, since, **bounds)
    assert discussion is not None
    return discussion


async def only(store: SqlStore) -> StoredThread:
    (thread,) = (await read(store)).threads
    return thread


async def refusal(store: SqlStore, actor: Actor, refused: Act) -> Code:
    """The code of a refusal, which changes nothing."""
    before = await everything(store)
    with pytest.raises(ProtocolError) as caught:
        await store.threads.act(DOCUMENT, actor, refused)
    assert await everything(store) == before
    return caught.value.code


async def everything(store: SqlStore) -> object:
    inboxes = [await store.inboxes.page(actor.who.user_id, 100, Place()) for actor in EVERYBODY]
    return await read(store), await store.deeds.list(DOCUMENT), inboxes


async def concerns(store: SqlStore, actor: Actor) -> list[str]:
    """What a person's inbox holds, the newest first: the reason, who, and the words of a comment."""
    entries = await store.inboxes.page(actor.who.user_id, 100, Place())
    return [f"{each.reason} {each.by.name} {words_of(each.body)}".strip() for each in entries]


async def deeds(store: SqlStore) -> list[str]:
    return [deed.kind for deed in reversed(await store.deeds.list(DOCUMENT)) if deed.kind != "create"]


async def test_a_thread_is_begun_answered_and_read_as_it_was_said(store: SqlStore) -> None:
    await made(store)
    acted = await act(store, CARL, begin(assignee="bert"))
    assert (acted.done.discussion_version, acted.done.deed and acted.done.deed.by) == (1, "carl")
    await act(store, BERT, reply(101), React(T1, uid(100), "👍"), Change(T1, "resolved"))
    thread = await only(store)
    assert acted.thread == replace(
        thread,
        state="open",
        changed_by=None,
        changed_at=None,
        version=1,
        comments=[replace(thread.comments[0], reactions=())],
    )
    assert (thread.quote, thread.by, thread.assignee) == (
        Quote("brave", "Oh ", " new"),
        CARL.who,
        User("bert", "Bert", "#112233"),
    )
    assert [(each.by, words_of(each.body)) for each in thread.comments] == [(CARL.who, "Is it?"), (BERT.who, "It is.")]
    assert [(each.emoji, each.by) for each in thread.comments[0].reactions] == [("👍", BERT.who)]
    assert (thread.state, thread.changed_by, thread.version) == ("resolved", BERT.who, 4)
    assert thread.comments[0].at < thread.comments[1].at < (thread.changed_at or NOON)
    assert await deeds(store) == ["comment", "assign", "reply", "react", "resolve"]
    assert set(await store.threads.authors(DOCUMENT)) == {"carl", "bert"}
    heads = await store.log.heads([DOCUMENT])
    assert heads[DOCUMENT].discussion_version == 4


async def test_what_is_said_again_changes_nothing(store: SqlStore) -> None:
    await made(store)
    acts: Sequence[tuple[Actor, Act]] = [
        (CARL, begin(1, "Is it?", "bert")),
        (BERT, reply(101, "It is.", "carl")),
        (BERT, React(T1, uid(100), "👍")),
        (BERT, Change(T1, "resolved", assignee="carl", quote=Quote("new"))),
        (ANN, Settle("s1", "carl", accepted=True)),
        (ANN, Rule(viewers=True)),
        (BERT, React(T1, uid(100), "👍", on=False)),
        (ANN, Delete(T1, uid(101))),
        (ANN, Delete(T1)),
    ]
    for actor, each in acts:
        await act(store, actor, each)
        before = await everything(store)
        again = await act(store, actor, each) if not isinstance(each, React) or each.on else None
        assert again is None or again.done.deed is None
        assert await everything(store) == before


async def test_whoever_knows_a_version_reads_what_changed_since(store: SqlStore) -> None:
    await made(store)
    for number in range(1, 6):
        await act(store, ANN, begin(number, f"Thread {number}"))
    known = await read(store)
    assert (known.version, known.whole, known.more, [each.version for each in known.threads]) == (
        5,
        True,
        False,
        [1, 2, 3, 4, 5],
    )
    await act(store, ANN, reply(101, thread=2), Delete(uid(4)), reply(101, thread=1))
    since = await read(store, 5)
    assert [each.thread_id for each in since.threads] == [uid(2), uid(1)]
    assert (since.gone, since.whole, since.version) == ([uid(4)], False, 8)
    assert await read(store, 8) == Discussion(8, [], [], False, False, False)
    assert (await read(store, 9)).whole, "a version that never was is another database's"
    pages: list[list[str]] = []
    at = 0
    while True:
        page = await read(store, at, most=2)
        pages.append([each.thread_id for each in page.threads])
        at = page.version
        if not page.more:
            break
    assert pages == [[uid(3), uid(5)], [uid(2)], [uid(1)]], "a deleted thread counts, and is left out at the beginning"
    assert [len((await read(store, most_bytes=1)).threads)] == [1]


async def test_deleted_threads_are_forgotten_after_a_while(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads_acting, "KEPT_GONE", 2)
    await made(store)
    for number in range(1, 5):
        await act(store, ANN, begin(number))
    for number in range(1, 4):
        await act(store, ANN, Delete(uid(number)))
    assert (await read(store, 5)).gone == [uid(2), uid(3)]
    late = await read(store, 4)
    assert (late.whole, late.gone, [each.thread_id for each in late.threads]) == (True, [], [uid(4)])


async def test_what_was_deleted_is_not_made_again(store: SqlStore) -> None:
    await made(store)
    await act(store, CARL, begin(1), reply(101), reply(102), Delete(T1, uid(101)))
    assert await refusal(store, CARL, reply(101)) is Code.DELETED
    assert await refusal(store, CARL, React(T1, uid(101), "👍")) is Code.NOT_FOUND
    thread = await only(store)
    assert [(each.deleted, words_of(each.body)) for each in thread.comments] == [
        (False, "Is it?"),
        (True, ""),
        (False, "It is."),
    ]
    await act(store, CARL, Delete(T1, uid(100)), Delete(T1, uid(102)))
    assert (await read(store)).threads == []
    for each in (begin(1), reply(103), Change(T1, "resolved"), React(T1, uid(100), "👍")):
        assert await refusal(store, CARL, each) is Code.DELETED
    assert (await act(store, CARL, Delete(T1))).done.deed is None
    assert await refusal(store, CARL, reply(1, thread=9)) is Code.NOT_FOUND
    assert await refusal(store, CARL, Delete(T2)) is Code.NOT_FOUND


async def test_what_one_may_do_to_others_words(store: SqlStore) -> None:
    await made(store)
    await act(store, BERT, begin(1))
    await act(store, CARL, begin(2), reply(101))
    assert await refusal(store, CARL, begin(1)) is Code.CONFLICT
    for each in (Change(T1, "resolved"), Change(T1, assignee="carl"), Delete(T1), Delete(T1, uid(100)), reply(100)):
        assert await refusal(store, CARL, each) is Code.FORBIDDEN
    assert await refusal(store, BERT, Delete(T1)) is Code.FORBIDDEN, "somebody has replied"
    assert await refusal(store, ANN, reply(101)) is Code.FORBIDDEN, "not even the owner says what others have said"
    await act(store, CARL, reply(101, "Or not."), Change(T2, "resolved"))
    await act(store, BERT, Change(T2, "open", assignee="carl"))
    await act(store, CARL, Delete(T1, uid(101)))
    await act(store, BERT, Delete(T1))
    await act(store, ANN, Delete(T2, uid(100)))
    assert (await read(store)).threads == []


async def test_a_reply_opens_a_resolved_thread(store: SqlStore) -> None:
    await made(store)
    await act(store, BERT, begin(1), Change(T1, "resolved"))
    await act(store, CARL, reply(101))
    assert (await only(store)).state == "open"
    assert await deeds(store) == ["comment", "resolve", "reply", "reopen"]


async def test_people_are_told_once_of_what_concerns_them(store: SqlStore) -> None:
    await made(store)
    acted = await act(store, CARL, begin(1, "Look", "bert", "carl", "nobody-known"))
    assert acted.done.inboxes == {"bert"}
    await act(store, BERT, reply(101, "Hm", "carl"))
    await act(store, ANN, reply(102, "Yes"), Change(T1, assignee="bert"), Change(T1, "resolved"))
    assert await concerns(store, BERT) == ["resolved Ann", "assigned Ann", "reply Ann Yes", "mention Carl Look"]
    assert await concerns(store, CARL) == ["resolved Ann", "reply Ann Yes", "mention Bert Hm"]
    assert await concerns(store, ANN) == []
    await act(store, BERT, reply(101, "Hm!", "carl", "ann"))
    assert await concerns(store, ANN) == ["mention Bert Hm!"]
    assert (await concerns(store, CARL))[-1] == "mention Bert Hm!", "told once, of what it says now"
    mentioned = [deed.details["user_id"] for deed in await store.deeds.list(DOCUMENT) if deed.kind == "mention"]
    assert mentioned[0] == "ann"


async def test_nobody_is_told_again_and_again_of_one_thing(store: SqlStore) -> None:
    await made(store)
    await act(store, CARL, begin(1, "Look", "bert"))
    await store.inboxes.mark_until("bert", 10**6)
    begins_again = [reply(100, "Hm"), reply(100, "Look again", "bert")]
    for each in begins_again * 3:
        acted = await act(store, CARL, each)
        assert acted.done.inboxes == frozenset()
    assert await concerns(store, BERT) == ["mention Carl Look again"]
    assert await store.inboxes.unread("bert") == {}
    await act(store, CARL, reply(101, "So", "ann"), reply(101, "So?", "ann", "bert"))
    assert await concerns(store, BERT) == ["mention Carl So?", "mention Carl Look again"]
    await act(store, CARL, *[Change(T1, state) for state in ("resolved", "open") * 3], Change(T1, assignee="bert"))
    await act(store, CARL, Change(T1, assignee=None), Change(T1, assignee="bert"), Change(T1, "resolved"))
    assert sorted(await concerns(store, BERT)) == [
        *("assigned Carl", "mention Carl Look again", "mention Carl So?", "resolved Carl"),
    ]
    assert await concerns(store, ANN) == ["mention Carl So?"]


async def test_entries_go_with_what_they_are_about(store: SqlStore) -> None:
    await made(store)
    await act(store, CARL, begin(1, "Look", "bert"), reply(101, "Look again", "bert"))
    acted = await act(store, CARL, Delete(T1, uid(101)))
    assert acted.done.inboxes == {"bert"}
    assert await concerns(store, BERT) == ["mention Carl Look"]
    assert (await act(store, CARL, Delete(T1))).done.inboxes == {"bert"}
    assert await concerns(store, BERT) == []
    await act(store, CARL, begin(2, "Look", "bert"))
    deleted = await store.catalogue.delete(DOCUMENT)
    assert deleted is not None
    assert deleted.inboxes == {"bert"}
    assert await concerns(store, BERT) == []
    assert await store.threads.read(DOCUMENT, 0) is None
    await made(store)
    assert await read(store) == Discussion(0, [], [], True, False, False)


async def test_unread_entries_come_first_and_are_counted(store: SqlStore) -> None:
    await made(store)
    for number in range(1, 6):
        await act(store, CARL, begin(number, f"Look {number}", "bert"))
    entries = await store.inboxes.page("bert", 100, Place())
    newest, *_, oldest = [each.entry_id for each in entries]
    assert (await store.inboxes.unread("bert"))[DOCUMENT].discussion == 5
    assert await store.inboxes.mark_read("bert", [newest, 10**6])
    assert not await store.inboxes.mark_read("bert", [newest])
    assert not await store.inboxes.mark_read("carl", [oldest]), "somebody else's"
    seen, place = [], Place()
    while page := await store.inboxes.page("bert", 2, place):
        seen += [words_of(each.body) for each in page]
        place = Place(page[-1].read, page[-1].entry_id)
    assert seen == ["Look 4", "Look 3", "Look 2", "Look 1", "Look 5"]
    assert await store.inboxes.mark_thread("bert", DOCUMENT, uid(4))
    assert not await store.inboxes.mark_thread("bert", NOWHERE, uid(3))
    assert await store.inboxes.mark_until("bert", oldest + 1)
    assert (await store.inboxes.unread("bert"))[DOCUMENT].discussion == 1
    assert await store.inboxes.unread("ann") == {}


async def test_what_is_due_for_mail_is_claimed_once(store: SqlStore) -> None:
    await made(store)
    for name in ("bert", "carl"):
        await store.users.remember(KnownUser(User(name, name.title(), "#112233"), "oidc", f"{name}@example.com"))
    for number in (1, 2):
        await act(store, ANN, begin(number, f"Look {number}", "bert", "carl", "ann"))
    await store.inboxes.mark_thread("carl", DOCUMENT, T1)
    await store.inboxes.set_mail("carl", wanted=False)
    no_time, day = timedelta(), timedelta(days=1)
    assert await store.inboxes.claim_mail(day, day, 10) == []
    assert await store.inboxes.claim_mail(no_time, no_time, 10) == []
    claims = await asyncio.gather(*(store.inboxes.claim_mail(no_time, day, 10) for _ in range(4)))
    ((due,),) = [claim for claim in claims if claim]
    assert (due.user.name, due.email, [words_of(each.body) for each in due.entries]) == (
        *("Bert", "bert@example.com"),
        ["Look 2", "Look 1"],
    )
    await store.inboxes.set_mail("carl", wanted=True)
    for language in ("fr", "de"):
        await store.inboxes.set_language("carl", language)
    ((carls,), _) = [await store.inboxes.claim_mail(no_time, day, 1) for _ in range(2)]
    assert [words_of(each.body) for each in carls.entries] == ["Look 2"], "the other one is read"
    assert (carls.language, due.language) == ("de", "")
    await store.inboxes.release_mail([due.entries[1].entry_id])
    ((again,),) = [await store.inboxes.claim_mail(no_time, day, 10)]
    assert again.entries == due.entries[1:]


async def test_the_oldest_entries_are_forgotten(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "ENTRIES_KEPT", 2)
    await made(store)
    for number in range(1, 5):
        await act(store, CARL, begin(number, f"Look {number}", "bert"))
    assert await concerns(store, BERT) == ["mention Carl Look 4", "mention Carl Look 3"]


async def test_one_person_drives_nobody_else_out_of_an_inbox(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "ENTRIES_KEPT", 4)
    monkeypatch.setattr(inbox, "ENTRIES_OF_ONE", 2)
    await made(store)
    await act(store, ANN, begin(1, "Please", "bert"))
    for number in range(2, 8):
        await act(store, CARL, begin(number, f"Look {number}", "bert"))
    assert await concerns(store, BERT) == ["mention Carl Look 7", "mention Carl Look 6", "mention Ann Please"]


async def test_a_suggestions_author_is_told_its_outcome_and_its_threads_are_resolved(store: SqlStore) -> None:
    await made(store)
    for number in (1, 2):
        await act(store, ANN, replace(begin(number), suggestion_id="s1"))
    await act(store, ANN, replace(begin(3), suggestion_id="s2"))
    acted = await act(store, BERT, Settle("s1", "carl", accepted=True))
    assert (acted.done.discussion_version, acted.done.inboxes) == (5, frozenset({"carl"}))
    discussion = await read(store)
    assert [(each.version, each.state) for each in discussion.threads] == [
        (3, "open"),
        (4, "resolved"),
        (5, "resolved"),
    ]
    assert await concerns(store, CARL) == ["suggestion_accepted Bert"]
    await act(store, BERT, Settle("s1", "carl", accepted=False))
    assert await concerns(store, CARL) == ["suggestion_rejected Bert"], "the last outcome counts"
    assert (await store.inboxes.unread("carl"))[DOCUMENT].others == 1
    assert (await deeds(store))[-2:] == ["suggestion_accepted", "suggestion_rejected"]


async def test_a_document_that_is_shared_is_in_the_inbox(store: SqlStore) -> None:
    await made(store)
    for _ in range(2):
        done = await store.sharing.grant(DOCUMENT, "bert", Role.VIEWER, by="ann")
    assert done is not None
    assert await concerns(store, BERT) == ["shared Ann"], "once, not for each change of the role"
    await store.sharing.grant(DOCUMENT, "email:dora@example.com", Role.EDITOR, by="ann")
    await store.users.remember(KnownUser(User("dora", "Dora", "#112233"), "oidc", "dora@example.com"))
    (redeemed,) = await store.sharing.redeem("email:dora@example.com", "dora")
    (entry,) = await store.inboxes.page("dora", 10, Place())
    assert (entry.reason, entry.by.name, entry.thread_id, redeemed.inboxes) == (
        *(Reason.SHARED, "Ann", ""),
        frozenset({"dora"}),
    )
    await store.sharing.grant(DOCUMENT, "bert", Role.OWNER, by="ann")
    assert await concerns(store, ANN) == []


async def test_whoever_was_judged_by_older_access_changes_nothing(store: SqlStore) -> None:
    await made(store)
    done = await store.sharing.grant(DOCUMENT, "bert", Role.VIEWER, by="ann")
    assert done is not None
    version = done.access_version
    assert await store.threads.act(DOCUMENT, replace(ANN, access_version=version - 1), begin()) == Overtaken()
    assert (await read(store)).threads == []
    assert isinstance(await store.threads.act(DOCUMENT, replace(ANN, access_version=version), begin()), Acted)
    assert await store.threads.act(NOWHERE, ANN, begin()) is None
    assert await store.threads.read(NOWHERE, 0) is None


async def test_in_the_trash_nothing_is_said(store: SqlStore) -> None:
    await made(store)
    await act(store, ANN, begin(1))
    await store.catalogue.set_trashed(DOCUMENT, NOON)
    for each in (begin(2), reply(101), Delete(T1), Rule(viewers=True)):
        assert await refusal(store, ANN, each) is Code.FORBIDDEN
    await store.catalogue.set_trashed(DOCUMENT, None)
    await act(store, ANN, reply(101))
    assert len((await only(store)).comments) == 2


async def test_a_discussion_is_bounded(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await made(store)
    for name, bound in (("MAX_THREADS", 2), ("MAX_COMMENTS", 2), ("MAX_EMOJI", 1), ("MAX_REACTIONS", 2)):
        monkeypatch.setattr(threads_acting, name, bound)
    await act(store, ANN, begin(1), begin(2), reply(101), React(T1, uid(100), "👍"))
    await act(store, BERT, React(T1, uid(100), "👍"))
    assert await refusal(store, ANN, begin(3)) is Code.DOCUMENT_FULL
    assert await refusal(store, ANN, reply(102)) is Code.DOCUMENT_FULL
    assert await refusal(store, ANN, React(T1, uid(100), "🎉")) is Code.DOCUMENT_FULL
    assert await refusal(store, CARL, React(T1, uid(100), "👍")) is Code.DOCUMENT_FULL
    size = sum(len(each.body.encode()) for thread in (await read(store)).threads for each in thread.comments)
    monkeypatch.setattr(threads_acting, "MAX_BYTES", size)
    assert await refusal(store, ANN, reply(101, "It is so.")) is Code.DOCUMENT_FULL
    assert await refusal(store, ANN, reply(101, thread=2)) is Code.DOCUMENT_FULL
    await act(store, ANN, reply(101, "No."), Delete(T2))
    monkeypatch.undo()
    await act(store, ANN, begin(3))


async def test_people_who_may_not_edit_leave_room_in_a_discussion_for_those_who_may(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made(store)
    for name, bound in (("MAX_THREADS", 8), ("MAX_COMMENTS", 4), ("MAX_EMOJI", 4), ("MAX_REACTIONS", 8)):
        monkeypatch.setattr(threads_acting, name, bound)
    monkeypatch.setattr(threads_acting, "OWN_PART", 2)
    carl, dora = CARL, replace(CARL, who=Contributor("dora", "Dora"))
    await act(store, carl, *[begin(number) for number in range(1, 5)])
    assert await refusal(store, carl, begin(5)) is Code.DOCUMENT_FULL, "half of everything is one person's"
    await act(store, dora, begin(5), begin(6))
    assert await refusal(store, dora, begin(7)) is Code.DOCUMENT_FULL
    await act(store, ANN, begin(7), begin(8))
    await act(store, carl, reply(101), reply(102))
    assert await refusal(store, carl, reply(103)) is Code.DOCUMENT_FULL
    await act(store, ANN, reply(103))
    await act(store, carl, *[React(T1, uid(100), emoji) for emoji in "👍🎉🚀"])
    assert await refusal(store, carl, React(T1, uid(100), "👀")) is Code.DOCUMENT_FULL
    await act(store, carl, React(T1, uid(100), "👍"))
    await act(store, ANN, React(T1, uid(100), "👀"))
    await act(store, carl, Delete(uid(4)))
    assert await refusal(store, carl, begin(9)) is Code.DOCUMENT_FULL, "there is room, and it is for others"
    await act(store, ANN, begin(9))


async def test_reactions_count_as_well_in_a_discussion_and_in_an_answer(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made(store)
    await act(store, ANN, begin(1), begin(2), reply(101))
    size = sum(len(each.body.encode()) for thread in (await read(store)).threads for each in thread.comments)
    assert len((await read(store, most_bytes=size)).threads) == 2
    monkeypatch.setattr(threads_acting, "MAX_BYTES", size + 2 * REACTION_BYTES)
    await act(store, ANN, React(T1, uid(100), "👍"), React(T1, uid(101), "👍"))
    assert len((await read(store, most_bytes=size)).threads) == 1
    assert await refusal(store, ANN, React(T1, uid(100), "🎉")) is Code.DOCUMENT_FULL
    await act(store, ANN, React(T1, uid(100), "👍", on=False), React(T1, uid(100), "🎉"))
    await act(store, ANN, Delete(T1, uid(101)), React(T1, uid(100), "🚀"))
    assert await refusal(store, ANN, React(T1, uid(100), "👀")) is Code.DOCUMENT_FULL, "a deleted comment's are gone"


async def test_a_persons_part_is_counted_in_bytes_whatever_they_write(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await made(store)
    body = json.dumps([{"type": "paragraph", "content": [{"type": "text", "text": "茶" * 300}]}], ensure_ascii=False)
    monkeypatch.setattr(threads_acting, "MAX_BYTES", 8 * len(body.encode()))
    monkeypatch.setattr(threads_acting, "OWN_PART", 4)
    await act(store, ANN, begin(1), *[Say(T1, uid(number), Said(body)) for number in (101, 102)])
    await act(store, CARL, *[Say(T1, uid(number), Said(body)) for number in (103, 104)])
    assert await refusal(store, CARL, Say(T1, uid(105), Said(body))) is Code.DOCUMENT_FULL


async def test_one_long_winded_person_leaves_room_for_others(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    await made(store)
    await act(store, ANN, begin(1))
    ((thread,),) = [(await read(store)).threads]
    one = len(thread.comments[0].body.encode())
    monkeypatch.setattr(threads_acting, "MAX_BYTES", 8 * one)
    monkeypatch.setattr(threads_acting, "OWN_PART", 4)
    carl, dora = CARL, replace(CARL, who=Contributor("dora", "Dora"))
    await act(store, carl, *[reply(number) for number in range(101, 104)])
    assert await refusal(store, carl, reply(104)) is Code.DOCUMENT_FULL
    await act(store, dora, reply(105), reply(106))
    assert await refusal(store, dora, reply(107)) is Code.DOCUMENT_FULL
    await act(store, ANN, reply(108), reply(109))
    assert await refusal(store, ANN, reply(110)) is Code.DOCUMENT_FULL


async def test_every_change_of_a_discussion_is_written_down(store: SqlStore) -> None:
    await made(store)
    await act(store, CARL, begin(1, "Look", "bert", assignee="ann"), reply(101), reply(101, "Or not."))
    await act(store, BERT, Change(T1, "resolved"), Change(T1, "open", quote=Quote("new")), React(T1, uid(100), "👍"))
    await act(
        store, BERT, React(T1, uid(100), "👍", on=False), Change(T1, assignee=None), Settle("s1", "carl", accepted=True)
    )
    await act(store, ANN, Settle("s1", "carl", accepted=False), Delete(T1, uid(101)), Delete(T1), Rule(viewers=True))
    thread, first, second = {"thread": T1}, {"thread": T1, "comment": uid(100)}, {"thread": T1, "comment": uid(101)}
    found = [(deed.kind, deed.by, dict(deed.details)) for deed in await store.deeds.list(DOCUMENT)]
    assert found[::-1][1:] == [
        ("comment", "carl", first),
        ("assign", "carl", {**thread, "user_id": "ann"}),
        ("mention", "carl", {**first, "user_id": "bert"}),
        ("reply", "carl", second),
        ("edit_comment", "carl", second),
        ("resolve", "bert", thread),
        ("reattach", "bert", thread),
        ("reopen", "bert", thread),
        ("react", "bert", {**first, "emoji": "👍"}),
        ("react", "bert", {**first, "emoji": "👍", "taken": "back"}),
        ("assign", "bert", {**thread, "user_id": "none"}),
        ("suggestion_accepted", "bert", {"suggestion": "s1", "user_id": "carl"}),
        ("suggestion_rejected", "ann", {"suggestion": "s1", "user_id": "carl"}),
        ("delete_comment", "ann", second),
        ("delete_thread", "ann", thread),
        ("discussion_rule", "ann", {"viewers": "yes"}),
    ]
    assert {kind for kind, _, _ in found} == {Kind.CREATE, Kind.DISCUSSION_RULE, *ABOUT_DISCUSSION}


async def test_deeds_of_the_discussion_displace_no_others(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.store.catalogue.DISCUSSION_KEPT", 3)
    await made(store)
    await act(store, ANN, Rule(viewers=True), begin(1), *(reply(101 + each) for each in range(5)))
    assert [deed.kind for deed in await store.deeds.list(DOCUMENT)] == [
        *[Kind.REPLY] * 3,
        Kind.DISCUSSION_RULE,
        Kind.CREATE,
    ]
