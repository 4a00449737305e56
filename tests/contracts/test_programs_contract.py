"""Answers to repeatable requests, and service tokens. For every backend."""

from datetime import timedelta

import pytest

from server.store import answers
from server.store.answers_base import KEPT
from server.store.service_tokens_base import ServiceToken
from server.store.sql import SqlStore
from tests.contracts.storages import NOON

KEY, ANNA, REQUEST = b"k" * 32, b"a" * 32, b"r" * 32


async def test_a_request_is_begun_once_and_its_answer_is_kept(store: SqlStore) -> None:
    assert await store.answers.begin(KEY, ANNA, REQUEST) is None
    begun = await store.answers.begin(KEY, ANNA, b"another")
    assert begun is not None
    assert (begun.request, begun.proof, begun.answer, begun.is_done) == (REQUEST, "", b"", False)
    await store.answers.promise(KEY, "7.9", b"almost")
    promised = await store.answers.begin(KEY, ANNA, REQUEST)
    assert promised is not None
    assert (promised.proof, promised.answer, promised.is_done) == ("7.9", b"almost", False)
    await store.answers.finish(KEY, b"\x00all")
    done = await store.answers.begin(KEY, ANNA, REQUEST)
    assert done is not None
    assert (done.answer, done.is_done, done.begun_at) == (b"\x00all", True, begun.begun_at)
    assert not await store.answers.begin_anew(KEY, begun.begun_at)


async def test_a_request_that_was_left_is_begun_anew_by_one_alone(store: SqlStore) -> None:
    await store.answers.begin(KEY, ANNA, REQUEST)
    left = await store.answers.begin(KEY, ANNA, REQUEST)
    assert left is not None
    await store.answers.promise(KEY, "7.9", b"almost")
    assert [await store.answers.begin_anew(KEY, left.begun_at) for _ in range(2)] == [True, False]
    anew = await store.answers.begin(KEY, ANNA, REQUEST)
    assert anew is not None
    assert (anew.proof, anew.answer) == ("", b"")
    await store.answers.forget(KEY)
    assert await store.answers.begin(KEY, ANNA, REQUEST) is None


async def test_old_answers_and_too_many_of_one_person_are_forgotten(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "MOST_OF_ONE", 3)
    times = iter(NOON + timedelta(minutes=minute) for minute in range(1000))
    store.answers.clock = lambda: next(times)
    keys = [bytes([number]) * 32 for number in range(5)]
    await store.answers.begin(KEY, b"b" * 32, REQUEST)
    for key in keys:
        assert await store.answers.begin(key, ANNA, REQUEST) is None
    assert await store.answers.begin(keys[-3], ANNA, REQUEST) is not None
    assert await store.answers.begin(KEY, b"b" * 32, REQUEST) is not None
    assert await store.answers.begin(keys[0], ANNA, REQUEST) is None
    store.answers.clock = lambda: NOON + KEPT + timedelta(days=1)
    assert await store.answers.begin(KEY, b"b" * 32, REQUEST) is None


async def test_service_tokens_are_listed_found_and_revoked(store: SqlStore) -> None:
    bot = ServiceToken("bot1", b"h" * 32, "Notes", "anna", {"*": "editor"}, NOON)
    other = ServiceToken(
        "bot2", b"i" * 32, "Other", "", {"a-document": "viewer"}, NOON + timedelta(1), NOON + timedelta(9)
    )
    await store.service_tokens.add(bot)
    await store.service_tokens.add(other)
    assert list(await store.service_tokens.list()) == [other, bot]
    assert await store.service_tokens.find("bot1") == bot
    assert await store.service_tokens.find("bot3") is None
    await store.service_tokens.note_used("bot1")
    used = await store.service_tokens.find("bot1")
    assert used is not None
    assert used.used_at is not None
    assert [await store.service_tokens.revoke("bot1") for _ in range(2)] == [True, False]
    assert list(await store.service_tokens.list()) == [other]
