"""The corpus of bad updates: inputs that crash, hang, poison or split pycrdt or yjs.

bad_updates.jsonl says what each of them does. Some lock browsers out.

Each is refused where it must be. The others are harmless to a document that does not read its
values out. After every refusal the document goes on as if nothing had been sent.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from crdt.errors import Code, ProtocolError
from crdt.gate.gate import Knowledge
from crdt.yjs.contents import XML_ELEMENT
from crdt.yjs.limits import GateLimits
from crdt.yjs.reader import inspect
from crdt.yjs.varint import check_state_vector, read_varuint
from tests.harness.pycrdt_process import PycrdtProcess
from tests.harness.update_writer import shared, text, update, values

LIMITS = GateLimits()
CASES: dict[str, dict[str, Any]] = {
    case["name"]: case
    for case in map(json.loads, (Path(__file__).parent / "bad_updates.jsonl").read_text().splitlines())
}


def nested_any() -> list[bytes]:
    return [update({1: (0, [values("7501" * 26_500 + "7e", parent="m", key="k")])})]


def nested_xml() -> list[bytes]:
    chain = [shared(XML_ELEMENT, parent="x"), *[shared(XML_ELEMENT, parent=(1, clock)) for clock in range(34_000)]]
    return [update({1: (0, chain)}), update({}, {1: [(0, 1)]})]


GENERATED: dict[str, Callable[[], list[bytes]]] = {
    "nested-any-26500": nested_any,
    "nested-xml-34000-then-delete": nested_xml,
}

BAD, PAST, UNSUPPORTED, FULL = Code.BAD_UPDATE, Code.MISSING_PAST, Code.UNSUPPORTED_CONTENT, Code.DOCUMENT_FULL
EXPECTED: dict[str, list[Code | None]] = {
    "empty-bytes": [BAD],
    "one-zero": [BAD],
    "truncated": [BAD],
    "zero-structs-known-client": [None, BAD],
    "empty-string-struct-known-client": [None, BAD],
    "clock-u32max-known-client": [None, BAD],
    "poison-clock-u32max-new-client": [None, BAD, PAST],
    "poison-clock-u32max-then-0": [None, BAD, None],
    "gap-new-client": [None, PAST],
    "gc-u32max": [None, BAD],
    "equivocation": [None, None, None],  # the second one is a duplicate to the log's readers, everywhere the same
    "missing-dep-pending": [None, PAST],
    "parent-is-text-item": [None, BAD],
    "invalid-utf8": [BAD],
    "surrogate-insert-middle": [None, BAD],
    "surrogate-format-half": [None, BAD],
    "lone-surrogate": [None],  # Yjs wrote U+FFFD in its place
    "string-inside-array": [None, None],  # in a root type, which does not say that it is an array; only the sandbox reads values
    "nested-any-26500": [BAD],
    "nested-any-100": [BAD],
    "nested-xml-34000-then-delete": [FULL, PAST],
    "any-map-len-2^26": [BAD],
    "num-clients-2^32-1": [BAD],
    "ds-huge-range-known": [None, BAD],
    "ds-huge-range-unknown": [None, BAD],
    "v2-update-as-v1": [BAD],
    "trailing-garbage": [BAD],
    "client-id-2^64-1": [None, BAD],
    "subdoc-option-array": [UNSUPPORTED],
    "root-type-clash": [None, None],
    "fuzz-segv-7-updates": [PAST, PAST, PAST, PAST, PAST, PAST, BAD],
    "fuzz-poison-oob": [None, BAD, PAST, PAST],
    "fuzz-ds-overlap-new-client": [None, None, BAD],
    "xml-hook": [UNSUPPORTED],
    "bigint": [None],  # kept, because pycrdt is given it wrapped
    "subdoc-meta": [UNSUPPORTED],
    "root-flood": [FULL],
}  # fmt: skip


def updates_of(name: str) -> list[bytes]:
    return GENERATED[name]() if name in GENERATED else [bytes.fromhex(each) for each in CASES[name]["seq"]]


def test_every_update_of_the_corpus_has_its_answer_here() -> None:
    assert {name for name, case in CASES.items() if case["kind"] == "update"} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_the_gate_answers_and_the_document_goes_on(pycrdt: PycrdtProcess, name: str) -> None:
    knowledge = Knowledge(LIMITS)
    log: list[bytes] = []
    codes: list[Code | None] = []
    for number, each in enumerate(updates_of(name)):
        before = dict(knowledge.state_vector)
        try:
            inspected = inspect(each, LIMITS)
            knowledge.admit([inspected], lambda _: True)
            log.append(inspected.engine)
            codes.append(None)
        except ProtocolError as refusal:
            assert knowledge.state_vector == before
            codes.append(refusal.code)
        honest = update({4242: (number, [text("x", parent="honest")])})
        knowledge.admit([inspect(honest, LIMITS)], lambda _: True)
        log.append(honest)
    assert codes == EXPECTED[name]
    outcome = pycrdt.apply(log)
    assert outcome.error is None
    assert check_state_vector(outcome.state_vector) == knowledge.state_vector


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case["kind"] == "state_vector"])
def test_a_lying_state_vector_is_refused(name: str) -> None:
    for each in CASES[name]["seq"]:
        with pytest.raises(ProtocolError):
            check_state_vector(bytes.fromhex(each))


def test_a_bomb_of_an_integer_is_read_for_eight_bytes() -> None:
    with pytest.raises(ProtocolError, match="longer than 8 bytes"):
        read_varuint(b"\xff" * 100_000 + b"\1", 0)
