"""How long a rescue takes: `python -m tests.bench.rescue`. Prints a table in microseconds; asserts nothing.

Two documents, of 100 and of 3,000 paragraphs. In each, somebody makes paragraphs headings, quotes
and lists, while somebody else types into them, unaware.
"""

import sys
import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any, cast

from pycrdt import Doc, XmlElement, XmlFragment, XmlText

from crdt.gate.gate import Knowledge
from crdt.rescue.memory import remember, restore
from crdt.rescue.rescue import Said, answer
from crdt.rescue.sequences import Sequences
from crdt.room.rescuing import Moved, Triage
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected, inspect

LIMITS = GateLimits()
WORDS = "The quick brown fox jumps over the lazy dog and runs away. "
ROUNDS = 200


class Person:
    """A person with a page, whose steps are kept."""

    def __init__(self, client_id: int, base: bytes = b"") -> None:
        self.doc: Doc[Any] = Doc(client_id=client_id)
        self.root = cast(XmlFragment, self.doc.get("default", type=XmlFragment))
        if base:
            self.doc.apply_update(base)
        self.steps: list[bytes] = []
        self._watching = self.doc.observe(lambda event: self.steps.append(event.update))

    def does(self, act: Callable[[], object]) -> bytes:
        with self.doc.transaction():
            act()
        return self.steps.pop()

    def makes(self, index: int, name: str) -> bytes:
        """Change the kind of a block: delete it, and insert a copy."""
        words = "".join(str(each) for each in cast(XmlElement, self.root.children[index]).children)

        def act() -> None:
            del self.root.children[index]
            self.root.children.insert(index, XmlElement(name, {}, [XmlText(words)]))

        return self.does(act)

    def types(self, index: int, letter: str, at: int = 20) -> bytes:
        text = cast(XmlText, cast(XmlElement, self.root.children[index]).children[0])
        return self.does(lambda: text.insert(at, letter))


def say(name: str, spent: list[float]) -> None:
    spent.sort()
    figures = (median(spent), spent[int(len(spent) * 0.99)])
    sys.stdout.write(f"{name:60}" + "".join(f"{figure * 1e6:12.1f}" for figure in figures) + "\n")


def timed(job: Callable[[], object]) -> float:
    began = time.perf_counter()
    job()
    return time.perf_counter() - began


def begun(blocks: int) -> bytes:
    author = Person(7)
    for _ in range(blocks):
        author.root.children.append(XmlElement("paragraph", {}, [XmlText(WORDS * 4)]))
    return author.doc.get_update()


def bench(blocks: int) -> None:
    """Measure one document."""
    base = begun(blocks)
    sys.stdout.write(f"\n{blocks} paragraphs, {len(base) // 1000} kB\n")
    say("build the sequences", [timed(lambda: restore(base, b"", (), LIMITS.fragment_roots)) for _ in range(3)])

    bench_triage(base)
    bench_answers(base, blocks)


def bench_triage(base: bytes) -> None:
    """Measure what every edit pays."""
    knowledge, triage = Knowledge.from_snapshot(base, LIMITS), Triage(LIMITS.fragment_roots, Moved())
    typist = Person(11, base)
    keys: list[Inspected] = []
    for number in range(ROUNDS):
        step = typist.types(0, "k", 20 + number)
        update = knowledge.typing_runs.read(bytes((len(step),)) + step) or inspect(step, LIMITS)
        knowledge.admit([update], lambda _client: True)
        keys.append(update)
    first = keys[0]
    say(
        "triage: a keystroke in a run",
        [timed(lambda: list(map(partial(triage.is_quiet, knowledge), keys[2:]))) / ROUNDS],
    )
    say("triage: another small edit", [timed(lambda: triage.is_quiet(knowledge, first)) for _ in range(ROUNDS)])


def bench_answers(base: bytes, blocks: int) -> None:
    """Measure what an edit pays that changes blocks, or comes into a dead one."""
    sequences = Sequences(LIMITS.fragment_roots)
    sequences.take(base, 1)
    restructurer, typist = Person(12, base), Person(11, base)
    structural: list[float] = []
    unaware: list[float] = []
    plain: list[float] = []
    seq = 1
    for number in range(ROUNDS):
        index, kind = number % blocks, ("heading", "codeBlock")[number % 2]
        letter, change = typist.types(index, "k"), restructurer.makes(index, kind)
        for step, author, spent in ((change, 12, structural), (letter, 11, unaware)):
            seq += 1
            said = [Said(step, 1, author)]
            spent.append(timed(lambda seq=seq, said=said: answer(sequences, seq, said)))  # type: ignore[misc]
    for number in range(ROUNDS):
        seq += 1
        step = typist.types(blocks - 1 - number % 10, "k")
        plain.append(timed(lambda seq=seq, step=step: sequences.take(step, seq)))  # type: ignore[misc]
    say("answer: a block made a heading", structural)
    say("answer: a letter typed into a dead block", unaware)
    say("follow: an ordinary row", plain)
    say("remember, for a fold", [timed(lambda: remember(sequences)) for _ in range(3)])
    sys.stdout.write(f"remembered: {len(remember(sequences)) // 1000} kB of {seq} rows\n")


if __name__ == "__main__":
    sys.stdout.write(f"{'':60}{'median µs':>12}{'p99 µs':>12}\n")
    for size in (100, 3000):
        bench(size)
