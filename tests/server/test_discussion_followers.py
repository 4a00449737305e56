"""Pages that follow a discussion from version to version, while acts are repeated, reordered and refused.

Every act may come twice, at the same moment too. Whoever asks for what has changed, and keeps it,
has in the end what somebody reads who begins anew.
"""

import asyncio
from random import Random

import pytest

from crdt.errors import ProtocolError
from crdt.ids import DocumentId
from server.store import threads_acting
from server.store.inbox_base import Place
from server.store.sql import SqlStore
from server.store.threads_base import (
    Act,
    Acted,
    Actor,
    Begin,
    Change,
    Delete,
    Discussion,
    Quote,
    React,
    Rule,
    Say,
    Settle,
    StoredThread,
)
from tests.contracts.storages import DOCUMENT, EPOCH, NOON, OTHER, append
from tests.contracts.test_threads_contract import EVERYBODY, made, said, uid
from tests.harness.memory_store import memory_store
from tests.harness.postgres import PostgresServer


class Follower:
    """A page: what it knows of a discussion, and up to which version."""

    def __init__(self) -> None:
        self.version = 0
        self.threads: dict[str, StoredThread] = {}

    async def catches_up(self, store: SqlStore, random: Random) -> None:
        more = True
        while more:
            answer = await store.threads.read(DOCUMENT, self.version, most=random.randint(1, 4))
            assert answer is not None
            if answer.whole:
                self.threads.clear()
            self.threads |= {thread.thread_id: thread for thread in answer.threads}
            for thread_id in answer.gone:
                self.threads.pop(thread_id, None)
            assert answer.whole or abs(answer.version) > abs(self.version) or not answer.more, "every page leads on"
            self.version, more = answer.version, answer.more


def some_act(random: Random) -> Act:
    thread, comment = uid(random.randint(1, 20)), uid(random.randint(100, 104))
    mentions = random.sample(["ann", "bert", "carl"], random.randint(0, 2))
    words = said(f"Words {random.randint(1, 3)}", *mentions)
    match random.randint(0, 11):
        case 0 | 1 | 2:
            return Begin(thread, comment, words, Quote("q"), random.choice(["", "s1"]))
        case 3 | 4:
            return Say(thread, comment, words)
        case 5:
            return Change(thread, random.choice(["open", "resolved", None]), random.choice([None, "ann", "bert"]))
        case 6 | 10 | 11:
            return Delete(thread, random.choice([None, comment]))
        case 7 | 8:
            return React(thread, comment, random.choice("👍🎉"), random.random() < 0.7)
        case _:
            last: list[Act] = [Settle("s1", "carl", accepted=True), Rule(random.random() < 0.5)]
            return random.choice(last)


@pytest.mark.parametrize("seed", range(8))
async def test_whoever_follows_has_what_a_newcomer_reads(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads_acting, "KEPT_GONE", 1)
    random = Random(seed)
    async with memory_store() as store:
        await made(store)
        followers = [Follower() for _ in range(3)]
        for _ in range(200):
            actor, act = random.choice(EVERYBODY), some_act(random)
            times = random.choice([1, 1, 2])
            versions = await asyncio.gather(*(attempt(store, actor, act) for _ in range(times)))
            # What is said again, even at the same moment, counts once. Only turning back and forth counts twice.
            assert len({version for version in versions if version is not None}) <= 1, (seed, act)
            for follower, often in zip(followers, (0.5, 0.1, 0.02), strict=True):
                if random.random() < often:
                    await follower.catches_up(store, random)
        newcomer = Follower()
        for follower in (*followers, newcomer):
            await follower.catches_up(store, random)
        whole = await store.threads.read(DOCUMENT, 0)
        assert isinstance(whole, Discussion)
        assert not whole.more
        for follower in (*followers, newcomer):
            assert follower.threads == {thread.thread_id: thread for thread in whole.threads}, seed
            assert follower.version == whole.version
        await entries_fit(store, whole)


@pytest.mark.slow
async def test_two_nodes_act_at_the_same_moments(postgres: PostgresServer) -> None:
    """They write in two documents, mention each other, and append to the logs meanwhile."""
    url = await postgres.new_schema()
    async with SqlStore(url) as one, SqlStore(url) as two:
        await made(one)
        await one.catalogue.create(OTHER, "Other", EPOCH, NOON, owner="ann")
        follower = Follower()

        async def works(store: SqlStore, seed: int) -> None:
            random = Random(seed)
            for number in range(25):
                document_id = random.choice([DOCUMENT, DOCUMENT, OTHER])
                await attempt(store, random.choice(EVERYBODY), some_act(random), document_id)
                if random.random() < 0.2:
                    await store.log.append([append(f"{seed}.{number}", document_id=document_id)])
                if seed == 0:
                    await follower.catches_up(two, random)

        await asyncio.gather(*(works(store, seed) for seed, store in enumerate([one, two, one, two])))
        await follower.catches_up(two, Random(0))
        whole = await one.threads.read(DOCUMENT, 0)
        assert whole is not None
        assert follower.threads == {thread.thread_id: thread for thread in whole.threads}
        versions = [thread.version for thread in whole.threads]
        assert sorted(set(versions)) == versions
        await entries_fit(one, whole, but=OTHER)


async def attempt(store: SqlStore, actor: Actor, act: Act, document_id: DocumentId = DOCUMENT) -> int | None:
    """Try an act; the discussion's version after it, or None for a refusal."""
    try:
        acted = await store.threads.act(document_id, actor, act)
    except ProtocolError:
        return None
    assert isinstance(acted, Acted)
    return acted.done.discussion_version


async def entries_fit(store: SqlStore, whole: Discussion, but: DocumentId | None = None) -> None:
    """Every entry in an inbox is about a thread and a comment that are there, and by somebody else."""
    there = {
        (thread.thread_id, each.comment_id) for thread in whole.threads for each in thread.comments if not each.deleted
    }
    for actor in EVERYBODY:
        for entry in await store.inboxes.page(actor.who.user_id, 1000, Place()):
            assert entry.by != actor.who
            if entry.document_id == but:
                continue
            assert not entry.comment_id or (entry.thread_id, entry.comment_id) in there
            assert not entry.thread_id or entry.thread_id in {thread for thread, _ in there}
