"""Who asks while a question is on its way is part of the next one; nobody hears what was read before they asked."""

import asyncio
from collections.abc import Collection

import pytest

from crdt.errors import Unavailable
from server.people.access import TOGETHER, Questions


class Oracle:
    """Answers with what it was asked, when the test says so."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.may_answer = asyncio.Event()
        self.is_away = False

    async def ask(self, questions: Collection[str]) -> tuple[str, ...]:
        self.asked.append(tuple(questions))
        await self.may_answer.wait()
        if self.is_away:
            raise Unavailable("The oracle is away.")
        return tuple(questions)


async def asking(questions: Questions[str, tuple[str, ...]], *names: str) -> "list[asyncio.Task[tuple[str, ...]]]":
    """Let them ask one after the other, each as far as it comes."""
    tasks = [asyncio.create_task(questions.ask(name)) for name in names]
    for _ in range(3):
        await asyncio.sleep(0)
    return tasks


async def test_whoever_comes_while_one_is_asked_is_asked_for_together() -> None:
    oracle = Oracle()
    questions = Questions(oracle.ask)
    first = await asking(questions, "a")
    others = await asking(questions, "b", "c", "d")
    assert oracle.asked == [("a",)]
    oracle.may_answer.set()
    assert await asyncio.gather(*first, *others) == [("a",)] + [("b", "c", "d")] * 3
    assert oracle.asked == [("a",), ("b", "c", "d")]


async def test_behind_a_crowd_the_next_question_waits_for_who_else_comes() -> None:
    oracle = Oracle()
    questions = Questions(oracle.ask)
    crowding = await asking(questions, "a", "b", "c")
    oracle.may_answer.set()
    await asyncio.gather(*crowding)
    crowd = len(oracle.asked)
    others = [*await asking(questions, "d"), *await asking(questions, "e")]
    assert len(oracle.asked) == crowd
    assert await asyncio.gather(*others) == [("d", "e")] * 2


async def test_one_question_has_a_bounded_number_of_askers() -> None:
    oracle = Oracle()
    questions = Questions(oracle.ask)
    names = [str(number) for number in range(TOGETHER + 2)]
    tasks = await asking(questions, "first", *names)
    oracle.may_answer.set()
    await asyncio.gather(*tasks)
    assert [len(asked) for asked in oracle.asked] == [1, TOGETHER, 2]


async def test_a_failure_is_told_to_all_who_asked_and_to_nobody_later() -> None:
    oracle = Oracle()
    oracle.is_away = True
    questions = Questions(oracle.ask)
    tasks = await asking(questions, "a", "b", "c")
    oracle.may_answer.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3
    oracle.is_away = False
    assert await questions.ask("d") == ("d",)


@pytest.mark.parametrize("gone", [0, 1, 2])
async def test_who_goes_leaves_the_others_their_answer(gone: int) -> None:
    oracle = Oracle()
    questions = Questions(oracle.ask)
    tasks = await asking(questions, "a", "b", "c")
    tasks[gone].cancel()
    oracle.may_answer.set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    for name, answer in zip("abc", answers, strict=True):
        if name == "abc"[gone]:
            assert isinstance(answer, asyncio.CancelledError)
        else:
            assert isinstance(answer, tuple)
            assert name in answer
