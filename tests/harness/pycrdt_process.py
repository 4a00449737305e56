"""pycrdt in a process of its own, which may die of the updates that it gets.

A request is a line of JSON: a list of updates in hexadecimal. The answer has the state vector and
the whole document as one update after a reload, or the exception's name.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import pycrdt

from tests.harness.processes import mortal


@dataclass(frozen=True, slots=True)
class Outcome:
    """The document that pycrdt made, or an `error`: an exception's name, or "died" and a signal."""

    error: str | None
    state_vector: bytes = b""
    snapshot: bytes = b""


class PycrdtProcess:
    """A process that applies updates, and is replaced when it dies. Use it as `with`."""

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            mortal(sys.executable, "-m", __name__),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def apply(self, log: Sequence[bytes]) -> Outcome:
        """Apply a log to a fresh document, encode it, load the encoding, and encode again."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([update.hex() for update in log]) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            self._process.communicate()
            self._start()
            return Outcome(f"died {code}")
        answer = json.loads(line)
        return Outcome(answer[0], *map(bytes.fromhex, answer[1:]))


def _apply(log: Sequence[str]) -> list[str | None]:
    try:
        doc: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc()
        for update in log:
            doc.apply_update(bytes.fromhex(update))
        again: pycrdt.Doc[pycrdt.Text] = pycrdt.Doc()
        again.apply_update(doc.get_update())
        if again.get_state() != doc.get_state() and sorted(again.get_state()) != sorted(doc.get_state()):
            return ["reload has another state vector"]
        return [None, doc.get_state().hex(), again.get_update().hex()]
    except BaseException as error:  # noqa: BLE001 - a panic is no Exception, and which one it was is the answer
        return [f"{type(error).__name__}: {error}"]


if __name__ == "__main__":
    for question in sys.stdin:
        sys.stdout.write(json.dumps(_apply(json.loads(question))) + "\n")
        sys.stdout.flush()
