"""Real Yjs in a Node process, asked over JSON lines (tests/crdt/yjs_oracle.mjs)."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from tests.harness.processes import mortal

ROOT = Path(__file__).parents[2]
WEB = ROOT / "client_web"
SCRIPTS = ROOT / "tests" / "crdt"


class YjsOracle:
    """One Node process. Use it as `with`."""

    script = "yjs_oracle.mjs"

    def __init__(self) -> None:
        if shutil.which("node") is None or not (WEB / "node_modules" / "yjs").is_dir():
            pytest.fail("These tests ask real Yjs in Node.js: install Node.js 20 or newer and run `make setup`.")

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            mortal("node", SCRIPTS / self.script),
            cwd=WEB,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def session(self, seed: int, steps: int) -> tuple[list[bytes], Any]:
        """Return an honest session's log as a server received it, and the document in the end."""
        answer = self._ask({"session": seed, "steps": steps})
        assert "error" not in answer, answer["error"]
        return [bytes.fromhex(update) for update in answer["log"]], answer["view"]

    def view(self, updates: Sequence[bytes]) -> Any:
        """Return the content of a document made of these updates, or a string if Yjs throws."""
        answer = self._ask({"replay": [update.hex() for update in updates]})
        return answer["view"] if "view" in answer else answer["error"]


class YjsValues(YjsOracle):
    """Yjs' reading of values (tests/crdt/yjs_values.mjs)."""

    script = "yjs_values.mjs"

    def honest(self, seed: int, count: int) -> tuple[list[bytes], list[bytes]]:
        """Return random values as clients encode them: JSON texts, and `Any` values."""
        answer = self._ask({"honest": seed, "count": count})
        return [bytes.fromhex(each) for each in answer["json"]], [bytes.fromhex(each) for each in answer["any"]]

    def compare(self, cases: Sequence[Sequence[Sequence[bytes]]]) -> list[str | None]:
        """Return for each case how its logs of one document differ, or the fault of one of them.

        None means that the logs are equal and sound.
        """
        hexed = [[[update.hex() for update in log] for log in logs] for logs in cases]
        verdicts: list[str | None] = self._ask({"compare": hexed})["verdicts"]
        return verdicts
