"""Honest traffic from real Yjs: the gate refuses none of it, and pycrdt makes the same document.

`MANYHANDS_TEST_SESSIONS=20000` asks for more sessions than the usual few hundred.
"""

import os
from random import Random

import pytest
from pycrdt import Doc, Text

from crdt.gate.gate import Knowledge
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from crdt.yjs.varint import check_state_vector
from tests.harness.census import census
from tests.harness.yjs_oracle import YjsOracle

LIMITS = GateLimits()
SESSIONS = int(os.environ.get("MANYHANDS_TEST_SESSIONS", "300"))
GROUP = 25
STEPS = 60


def anybody(_: int) -> bool:
    return True


def nobody(client: int) -> bool:
    raise AssertionError(f"asked for the right to write under {client}, of whom there is nothing new")


def pycrdt_doc(log: list[bytes]) -> "Doc[Text]":
    doc: Doc[Text] = Doc()
    for update in log:
        doc.apply_update(update)
    return doc


def clocks(doc: "Doc[Text]") -> dict[int, int]:
    return check_state_vector(doc.get_state())


@pytest.mark.slow
@pytest.mark.parametrize("first_seed", range(0, SESSIONS, GROUP))
def test_honest_sessions_are_admitted_and_mean_the_same_to_yjs_and_pycrdt(yjs: YjsOracle, first_seed: int) -> None:
    for seed in range(first_seed, first_seed + GROUP):
        log, view = yjs.session(seed, STEPS)
        knowledge = Knowledge(LIMITS)
        for number, update in enumerate(log):
            assert knowledge.admit([inspect(update, LIMITS)], anybody) is not None, (seed, number)
        doc = pycrdt_doc(log)
        assert dict(knowledge.state_vector) == clocks(doc) == dict(view["clocks"]), seed
        assert str(doc.get("text", type=Text)) == view["string"], seed
        assert yjs.view([doc.get_update()]) == view, seed


@pytest.mark.slow
@pytest.mark.parametrize("first_seed", range(0, SESSIONS, GROUP))
def test_honest_sessions_go_on_after_the_document_was_compacted_and_loaded(yjs: YjsOracle, first_seed: int) -> None:
    for seed in range(first_seed, first_seed + GROUP):
        log, view = yjs.session(seed, STEPS)
        restarts = Random(seed)
        knowledge = Knowledge(LIMITS)
        doc: Doc[Text] = Doc()
        for number, update in enumerate(log):
            if restarts.random() < 0.1:
                snapshot = doc.get_update()
                doc = pycrdt_doc([snapshot])
                knowledge = Knowledge.from_snapshot(snapshot, LIMITS)
            try:
                knowledge.admit([inspect(update, LIMITS)], anybody)
            except Exception as error:
                raise AssertionError(f"seed {seed}, update {number}: {update.hex()}") from error
            doc.apply_update(update)
        assert dict(knowledge.state_vector) == clocks(doc) == dict(view["clocks"]), seed
        assert yjs.view([doc.get_update()]) == view, seed


@pytest.mark.slow
def test_what_is_known_already_is_no_news_and_needs_no_right(yjs: YjsOracle) -> None:
    for seed in range(20):
        log, _ = yjs.session(seed, STEPS)
        knowledge = Knowledge(LIMITS)
        updates = [inspect(update, LIMITS) for update in log]
        for update in updates:
            knowledge.admit([update], anybody)
        for update in updates:
            assert not knowledge.admit([update], nobody).news
        whole = pycrdt_doc(log).get_update()
        knowledge.admit([inspect(whole, LIMITS)], nobody)
        assert not knowledge.admit([inspect(whole, LIMITS)], nobody).news


@pytest.mark.slow
def test_a_log_that_is_replayed_gives_the_knowledge_that_admitted_it(yjs: YjsOracle) -> None:
    for seed in range(20):
        log, _ = yjs.session(seed, STEPS)
        admitted, replayed = Knowledge(LIMITS), Knowledge(LIMITS)
        for update in log:
            admitted.admit([inspect(update, LIMITS)], anybody)
            replayed.absorb(inspect(update, LIMITS))
        assert replayed.state_vector == admitted.state_vector
        assert census(replayed) == census(admitted)
