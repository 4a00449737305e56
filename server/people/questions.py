"""Questions to the store that many tasks ask at once, asked together and one at a time.

After a restart, for example, everybody asks the same. A task that asks while a question is under
way joins the next one. So every answer was read after its asker came: nothing is cached, and nobody
gets an answer that is older than their question. After a question of several askers, more are
likely to follow, so the next question waits for them a moment.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable
from typing import Generic, TypeVar

Q = TypeVar("Q", bound=Hashable)
A = TypeVar("A")

MOMENT = 0.005
"""Seconds from an answer to several askers until the next question.

Each question costs a thread's turn or a round trip, for one asker as for hundreds.
"""

TOGETHER = 500
"""Most askers of one question, because databases bound the length of a statement."""


class Questions(Generic[Q, A]):
    """Calls `ask` with everybody's questions together. Each asker gets the whole answer."""

    def __init__(self, ask: Callable[[Collection[Q]], Awaitable[A]]) -> None:
        self._ask = ask
        self._next: _Round[Q, A] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._not_before = 0.0

    async def ask(self, question: Q) -> A:
        """Join the next question, and wait for its answer. Raises what the store raises."""
        while True:
            round_ = self._next
            if round_ is not None and len(round_.questions) < TOGETHER:
                round_.questions.append(question)
                await round_.over.wait()
                if round_.answer is not None:
                    return round_.answer[0]
                if round_.error is not None:
                    raise round_.error
                continue  # the task that was to ask was cancelled
            return await self._lead(question)

    async def _lead(self, question: Q) -> A:
        """Ask for everybody who joins until the question before has been answered."""
        round_ = self._next = _Round(question)
        try:
            async with self._one_at_a_time:
                answer = await self._ask_for(round_)
        except Exception as error:
            round_.error = error
            raise
        else:
            round_.answer = (answer,)
            return answer
        finally:
            self._close(round_)
            round_.over.set()

    async def _ask_for(self, round_: "_Round[Q, A]") -> A:
        loop = asyncio.get_running_loop()
        seconds = self._not_before - loop.time()
        if seconds > 0:
            await asyncio.sleep(seconds)
        self._close(round_)
        answer = await self._ask(round_.questions)
        if len(round_.questions) > 1:
            self._not_before = loop.time() + MOMENT
        return answer

    def _close(self, round_: "_Round[Q, A]") -> None:
        if self._next is round_:
            self._next = None


class _Round(Generic[Q, A]):
    """One question. If it is over without an answer or an error, it was never asked."""

    def __init__(self, question: Q) -> None:
        self.questions = [question]
        self.over = asyncio.Event()
        self.answer: tuple[A] | None = None
        self.error: Exception | None = None
