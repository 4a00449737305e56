"""Properties of every answer: a function of the log alone, which yjs and yrs read alike."""

import base64
import re
from random import Random
from typing import Any

import pytest
from pycrdt import Doc, XmlFragment

from crdt.gate.gate import Knowledge
from crdt.ids import Seq
from crdt.log.compaction import fold, remembered, restored
from crdt.protocol.batch import encode_batch
from crdt.protocol.row import Row
from crdt.rescue.rescue import Rescued, Said, answer
from crdt.rescue.sequences import Sequences, words_of
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from tests.crdt.test_rescue import CASES, FIRST_AUTHOR, Update, orders
from tests.harness.yjs_oracle import YjsOracle

LIMITS = GateLimits()


class Kept:
    """A log that is folded whenever somebody wants, and one that never is."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._snapshot: bytes | None = None
        self._memory = b""
        self._seq = 0
        self.live = Sequences(LIMITS.fragment_roots)

    def say(self, said: Said) -> Rescued:
        """Append an update with its answer, which must be the same however it is computed."""
        seq = len(self.rows) + 1
        rescued = answer(self.live, seq, [said])
        for sequences in (
            restored(None, b"", self.rows),
            restored(self._snapshot, self._memory, self.rows[self._seq :]),
        ):
            assert answer(sequences, seq, [said]) == rescued
        updates = [said.update, *[each for each in rescued.answers if each]]
        self.rows.append(Row(Seq(seq), encode_batch(updates), heirs=rescued.heirs))
        return rescued

    def fold(self) -> None:
        rows = self.rows[self._seq :]
        batches, heirs = [row.batch for row in rows], [row.heirs for row in rows]
        memory = remembered(self._snapshot, batches, self._seq, self._memory, heirs)
        self._snapshot, _ = fold(self._snapshot, batches)
        self._memory, self._seq = memory, len(self.rows)


def bare(told: str) -> str:
    """Return text with a bar for each tag. Marks count as none."""
    return re.sub(r"<[^>]*>", "|", re.sub(r"</?(bold|italic|textStyle|comment[^ >]*)( [^>]*)?>", "", told))


def check(case: dict[str, Any], order: list[Update], random: Random) -> list[bytes]:
    """Send a case; return the log."""
    kept, knowledge, doc, log = Kept(), Knowledge(LIMITS), Doc[Any](), list[bytes]()
    fragment = doc.get("default", type=XmlFragment)
    for number, (update, author) in enumerate([(base64.b64decode(case["base"]), FIRST_AUTHOR), *order]):
        rescued = kept.say(Said(update, min(number, 1), author))
        for each in (update, *rescued.answers):
            if each is not None:
                assert knowledge.admit([inspect(each, LIMITS)], lambda _: True) is not None
                doc.apply_update(each)
                log.append(each)
        assert bare(str(fragment)) == bare(words_of(kept.live.root("default")))
        if random.random() < 0.4:
            kept.fold()
    return log


@pytest.mark.slow
@pytest.mark.parametrize("part", range(8))
def test_answers_are_the_same_after_a_fold_and_a_restart_and_in_yjs(part: int) -> None:
    random = Random(part)
    with YjsOracle() as yjs:
        for case in random.sample(CASES, 25):
            log = check(case, random.choice(orders(case)), random)
            doc: Doc[Any] = Doc()
            for update in log:
                doc.apply_update(update)
            assert yjs.view(log) == yjs.view([doc.get_update()]), (case["op"], case["typing"])
