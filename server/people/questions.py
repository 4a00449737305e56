"""Questions to the store that many ask at once, as after a restart: asked together, one at a time.

Whoever asks while a question is on its way waits for the next one, and is part of it. So every
answer was read after it was asked for: this remembers nothing, and nobody hears what was true
before they came. When several have asked together, more are on their way: the next question waits
for them a moment.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable
from typing import Generic, TypeVar

Q = TypeVar("Q", bound=Hashable)
A = TypeVar("A")

MOMENT = 0.005
"""Seconds from one answer to a crowd to the next question. Each is a thread's turn or a round trip, for one asker as for hundreds."""

TOGETHER = 500
"""Askers of one question: databases bound how long a statement may be."""


class Questions(Generic[Q, A]):
    """Asks `ask` for what everybody wants to know; each of them gets the whole answer."""

    def __init__(self, ask: Callable[[Collection[Q]], Awaitable[A]]) -> None:
        self._ask = ask
        self._next: _Round[Q, A] | None = None
        self._one_at_a_time = asyncio.Lock()
        self._not_before = 0.0

    async def ask(self, question: Q) -> A:
        """Be part of the next question, and wait for its answer; raises what the store raises."""
        while True:
            round_ = self._next
            if round_ is not None and len(round_.questions) < TOGETHER:
                round_.questions.append(question)
                await round_.over.wait()
                if round_.answer is not None:
                    return round_.answer[0]
                if round_.error is not None:
                    raise round_.error
                continue  # whoever was to ask has gone
            return await self._lead(question)

    async def _lead(self, question: Q) -> A:
        """Ask for everybody who comes until the question before has been answered."""
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
    """One question. When it is over without an answer or an error, it was never asked."""

    def __init__(self, question: Q) -> None:
        self.questions = [question]
        self.over = asyncio.Event()
        self.answer: tuple[A] | None = None
        self.error: Exception | None = None
