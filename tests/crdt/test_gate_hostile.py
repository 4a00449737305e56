"""Hostile updates: pycrdt and yjs survive those that the gate lets in.

Afterwards the state vector is the one that the gate foresaw.

`MANYHANDS_TEST_FORGERIES=10000` asks for more documents than the usual ones. The tests do not
assert that both hold the same text. An update whose right origin stands before its left one passes,
and may be ordered differently. A forger needs the right to write for that.
"""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crdt.errors import ProtocolError
from crdt.gate.gate import Knowledge
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from crdt.yjs.varint import check_state_vector
from crdt.yjs.wrapping import unwrap
from tests.harness.forger import Forger
from tests.harness.pycrdt_process import PycrdtProcess
from tests.harness.yjs_oracle import YjsOracle

LIMITS = GateLimits()
DOCUMENTS = int(os.environ.get("MANYHANDS_TEST_FORGERIES", "240"))
GROUP = 40


@pytest.fixture(scope="module")
def honest(yjs: YjsOracle) -> list[list[bytes]]:
    return [yjs.session(seed, 40)[0] for seed in range(30)]


def lets_in(knowledge: Knowledge, update: bytes) -> bool:
    """Return whether the update passes. A refusal must leave the state vector alone."""
    before = dict(knowledge.state_vector)
    try:
        knowledge.admit([inspect(update, LIMITS)], lambda _: True)
    except ProtocolError:
        assert knowledge.state_vector == before
        return False
    return True


def survives(log: list[bytes], knowledge: Knowledge, yjs: YjsOracle, pycrdt: PycrdtProcess) -> None:
    outcome = pycrdt.apply([inspect(each, LIMITS).engine for each in log])
    assert outcome.error is None
    assert check_state_vector(outcome.state_vector) == knowledge.state_vector
    for updates in (log, [unwrap(outcome.snapshot)]):
        view = yjs.view(updates)
        assert not isinstance(view, str), view
        assert dict(view["clocks"]) == knowledge.state_vector
        assert not view["pending"]


@pytest.mark.slow
@pytest.mark.parametrize("first_seed", range(0, DOCUMENTS, GROUP))
def test_forged_structs_that_pass_are_survived(yjs: YjsOracle, pycrdt: PycrdtProcess, first_seed: int) -> None:
    for seed in range(first_seed, first_seed + GROUP):
        forger = Forger(seed)
        knowledge = Knowledge(LIMITS)
        log: list[bytes] = []
        for _ in range(60):
            forged = forger.forges(knowledge.state_vector)
            if len(log) < 16 and lets_in(knowledge, forged):
                log.append(forged)
        survives(log, knowledge, yjs, pycrdt)


@pytest.mark.slow
@pytest.mark.parametrize("first_seed", range(0, DOCUMENTS, GROUP))
def test_honest_sessions_mangled_on_the_way_are_survived(
    yjs: YjsOracle, pycrdt: PycrdtProcess, honest: list[list[bytes]], first_seed: int
) -> None:
    for seed in range(first_seed, first_seed + GROUP):
        forger = Forger(seed)
        knowledge = Knowledge(LIMITS)
        log: list[bytes] = []
        for update in honest[seed % len(honest)]:
            for _ in range(4):
                mangled = forger.mangles(update)
                if lets_in(knowledge, mangled):
                    log.append(mangled)
            if lets_in(knowledge, update):
                log.append(update)
        survives(log, knowledge, yjs, pycrdt)


@given(st.data())
def test_any_bytes_are_let_in_or_refused(honest: list[list[bytes]], choices: st.DataObject) -> None:
    log = choices.draw(st.sampled_from(honest))
    number = choices.draw(st.integers(0, len(log) - 1))
    knowledge = Knowledge(LIMITS)
    for update in log[:number]:
        knowledge.absorb(inspect(update, LIMITS))
    at = choices.draw(st.integers(0, len(log[number])))
    length = choices.draw(st.integers(0, 6))
    mutated = log[number][:at] + choices.draw(st.binary(max_size=6)) + log[number][at + length :]
    lets_in(knowledge, mutated)
    lets_in(knowledge, log[number])


@given(st.binary(max_size=60))
def test_noise_is_let_in_or_refused(noise: bytes) -> None:
    lets_in(Knowledge(LIMITS), noise)
