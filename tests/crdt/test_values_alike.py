"""Values that the gate, yrs and Yjs read alike: people now and people later get the same bits.

The cases are every kind of content with every kind of value in every place, honest and forged.
Honest cases must be let in. pycrdt applies each case, encodes it, loads the encoding, and folds it.
Real Yjs makes the same document from what was sent and from what latecomers get, and still fires
its `update` events. `MANYHANDS_TEST_VALUES=200000` asks for more cases than the usual ones.
"""

import os
from collections.abc import Callable, Iterator
from json import JSONDecoder

import pytest

from crdt.errors import ProtocolError
from crdt.gate.gate import Knowledge
from crdt.log.compaction import fold
from crdt.protocol.batch import encode_batch
from crdt.yjs import any_values, json_values
from crdt.yjs import reader as update_reader
from crdt.yjs.contents import CONTENT_READERS, JSON, Content
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import Inspected, inspect
from crdt.yjs.values import Reading, read_bytes
from crdt.yjs.varint import read_varuint
from crdt.yjs.wrapping import open_snapshot, unwrap
from tests.harness.pycrdt_process import PycrdtProcess
from tests.harness.value_cases import ValueCase, ValueCases
from tests.harness.yjs_oracle import YjsValues

LIMITS = GateLimits()
CASES = int(os.environ.get("MANYHANDS_TEST_VALUES", "3000"))
GROUP = 1000


@pytest.fixture(scope="module")
def values() -> Iterator[YjsValues]:
    with YjsValues() as oracle:
        yield oracle


class Judge:
    """A judge that gives cases to gate, pycrdt and Yjs, and collects the faults."""

    def __init__(self, pycrdt: PycrdtProcess, values: YjsValues, *, folds: bool = True) -> None:
        """Prepare a judge. With `folds`, pycrdt folds in this process, which must survive."""
        self._pycrdt = pycrdt
        self._folds = folds
        self._values = values
        self.let_in = 0

    def faults(self, seed: int, count: int) -> list[str]:
        """Return the faults of so many cases of a seed."""
        cases = ValueCases(seed, *self._values.honest(seed, 400))
        faults: list[str] = []
        compared: list[ValueCase] = []
        logs: list[list[list[bytes]]] = []
        for case in (cases.next() for _ in range(count)):
            try:
                inspected = inspect(case.update, LIMITS)
                Knowledge(LIMITS).admit([inspected], lambda _: True)
            except ProtocolError as refusal:
                if case.honest:
                    faults.append(f"{case.update.hex()}: refused ({refusal})")
                continue
            self.let_in += 1
            late = self._late(case, inspected)
            if isinstance(late, str):
                faults.append(f"{case.update.hex()}: {late}")
            else:
                compared.append(case)
                logs.append([[inspected.raw], *([each] for each in late)])
        verdicts = self._values.compare(logs)
        faults += [f"{case.update.hex()}: {said}" for case, said in zip(compared, verdicts, strict=True) if said]
        return faults

    def _late(self, case: ValueCase, inspected: Inspected) -> list[bytes] | str:
        """Return what latecomers get, from memory and after a fold, or a string with the fault."""
        outcome = self._pycrdt.apply([inspected.engine])
        if outcome.error is not None:
            return outcome.error
        try:
            late = [unwrap(outcome.snapshot)]
            if not self._folds:
                return late
            former = inspected.raw if len(inspected.raw) % 4 == 0 else None  # as a snapshot of a former version
            folded = open_snapshot(fold(former, [encode_batch([case.update])])[0])
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the test is there to find
            return f"not folded: {error!r}"
        return [*late, unwrap(folded or b"")]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range((CASES + GROUP - 1) // GROUP))
def test_every_value_is_the_same_for_those_who_are_there_and_those_who_come_later(
    pycrdt: PycrdtProcess, values: YjsValues, seed: int
) -> None:
    judge = Judge(pycrdt, values)
    assert judge.faults(seed, min(GROUP, CASES)) == []
    assert judge.let_in > min(GROUP, CASES) // 3


_OBJECT, _NO_CONSTANT = json_values._object, json_values._refuse_constant


def content_json_as_it_is(patch: pytest.MonkeyPatch) -> None:
    def read(data: bytes, at: int, _reading: Reading) -> Content:
        count, at = read_varuint(data, at)
        for _ in range(count):
            at = read_bytes(data, at)[1]
        return JSON, count, at

    patch.setattr(update_reader, "JSON", None)
    patch.setitem(CONTENT_READERS, JSON, read)


def integers_of_any_size(patch: pytest.MonkeyPatch) -> None:
    decode = JSONDecoder(
        object_pairs_hook=_OBJECT,
        parse_float=json_values._float,
        parse_int=lambda digits: min(int(digits), 10**300),
        parse_constant=_NO_CONSTANT,
    ).decode
    patch.setattr(json_values, "_decode_json", decode)


def floats_as_they_are(patch: pytest.MonkeyPatch) -> None:
    decode = JSONDecoder(
        object_pairs_hook=_OBJECT, parse_float=str, parse_int=json_values._integer, parse_constant=_NO_CONSTANT
    ).decode
    patch.setattr(json_values, "_decode_json", decode)


def keys_of_any_name(patch: pytest.MonkeyPatch) -> None:
    for module in (any_values, json_values):
        patch.setattr(module, "POISON", "another")


def names_of_any_kind(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("crdt.yjs.values.POISON", "another")


def long_integers(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(any_values, "MAX_SAFE", 2**60)


def minus_zero(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(any_values, "_MINUS_ZERO", 0x100)


def marks_in_values(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(any_values, "MARK_BYTES", b"no such bytes")


FAULTS = [
    content_json_as_it_is, integers_of_any_size, floats_as_they_are, keys_of_any_name, names_of_any_kind, long_integers,
    minus_zero, marks_in_values,
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
def test_a_rule_that_is_taken_out_is_missed(
    plant: Callable[[pytest.MonkeyPatch], None],
    pycrdt: PycrdtProcess,
    values: YjsValues,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plant(monkeypatch)
    judge = Judge(pycrdt, values, folds=False)
    assert any(judge.faults(seed, 250) for seed in range(20))
